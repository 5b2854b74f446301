"""hzaccess/1 for the city's platform: records, what was delivered, folders, HTTPS (host)."""
