"""Numbers of OSDP 2.2 (IEC 60839-11-5) as a control panel uses them (both).

A frame: START, address, length (2 bytes, of the whole frame), control, the security block where
control says so, one byte of command or reply, its data, four bytes of MAC inside the secure
channel, CRC-16.
All numbers on the wire have their least significant byte first.
"""

SCBK_D = b"0123456789:;<=>?"  # the key of every reader at the factory: it proves nothing
START = 0x53
REPLY = 0x80  # in the address: from a reader
CONTROL_SEQUENCE = 0x03
CONTROL_CRC = 0x04
CONTROL_SECURE = 0x08
AT_CONTROL = 4
AT_BLOCK = 5  # the security block: its length, its type, its data
AT_BLOCK_TYPE = 6
AT_BLOCK_DATA = 7
HEADER_BYTES = 5
CRC_BYTES = 2
MAC_BYTES = 4
FRAME_MIN_BYTES = 8
FRAME_MAX_BYTES = 128  # longer than any frame of a card, a key or a capability

CMD_POLL = 0x60
CMD_ID = 0x61
CMD_CAP = 0x62
CMD_LSTAT = 0x64
CMD_LED = 0x69
CMD_BUZ = 0x6A
CMD_TEXT = 0x6B
CMD_COMSET = 0x6E
CMD_KEYSET = 0x75
CMD_CHLNG = 0x76
CMD_SCRYPT = 0x77

REPLY_ACK = 0x40
REPLY_NAK = 0x41
REPLY_PDID = 0x45
REPLY_PDCAP = 0x46
REPLY_LSTATR = 0x48
REPLY_RAW = 0x50
REPLY_KEYPAD = 0x53
REPLY_COM = 0x54
REPLY_CCRYPT = 0x76
REPLY_RMAC_I = 0x78
REPLY_BUSY = 0x79

NAK_SEQUENCE = 4
NAK_UNSUPPORTED = 5  # no secure channel there, or none that can be had
NAK_CONDITION = 6  # not without a secure channel

BLOCK_CHLNG = 0x11
BLOCK_CCRYPT = 0x12
BLOCK_SCRYPT = 0x13
BLOCK_RMAC_I = 0x14
BLOCK_COMMAND = 0x15
BLOCK_REPLY = 0x16
BLOCK_COMMAND_HIDDEN = 0x17
BLOCK_REPLY_HIDDEN = 0x18

CAP_LED = 4
CAP_BUZZER = 5
CAP_TEXT = 6

KEY_BYTES = 16
