"""Chinese texts of boards, their rules and their drawings (host)."""

ZH = {
    "Make a folder for a board of your own, to be filled in.": "为自己的控制板新建文件夹，待填写。",
    "Folder with your own boards; left out: what CONTROLLER_TOOL_BOARDS says": (
        "自有控制板的文件夹；不写则用 CONTROLLER_TOOL_BOARDS 所指"
    ),
    "What it controls": "控制对象",
    "Its chip": "芯片",
    "{name} is no name for a board": "{name} 不能作控制板名称",
    "Begin with a letter; small letters, digits and - may follow": (
        "请以字母开头，其后可用小写字母、数字和 -"
    ),
    "There is a board {board} already": "已有名为 {board} 的控制板",
    "Take another name": "请换一个名称",
    "It is not said where your own boards lie": "没有指明自有控制板放在哪里",
    "Give --into DIR, and set {variable} to that folder": (
        "请用 --into 指定文件夹，并把环境变量 {variable} 设为该文件夹"
    ),
    "made": "已新建",
    "next": "下一步",
    "Set {variable} to {folder}, so that the tool finds it": "把 {variable} 设为 {folder}，本工具才能找到它",
    "Fill in what its comments ask for, then `controller-tool board check {board}`": (
        "按注释填写，然后运行 `controller-tool board check {board}`"
    ),
    "Whether boards keep the rules of pins, flash and drivers.": "检查控制板是否符合引脚、闪存和驱动的规则。",
    "what is wrong": "问题",
    "keeps the rules": "符合规则",
    "board.toml says nothing of {name}": "board.toml 没有写 {name}",
    "board.toml cannot be understood: {reason}": "board.toml 看不懂：{reason}",
    "No kind of board is named {kind}: write door or charger": "没有 {kind} 这种控制板：请写 door 或 charger",
    "no source is named for its pins: write the document's title and revision": (
        "没有写明引脚的出处：请写文件标题和版本"
    ),
    "{name} on pin {pin}": "引脚 {pin} 上的 {name}",
    "pin {pin} has {times} uses: {names}": "引脚 {pin} 有 {times} 个用途：{names}",
    "{what}: the {chip} has no such pin": "{what}：{chip} 没有这个引脚",
    "{what}: it belongs to the chip's {owner}": "{what}：该引脚归芯片自用（{owner}）",
    "{what}: it moves at boot, no relay may hang on it": "{what}：启动时电平会变，不得接继电器",
    "{what}: it is an input only and drives nothing": "{what}：只能输入，不能驱动",
    "{what}: it is no input of ADC1, and the others stop with Wi-Fi": (
        "{what}：不属于 ADC1，其他模拟输入在启用 Wi-Fi 时不工作"
    ),
    "{what}: it chooses how the chip boots, no relay may hang on it": (
        "{what}：该引脚决定芯片的启动方式，不得接继电器"
    ),
    "{what}: it must be high at boot": "{what}：启动时必须为高电平",
    "{what}: it must be low at boot": "{what}：启动时必须为低电平",
    "{what}: it must be low at boot, no line with a pull-up may hang on it": (
        "{what}：启动时必须为低电平，不得接带上拉的线"
    ),
    "{wanted} lines are to be counted, the {chip} has {counters} counters": (
        "要计数的线有 {wanted} 根，{chip} 只有 {counters} 个计数器"
    ),
    "{kind} has neither reset nor enable line, and the board no contactor": (
        "{kind} 没有复位线或使能线，控制板也没有接触器"
    ),
    "the contactor hangs on an expander": "接触器接在扩展芯片上",
    "a flash of {bytes} bytes is none of 4, 8, 16 and 32 MB": "闪存 {bytes} 字节，不是 4、8、16 或 32 MB",
    "the partition {label} is missing": "缺少分区 {label}",
    "the partition {label} is of another type than {type}, {subtype:#x}": (
        "分区 {label} 的类型不是 {type}、{subtype:#x}"
    ),
    "{label} does not begin and end at a sector ({align:#x})": "{label} 没有按扇区对齐（{align:#x}）",
    "{label} begins before {before} ends": "{label} 与 {before} 重叠",
    "the partition table": "分区表",
    "{label} is too small for a stock image": "{label} 放不下官方固件",
    "the table ends {bytes} bytes behind the flash": "分区表超出闪存 {bytes} 字节",
    "nobody can choose port {ports}: no plug contact, no button, and no reader with keys": (
        "没有办法选择充电口 {ports}：没有插头触点、按钮，也没有带按键的读卡器"
    ),
    "{points} ports have {relays} relays and {meters} meters": (
        "{points} 个充电口有 {relays} 个继电器和 {meters} 个电表"
    ),
    "no input or line tells of smoke or fire": "没有烟雾或火警输入",
    "the account of energy has no partition of its kind and size": "电量账没有合适的分区",
    "the journal holds less than {count} records": "日志容量不足 {count} 条",
    "board.py: {reason}": "board.py：{reason}",
    "board.py has no {name}": "board.py 没有 {name}",
    "{name} is {said} in board.py and {told} in board.toml": (
        "{name} 在 board.py 中是 {said}，在 board.toml 中是 {told}"
    ),
    "nothing is known of a capability {name}": "没有名为 {name} 的功能",
    "{name} is claimed, and {missing} is missing": "写了 {name}，但缺少 {missing}",
    "mains is claimed, and no input tells of them": "写了 mains，但没有市电输入",
    "cards must be 1 to {most}": "cards 须为 1 至 {most}",
    "{name} is {told}, and the wiring has {count}": "{name} 写的是 {told}，接线有 {count} 个",
    "the firmware has no driver for a {kind} reader": "固件没有 {kind} 读卡器的驱动",
    "nothing is known of {name} in [wiring]": "[wiring] 中的 {name} 无法识别",
    "nothing drives an expander {kind}": "没有扩展芯片 {kind} 的驱动",
    "the pins of {kind} have numbers of the {chip}'s own: let them begin at {first}": (
        "{kind} 的引脚编号与 {chip} 自身的重复：请从 {first} 开始"
    ),
    "two expanders have pins of one number": "两个扩展芯片的引脚编号重复",
    "a relay on pin {pin}: that expander has inputs alone": "引脚 {pin} 上的继电器：该扩展芯片只有输入",
    "a contact on pin {pin}: that expander has outputs alone": "引脚 {pin} 上的触点：该扩展芯片只有输出",
    "UART {uart} is not for {kind}: take 1 or 2": "UART {uart} 不能用于 {kind}：请用 1 或 2",
    "UART {uart} has two lines": "UART {uart} 接了两条线路",
    "the {chip} has no Ethernet of its own": "{chip} 没有以太网",
    "Ethernet of the {chip} wants pins {pins} too": "{chip} 的以太网还需要引脚 {pins}",
    "pin {pin} ({name}) of board.toml is not in board.py": "board.toml 的引脚 {pin}（{name}）不在 board.py 中",
    "board.py uses pin {pin}, of which board.toml says nothing": "board.py 用了引脚 {pin}，board.toml 没有写",
    "{name} is {has}: a capability is true or false": "{name} 是 {has}：功能只能是 true 或 false",
    "the firmware has no driver for a {kind} meter": "固件没有 {kind} 电表的驱动",
    "{label} has {bytes} bytes, the firmware needs {least}": "{label} 有 {bytes} 字节，固件需要 {least}",
    "{label} has {bytes} bytes, the firmware counts no further than {most}": (
        "{label} 有 {bytes} 字节，固件最多只能用 {most}"
    ),
    "[image] says nothing of {name}": "[image] 没有写 {name}",
    "nothing is known of {name} in [image]": "[image] 中的 {name} 无法识别",
    "the image's address is no https address": "固件的地址不是 https 地址",
    "the image's SHA-256 is not 64 digits from 0 to f": "固件的 SHA-256 不是 64 位十六进制数",
    "unconfirmed of [image] is true or false": "[image] 的 unconfirmed 只能是 true 或 false",
    "Size of its flash in MB; the partition table goes by it": "闪存容量（MB），分区表按它而定",
    "Draw a board's wiring as an SVG file.": "把控制板的接线画成 SVG 文件。",
    "drawn": "已画好",
    "door contact": "门磁",
    "exit button (REX)": "出门按钮",
    "fire panel, 2nd contact": "消防主机第二触点",
    "smoke detector, 2nd contact": "烟感第二触点",
    "tamper contact of the enclosure": "机箱防拆触点",
    "emergency stop, 2nd contact": "急停第二触点",
    "residual-current device, signal": "漏电保护信号",
    "key switch: let latches go": "钥匙开关：解除锁定",
    "plug contact": "插头触点",
    "button": "按钮",
    "mains watch (opto-coupler)": "市电检测（光耦）",
    "supervised, with end resistor": "带线路监测，末端接电阻",
    "supply of the board": "控制板电源",
    "through its divider": "经分压",
    "status light": "状态灯",
    "LED": "指示灯",
    "buzzer": "蜂鸣器",
    "reader {number}: {kind}": "读卡器 {number}：{kind}",
    "{count} OSDP readers on RS-485": "RS-485 上的 {count} 台 OSDP 读卡器",
    "port {number}": "充电口 {number}",
    "{count} ports, multiplexer": "{count} 个充电口，多路开关",
    "selection S{bit}": "选择 S{bit}",
    "of the board": "控制板",
    "thermistors, NTC 10 kΩ to GND": "热敏电阻 NTC 10 kΩ 接地",
    "CF of port {number}": "充电口 {number} 的 CF",
    "meters {kind}, isolated": "电表 {kind}（隔离）",
    "lock supply, 12 or 24 V DC": "锁电源，直流 12 或 24 V",
    "fire panel, 1st contact: opens on fire": "消防主机第一触点：火警时断开",
    "cuts all locks, without the controller": "不经控制器切断所有锁",
    "lock {number}, fail-safe": "锁 {number}，断电开",
    "free-wheeling diode across it": "并联续流二极管",
    "coil of contactor K1": "接触器 K1 线圈",
    "each of these opens all ports by itself": "其中任一断开即切断所有充电口",
    "coil supply +": "线圈电源 +",
    "smoke detector, 1st contact: opens on smoke": "烟感第一触点：有烟时断开",
    "emergency stop, 1st contact": "急停第一触点",
    "residual-current device: opens when it trips": "漏电保护：跳闸时断开",
    "contactor · {place}": "接触器 · {place}",
    "relay driven by the board": "由控制板驱动的继电器",
    "coil of K1, then coil supply –": "K1 线圈，再接线圈电源 –",
    "mains L (N goes on to all sockets)": "市电 L（N 直接到各插座）",
    "breaker and residual-current device": "断路器和漏电保护",
    "main contacts of K1": "K1 主触点",
    "{kind}, line {line}, address {address}: socket {number}": (
        "{kind}，线路 {line}，地址 {address}：插座 {number}"
    ),
    "{kind} meter {index}: socket {number}": "{kind} 电表 {index}：插座 {number}",
    "socket {number}": "插座 {number}",
    "How to read it": "看图说明",
    "Not confirmed": "未经确认",
    "Sources of the pin map": "引脚出处",
    "a virtual board: nobody makes it, this is its model": "虚拟控制板：并无实物，此为其模型",
    "A dot joins wires; contacts are drawn at rest: without power, nobody there, no alarm.": (
        "圆点表示导线相连；触点按静止状态画出：无电、无人、无报警。"
    ),
    "GND at a contact is the board's ground, or the common terminal of its inputs.": (
        "触点处的 GND 是控制板的地，或其输入的公共端。"
    ),
    "3.3 V at every GPIO: 5 V lines of readers go through a divider or a level shifter.": (
        "所有 GPIO 均为 3.3 V：读卡器的 5 V 信号须经分压或电平转换。"
    ),
    "Supplies of board, readers and meters are not drawn: their own sheets say which.": (
        "控制板、读卡器和电表的电源没有画出，以各自的说明书为准。"
    ),
    "Mains are for an electrician. Meters lie at mains potential: isolate their lines.": (
        "市电须由电工接线。电表带市电电位：其信号线须隔离。"
    ),
    "Smoke, emergency stop, residual current act twice: in the coil and at the board.": (
        "烟感、急停和漏电保护两处起作用：线圈回路和控制板。"
    ),
    "The board drives no contactor: K1 is closed while its coil has supply.": (
        "控制板不驱动接触器：线圈有电时 K1 即吸合。"
    ),
    "A fail-safe lock is powered while it is locked: no power, whatever the cause, is open.": (
        "断电开的锁在锁闭时通电：不论何种原因断电，门即打开。"
    ),
    "A strike that is locked without power (fail-secure) is not opened by the fire panel:"
    " take it only where people leave by a handle that needs no power.": (
        "断电闭的锁不会被消防主机打开：只可用于不靠电、用把手即可离开的地方。"
    ),
    "The fire panel's 2nd contact tells the controller; the 1st needs nobody.": (
        "消防主机第二触点通知控制器；第一触点不依赖任何程序。"
    ),
}
