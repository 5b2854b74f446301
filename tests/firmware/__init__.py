"""The firmware's modules in real MicroPython with an ESP32's heap (host)."""
