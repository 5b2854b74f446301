"""Chinese texts of keys that are replaced and peers that are shut out (host)."""

ZH = {
    # names
    "key:root": "根",
    "key:whitelist": "白名单",
    "key:ticket": "操作票",
    "key:checkpoint": "检查点",
    "key:firmware": "固件",
    "info:trust_version": "信任对象版本",
    "info:trust_behind": "信任对象待更新",
    "trust_refused": "拒绝信任对象",
    # device list, site show
    "trust": "信任对象",
    "{version}, behind": "{version}，待更新",
    "since": "起始时间",
    "this folder's own": "本文件夹自用",
    "revoked": "已吊销",
    "trust version": "信任对象版本",
    "old keys still trusted": "仍受信任的旧密钥",
    # site rotate, sign-trust
    "Replace the keys of a role: whitelist, ticket, checkpoint, firmware or root.": "更换某一角色的密钥：whitelist、ticket、checkpoint、firmware 或 root。",
    "A new key signs from now on, the old one stays trusted until --retire; push after each"
    " of the two. Export the folders of the role again before you retire its old key: the"
    " old one in them is then worth nothing. A stolen key: do both at once.": "今后由新密钥签名，旧密钥在 --retire 之前仍受信任；两步之后各推送一次。退役旧密钥之前，请重新导出该角色的文件夹，否则其中的旧密钥作废。密钥被盗：两步连着做。",
    "New root keys replace the old ones at once. Root keys on several machines: write a"
    " draft with --draft FILE, carry it to each with site sign-trust FILE, bring it back and"
    " take it in with --apply FILE. --apply takes the office's newer trust object into an"
    " exported folder, too.": "新根密钥立即取代旧的。根密钥分存多台机器时：用 --draft FILE 写出草稿，逐台用 site sign-trust FILE 签名，带回后用 --apply FILE 生效。--apply 也可把办公室较新的信任对象带入导出的文件夹。",
    "Trust only the key that signs now": "只信任当前签名的密钥",
    "Even if a controller must be provisioned anew": "即使有控制器必须重新装机",
    "Write a draft that other root keys sign": "写出草稿，由其他根密钥签名",
    "Put a signed draft into force here": "让签好的草稿在本文件夹生效",
    "Only say what would be done": "只说明将做什么",
    "Do it without asking": "不再询问，直接执行",
    "Give a role, or --apply FILE": "请给出角色，或 --apply FILE",
    "Old root keys end at once: there is nothing to retire": "旧根密钥立即失效，无须退役",
    "Sign a draft with this folder's root key.": "用本文件夹的根密钥签署草稿。",
    "Trust object {version} is in force here; tell the controllers with: push": "信任对象 {version} 已在此生效；请用 push 通知各控制器",
    "Carry {file} to the other root keys: site sign-trust FILE": "请把 {file} 带到其他根密钥处签名：site sign-trust FILE",
    "Signed by enough root keys; put it into force with: site rotate --apply {file}": "根密钥签名已足够；用 site rotate --apply {file} 使其生效",
    "Dry run": "试运行",
    "Go on?": "继续吗？",
    "new key": "新密钥",
    "key that ends": "失效的密钥",
    "signatures wanting": "尚缺签名（现有根，新根）",
    "in force": "已生效",
    # site revoke, new-epoch
    "Shut a peer out of every controller; PEER is its id, label or role.": "让所有控制器拒绝某一对端；PEER 为其编号、名称或角色。",
    "For a folder that was lost or stolen. Push afterwards: a controller shuts it out once it"
    " knows. Replace the keys that lay in the folder, too: site rotate.": "用于丢失或被盗的文件夹。随后请推送：控制器得知之后才会拒绝它。文件夹中的密钥也要更换：site rotate。",
    "Have every controller forget how far list numbers and dates had come.": "让所有控制器忘记名单版本号和日期已到何处。",
    "Only for a registry that is lost, or list numbers that somebody has driven up: lists of"
    " the old epoch are refused from then on, whoever signed them, and a card that only the"
    " lost registry had ended opens again where this one grants it. The list in force stays"
    " until the next push. Exported folders need the new trust object: export them again.": "仅用于登记库丢失或名单版本被人抬高：此后旧纪元的名单无论由谁签署一律拒绝；只在丢失的登记库中注销过的卡，若本库仍授权，会重新开门。现有名单保留到下次推送。导出的文件夹需要新的信任对象：请重新导出。",
    "Name of the site, instead of typing it": "站点名称（代替输入）",
    "Type the name of the site": "请输入站点名称",
    "That is not the name of this site": "这不是本站点的名称",
    "Nothing was changed": "未作任何更改",
    # refusals
    "No peer is called {name}": "没有名为 {name} 的对端",
    "See ids, labels and roles with: site show": "编号、名称和角色见：site show",
    "Several peers are called {name}": "有多个对端名为 {name}",
    "Name one by its id: {ids}": "请用编号指定：{ids}",
    "Peer {id} is this folder's own": "对端 {id} 是本文件夹自用的",
    "A stolen office folder takes new root keys: site rotate root": "办公室文件夹被盗时须更换根密钥：site rotate root",
    "Peer {id} is revoked already": "对端 {id} 已吊销",
    "See: site show": "见：site show",
    "A controller remembers {n} revoked peers and no more": "控制器最多记住 {n} 个已吊销的对端",
    "Provision the site anew, with another peer authority": "请以新的对端颁发机构重新装机",
    "No root key of this folder is wanted on this draft": "这份草稿不需要本文件夹的根密钥",
    "Sign it in a folder that holds another root key": "请在有其他根密钥的文件夹中签名",
    "Signatures are wanting: {old} of the root keys in force, {new} of the new ones": "签名不足：现有根密钥缺 {old} 个，新根密钥缺 {new} 个",
    "Write a draft with --draft FILE, sign it where the other root keys are with"
    " site sign-trust FILE, then: site rotate --apply FILE": "请用 --draft FILE 写出草稿，在其他根密钥处用 site sign-trust FILE 签名，然后：site rotate --apply FILE",
    "This folder lacks the private {role} key that the draft names": "本文件夹没有草稿所指的 {role} 私钥",
    "Put it into force in the folder that has made the draft": "请在写出草稿的文件夹中使其生效",
    "The trust object would be larger than a controller takes": "信任对象会超出控制器的容量",
    "Retire old keys first, or use fewer root keys": "请先退役旧密钥，或减少根密钥",
    "{path} is not a trust object or a draft of one": "{path} 不是信任对象，也不是其草稿",
    "Take the file that --draft has written": "请使用 --draft 写出的文件",
    "An older {role} key is still trusted": "旧的 {role} 密钥仍受信任",
    "Retire it first: site rotate {role} --retire": "请先使其退役：site rotate {role} --retire",
    "No older {role} key is trusted": "没有仍受信任的旧 {role} 密钥",
    "Make a new one with: site rotate {role}": "更换密钥：site rotate {role}",
    "Controllers with a list of an older key: {names}": "仍使用旧密钥名单的控制器：{names}",
    "Push to them first; with --force they have to be provisioned anew": "请先向它们推送；若用 --force，它们须重新装机",
    "The {role} key of this folder is not trusted any more": "本文件夹的 {role} 密钥已不受信任",
    "{device} does not trust the whitelist key of this folder": "{device} 不信任本文件夹的白名单密钥",
    "Export this folder again from the office: the key was replaced": "密钥已更换，请由办公室重新导出本文件夹",
    "The trust object does not follow the one of this folder ({error})": "该信任对象不能接续本文件夹的信任对象（{error}）",
    "See with site show which version is in force here, and make a new draft": "用 site show 查看当前版本，并重新写出草稿",
}
