"""What the independent verifier is asked to judge, and with which keys; shares no code (any host).

CONTROLLER_TOOL_PASSPHRASE opens an encrypted KEY.pem. One that lies in a site folder's `keys` is
under another password, which docs/bundle.md derives from the passphrase and `registry.key`.
"""

import os
import sys
import zipfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

USAGE = "usage: independent_verifier.py BUNDLE [--audit-key KEY.pem] [--peer-ca CA.pem]"
VARIABLE = "CONTROLLER_TOOL_PASSPHRASE"


def bundle(path):
    if path.is_dir():
        return {str(f.relative_to(path)): f.read_bytes() for f in path.rglob("*") if f.is_file()}
    with zipfile.ZipFile(path) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def audit_key(path):
    data, password = path.read_bytes(), os.environ.get(VARIABLE, "").encode()
    if b"ENCRYPTED" not in data:
        return serialization.load_pem_private_key(data, None)
    if (sealed := path.with_name("registry.key")).exists():
        password = folder_password(sealed.read_bytes(), password)
    return serialization.load_pem_private_key(data, password)


def folder_password(sealed, passphrase):
    salt, nonce, rest = sealed[5:21], sealed[21:33], sealed[33:]
    stretched = Scrypt(salt, 32, n=2**15, r=8, p=1).derive(passphrase)
    key = AESGCM(stretched).decrypt(nonce, rest, b"registry key")
    return HKDFExpand(hashes.SHA256(), 32, b"key files").derive(key).hex().encode()


def peer_ca(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def read(words):
    """(files by name, audit key, peer CA); exit code 2 and one line for what cannot be read."""
    try:
        asked = dict(zip(words[1::2], map(Path, words[2::2]), strict=True))
        key, ca = asked.pop("--audit-key", None), asked.pop("--peer-ca", None)
        if asked:
            raise ValueError(next(iter(asked)))
        return bundle(Path(words[0])), key and audit_key(key), ca and peer_ca(ca)
    except Exception as error:  # no arguments, no files, no key, or not with this passphrase
        print(f"{USAGE} ({error!r})", file=sys.stderr)
        sys.exit(2)
