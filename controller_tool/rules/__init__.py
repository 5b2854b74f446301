"""The desk's rules as pure functions: time and facts are arguments (host).

A refusal is a value, Refusal: which rule, what, and the way out. Services ask, act and tell; no
rule lives in a service or a command. Words are the codes of words.py.
"""
