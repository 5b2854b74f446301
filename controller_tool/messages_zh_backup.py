"""Chinese texts of backups of a site folder (host)."""

ZH = {
    # site backup, site restore
    "Write this folder into one sealed file; others may go on working.": "把本文件夹写入一个加密的备份文件；其他人可继续工作。",
    "A folder in place of FILE gets a dated file, and --keep removes the oldest of them."
    " The passphrase of the site folder opens it: without it a backup is worth nothing.": "FILE 若为文件夹，则在其中写入带日期的文件，--keep 会删除其中最旧的。备份用站点文件夹的口令打开：没有口令，备份毫无用处。",
    "How many dated backups of this site stay in the folder": "文件夹中保留本站点多少个带日期的备份",
    "Write nothing: prove that FILE is whole": "不写入，只验证 FILE 完好",
    "--verify goes with neither --keep nor --dry-run": "--verify 不能与 --keep 或 --dry-run 同用",
    "The backup is whole": "备份完好",
    "The backup is good, but the operators' log could not take it": "备份已完成，但操作日志未能记录",
    "Make room on the disk of the site folder": "请为站点文件夹所在磁盘腾出空间",
    "Make a new site folder of a backup.": "用备份建立新的站点文件夹。",
    "Use the lost folder no more, should it turn up: two that push are forks of each other."
    " Everything counts as pending until its controller was heard: push.": "丢失的文件夹即使找回也不要再用：两个文件夹都推送，就互为分叉。在控制器应答之前，一切都算待确认：请运行 push。",
    "Only prove the backup and the place": "只验证备份和目标位置",
    "Nothing was restored: this was a dry run": "仅试运行，未恢复任何内容",
    "This folder knows nothing since {date}. Next: push; a controller that it names as"
    " holding another list wants device compare, then push --accept-fork": "本文件夹不知道 {date} 之后的事。下一步：push；若某控制器被指出持有另一份名单，先 device compare，再 push --accept-fork",
    "backup": "备份",
    "left out, no plain files": "未备份（不是普通文件）",
    "older ones removed": "已删除的旧备份",
    "last backup": "最近备份",
    "restored from a backup of": "恢复自备份，时间",
    # refusals
    "{path} is no backup of a site folder": "{path} 不是站点文件夹的备份",
    "Name the file that site backup wrote": "请指定 site backup 写出的文件",
    "The passphrase does not open {path}, or the file was altered": "口令打不开 {path}，或该文件被改动过",
    "Give the passphrase that the site folder had when the backup was made": "请给出备份时站点文件夹的口令",
    "{path} is damaged or was altered; nothing of it was used": "{path} 已损坏或被改动；未使用其中任何内容",
    "Take another backup": "请换用另一个备份",
    "{path} was written by a newer tool": "{path} 由更新版本的工具写出",
    "The registry is damaged; no backup was made of it": "登记库已损坏；未对其备份",
    "Files of the site folder change all the time; no backup was made": "站点文件夹中的文件一直在变；未做备份",
    "Wait for the other command to end, then try again": "请等另一条命令结束后再试",
    "--keep needs a folder of backups, not one file": "--keep 需要存放备份的文件夹，而不是单个文件",
    "Name a folder that is there, and the files in it are dated": "请指定已有的文件夹，其中的文件会带日期",
    "{path} lies in the site folder and would be lost with it": "{path} 位于站点文件夹内，会随之一同丢失",
    "Name a place on another disk": "请指定另一磁盘上的位置",
    "{path} is there and is no backup; it is left alone": "{path} 已存在且不是备份，保持不动",
    "Name a new file": "请指定新文件",
}
