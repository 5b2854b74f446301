"""What an OSDP reader shows: LED, buzzer and text for each SHOW_… of the readers' interface (both).

Rows stand in the order of SHOW_REST to SHOW_SHUT. A text fills 16 columns, so that the one before
it is gone. Chinese texts are GB 2312, which readers with Chinese characters take: 16 columns are
eight of them.
"""

from protocol.osdp import CMD_BUZ, CMD_LED
from protocol.osdp_frame import copy

_COLUMNS = 16
_ROW_BYTES = 7
# LED: on and off in 100 ms, colour on, colour off (0 dark, 1 red, 2 green, 3 amber, 4 blue);
# buzzer: on and off in 100 ms, how often (0: until told otherwise); never on: silent
_PATTERNS = (
    b"\x01\x00\x01\x01\x00\x00\x00"  # rest: red
    b"\x01\x00\x02\x02\x02\x00\x01"  # granted: green, one beep
    b"\x02\x02\x01\x00\x01\x01\x03"  # denied: red, blinking fast, three short beeps
    b"\x03\x03\x03\x00\x01\x00\x01"  # wait: amber, blinking, one short beep
    b"\x05\x05\x03\x01\x02\x08\x00"  # held: amber and red, a beep each second
    b"\x02\x02\x01\x03\x05\x05\x00"  # alarm: red and amber, fast, the buzzer too
    b"\x0a\x0a\x02\x00\x00\x00\x00"  # open: green, blinking slowly
    b"\x0a\x0a\x01\x00\x00\x00\x00"  # shut: red, blinking slowly
)
_ENGLISH = (
    b"Present card    "
    b"Please enter    "
    b"No access       "
    b"PIN or next card"
    b"Close the door  "
    b"Alarm           "
    b"Door is open    "
    b"Closed          "
)
_CHINESE = (
    b"\xc7\xeb\xcb\xa2\xbf\xa8          "  # 请刷卡
    b"\xc7\xeb\xbd\xf8            "  # 请进
    b"\xce\xde\xc8\xa8\xcf\xde          "  # 无权限
    b"\xc3\xdc\xc2\xeb\xbb\xf2\xcf\xc2\xd2\xbb\xd5\xc5\xbf\xa8  "  # 密码或下一张卡
    b"\xc7\xeb\xb9\xd8\xc3\xc5          "  # 请关门
    b"\xb1\xa8\xbe\xaf            "  # 报警
    b"\xc3\xc5\xd2\xd1\xb3\xa3\xbf\xaa        "  # 门已常开
    b"\xc3\xc5\xd2\xd1\xcb\xf8\xb1\xd5        "  # 门已锁闭
)
# reader, number, nothing temporary any more, set for good
_CANCEL = b"\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01"
_PLACE = b"\x00\x01\x00\x01\x01\x10"  # reader, permanent, -, row, column, length


def put(frame: bytearray, at: int, command: int, pattern: int, chinese: bool) -> int:
    """Write the data of LED, BUZ or TEXT at `at`. Returns their end."""
    patterns = _PATTERNS
    row = pattern * _ROW_BYTES
    if command == CMD_LED:
        return copy(frame, copy(frame, at, _CANCEL, 0, 10), patterns, row, 4)
    if command == CMD_BUZ:
        frame[at] = 0
        frame[at + 1] = 2 if patterns[row + 4] else 1  # the reader's own tone, or off
        return copy(frame, at + 2, patterns, row + 4, 3)
    at = copy(frame, at, _PLACE, 0, 6)
    return copy(frame, at, _CHINESE if chinese else _ENGLISH, pattern * _COLUMNS, _COLUMNS)
