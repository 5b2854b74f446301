"""Layout of the page of memory that a virtual board and its supervisor share (both).

Offsets in bytes, integers little-endian. "device" or "host" says who writes a field.
The page is a file, so it outlives a reset; the host clears it when power is cut.
"""

PAGE_BYTES = 4096
PINS = 64  # 0 to 39 are the chip's, the others outputs of expanders or inputs of multiplexers
CHIP_PINS = 40
LEVEL_FLOATING = 0xFF
ROLE_RELAY = 1

INPUT_GENERATION = 0  # u8, host: changes whenever an input level changed
WIFI_UP = 1  # u8, host
WIFI_GENERATION = 2  # u8, host: changes whenever the Wi-Fi was lost
KBD_INTR = 3  # u8, device: 1 = a Ctrl-C byte interrupts, 0 = it is data
REPL_RAW = 4  # u8, device: the raw REPL survives a soft reset
HEAP_ASKED = 5  # u8, host: changes when the heap figures are wanted
HEAP_TOLD = 6  # u8, device: follows HEAP_ASKED when they are there
FLASH_TORN = 7  # u8, host: the cut operation is left half done
FLASH_READ_ONLY = 8  # u8, host
RESET_CAUSE = 9  # u8, host
AT_PROMPT = 10  # u8, device: 1 = boot.py and main.py are over
SERVES = 11  # u8, device: 1 = what runs has looked at UART0 or listens
WDT_TIMEOUT_MS = 12  # u32, device: 0 = no watchdog
WDT_FED_MS = 16  # u32, device: ticks_ms of the last feed
MEMORY_FAULTS = 20  # u32, device: MemoryErrors that escaped to the top
HEAP_FREE_BYTES = 24  # u32, device
HEAP_USED_BYTES = 28  # u32, device
RTC_ZERO_S = 32  # u32, host and device: Unix time at which the RTC read 2000-01-01
RTC_ZERO_US = 36  # u32, ... and its microseconds
GAP_US = 40  # u32, device: longest stretch without looking at the world; the host clears it
HANDSHAKE_US = 44  # u32, device: longest charged step of a TLS handshake, counted apart
HEAP_LARGEST_BYTES = 48  # u32, device: the largest piece that is free

LEVELS = 64  # u8 each pin, host: what the wire outside drives, or floating
OUTPUTS = 128  # u8 each pin, device: what the board drives, or floating
ROLES = 192  # u8 each pin, host
FLASH_COUNTERS = 256  # 8 x u32, device, in this order:
FLASH_COUNTER_NAMES = (
    "reads", "programs", "erases", "bytes_read", "bytes_programmed", "model_s", "model_us",
    "operations",
)  # fmt: skip
FLASH_CUT_AT = 288  # u32, host: power goes at this value of "operations"; 0 = never
UARTS = 320  # 16 bytes each: u8 open, 3 unused, u32 rxbuf_bytes, u32 baud (device)
UART_BYTES = 16
ANALOG_MV = 384  # u16 each of 64 pins, host
RELAY_LOG_COUNT = 512  # u32, device: relay changes since power on
RELAY_LOG = 516  # 64 x {u32 ticks_us, u32 since_read_us, u8 pin, u8 level, 2 unused}
RELAY_LOG_ENTRIES = 64
RELAY_LOG_ENTRY_BYTES = 12
EDGE_COUNT = 1284  # u32, host: falling edges on pins since the page was made
EDGES = 1288  # 80 x {u32 ticks_us at which it comes, u32 pin}, host
EDGE_ENTRIES = 80
EDGE_BYTES = 8
FIELD = 1928  # 2 x {u8 type, u8 length, 10 bytes UID}, host: cards in an SPI reader's field
FIELD_CARDS = 2
FIELD_CARD_BYTES = 12
FIELD_FAULTS = 1952  # u8, host: bits of controller_tool/sim/chips/mfrc522.py
I2C_FAULT = 1956  # u8, host and device: boards/virtual/i2c_shim.py has the values
DS3231 = 1960  # 27 bytes, device: the clock chip on the bus; it has a battery of its own
EXPANDERS = 1988  # 26 bytes, device: state of the expanders' chips, which a reset does not reach
EXPANDERS_BYTES = 26
PULSES = 2016  # 4 x u32, host: pulses at the CF pins of the meters, in the order of the ports
WIRES_CUT = 2032  # 8 bytes, a bit for each output, host: the wire behind it is cut
RTC_MEMORY_LENGTH = 2046  # u16, device
RTC_MEMORY = 2048  # 2048 bytes, device

TICKS_MASK = 0x3FFFFFFF  # ticks are cut to a small int of the 32-bit build
SINCE_READ_NEVER = 0x3FFFFFFF

# Exit codes of the MicroPython process: why the board stopped.
EXIT_RESET = 70
EXIT_SOFT_RESET = 71
EXIT_POWER_CUT = 72
EXIT_HOST_GONE = 73
EXIT_MEASURED = 74

HEAP_MEASURE = 0xA5  # in HEAP_ASKED at the start: tell what the shims hold, then leave

# The UART0 of a stock ESP32 image.
UART0_RING_BYTES = 259
UART0_FIFO_BYTES = 128

# Stream requests of MicroPython's C code that the shims answer.
STREAM_POLL = 3
STREAM_CLOSE = 4
STREAM_GET_FILENO = 10
