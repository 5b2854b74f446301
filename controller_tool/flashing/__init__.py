"""What stands in a controller's flash, made on this computer (host)."""
