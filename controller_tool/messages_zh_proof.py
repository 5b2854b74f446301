"""Chinese for what proves a journal: findings, notes, bundles (host)."""

ZH = {
    "{ring} ring: a sector header at {seq} is not the controller's": "{ring} 环：{seq} 处的扇区头不是控制器写下的",
    "{ring} ring: a checkpoint at {seq} is not signed by this site": "{ring} 环：{seq} 处的检查点不是本站点签署的",
    "{ring} ring: {seq} is not what the checkpoint at its end says": "{ring} 环：{seq} 与其末尾的检查点不符",
    "{ring} ring: its sealed audit key is not the one that was seen before": "{ring} 环：封存的审计密钥不是以前见过的那一个",
    "{ring} ring: {seq} could not be proven, being behind a break": "{ring} 环：{seq} 位于断点之后，无法证明",
    "{ring} ring: what came after {seq}, the newest head, is not judged": "{ring} 环：最新头部 {seq} 之后的内容不在判断之内",
    "Nobody can see events that never reached the journal, nor that the whole flash of a controller was put back to a state after its newest head": "从未写入日志的事件无人能看出；控制器的整个闪存被恢复到最新头部之后的某个状态，也无人能看出",
    "The audit key ({rings}) was not yet seen at the controller itself: pull once with this folder": "审计密钥（{rings}）尚未在控制器本身见过：请用此文件夹拉取一次",
}
