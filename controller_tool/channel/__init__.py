"""The way from the tool to a controller: wire, link, preface, TLS, requests (host).

From the wire up: `tcp` and `serial_port` give bytes, `linked` makes a serial line reliable,
`preface` shows who knocks, `secure` is mutual TLS, `session` asks and takes replies. `address`
reads what a person writes after ``--port``; `dial` puts all of it together.
"""
