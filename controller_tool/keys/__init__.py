"""Private keys, certificates and signatures of a site (host)."""
