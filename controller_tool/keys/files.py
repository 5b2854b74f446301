"""Key files: encrypted PKCS#8 PEM, made and read (host).

The libraries write PKCS#8 with 2048 rounds of PBKDF2, too few for what a person can remember. The
password of a file is therefore random: registry.sealing derives it from the registry key, which
alone lies under the passphrase, by scrypt.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat

from controller_tool.errors import OperatorError
from controller_tool.messages import t
from protocol.constants import ID_BYTES, RSA_BYTES, RSA_EXPONENT_SQUARINGS

RSA_BITS = RSA_BYTES * 8
RSA_EXPONENT = 2**RSA_EXPONENT_SQUARINGS + 1
FILE_MODE = 0o600
FOLDER_MODE = 0o700

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def new_rsa_keys(count: int) -> list[rsa.RSAPrivateKey]:
    """``count`` RSA-3072 keys, made side by side: the search for primes holds no lock."""
    with ThreadPoolExecutor(max_workers=min(count, os.cpu_count() or 1)) as pool:
        return list(pool.map(_new_rsa_key, range(count)))


def _new_rsa_key(_index: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=RSA_EXPONENT, key_size=RSA_BITS)


def new_ec_key() -> ec.EllipticCurvePrivateKey:
    """A P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def modulus_bytes(key: rsa.RSAPublicKey) -> bytes:
    """The modulus, 384 bytes, as the trust object carries it."""
    return key.public_numbers().n.to_bytes(RSA_BYTES, "big")


def key_id(key: rsa.RSAPublicKey) -> bytes:
    """kid of docs/protocol.md section 2: SHA-256(modulus)[:8]."""
    return sha256(modulus_bytes(key)).digest()[:ID_BYTES]


def peer_id(key: ec.EllipticCurvePublicKey) -> bytes:
    """Peer id of docs/protocol.md section 7: SHA-256(SubjectPublicKeyInfo DER)[:8]."""
    spki = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return sha256(spki).digest()[:ID_BYTES]


def write_private_file(path: Path, data: bytes) -> None:
    """Write ``data`` readable by the owner only, whole or not at all."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def save_key(path: Path, key: PrivateKey, password: str) -> None:
    """Write ``key`` as encrypted PKCS#8 PEM; a password that people choose is not enough."""
    encryption = serialization.BestAvailableEncryption(password.encode())
    write_private_file(
        path, key.private_bytes(serialization.Encoding.PEM, PrivateFormat.PKCS8, encryption)
    )


def load_key(path: Path, password: str) -> PrivateKey:
    """Read one key; OperatorError when it is another folder's or damaged."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password.encode())
    except FileNotFoundError:
        raise OperatorError(
            t("Key {name} is not in this folder", name=path.stem),
            t("Use the folder that holds it (site export lists who gets which key)"),
        ) from None
    except (ValueError, TypeError):
        raise OperatorError(
            t("Key {name} does not open: another folder's or a damaged file", name=path.stem),
            t("Restore the site folder from a backup"),
        ) from None
    if not isinstance(key, PrivateKey):
        raise OperatorError(t("Key {name} is of an unknown kind", name=path.stem))
    return key


def save_public_keys(folder: Path, keys: Sequence[tuple[str, rsa.RSAPublicKey]]) -> None:
    """Write the public halves as PEM: checking a role's key takes no passphrase."""
    for name, key in keys:
        pem = key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        write_private_file(folder / f"{name}.pub.pem", pem)


def load_public_key(path: Path) -> rsa.RSAPublicKey:
    """Read an RSA-3072 public key with e = 65537; OperatorError for any other."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        raise OperatorError(t("{path} is not a readable public key", path=path)) from None
    if (
        not isinstance(key, rsa.RSAPublicKey)
        or key.key_size != RSA_BITS
        or key.public_numbers().e != RSA_EXPONENT
    ):
        raise OperatorError(
            t("{path} is not an RSA-3072 key with exponent 65537", path=path),
            t("Make one with: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072"),
        )
    return key
