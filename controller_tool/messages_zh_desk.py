"""Chinese of the desk's rules and stays (host)."""

ZH = {
    "A controller's list would need more than {n} profiles": "一台控制器的名单需要超过 {n} 个配置",
    "Remove profiles that nobody goes by: profile remove": "请删除无人使用的配置：profile remove",
}
