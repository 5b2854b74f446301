"""Handlers of requests, one file a family: guard, act, reply (device)."""
