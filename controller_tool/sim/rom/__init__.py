"""The loader in an ESP32's ROM, as the virtual board plays it for esptool (host)."""
