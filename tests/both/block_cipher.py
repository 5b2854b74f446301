"""`aes(key, 1)` as cryptolib has it, on either interpreter (both)."""

try:
    from cryptolib import aes  # type: ignore[import-not-found]
except ImportError:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    class aes:  # type: ignore[no-redef]  # noqa: N801 - cryptolib's name
        """Whole blocks, each for itself."""

        def __init__(self, key: "bytes | bytearray", mode: int) -> None:
            assert mode == 1, "ECB"
            self._cipher = Cipher(algorithms.AES(bytes(key)), modes.ECB())  # noqa: S305

        def encrypt(self, data: "bytes | bytearray", out: bytearray) -> None:
            out[:] = self._cipher.encryptor().update(bytes(data))

        def decrypt(self, data: "bytes | bytearray", out: bytearray) -> None:
            out[:] = self._cipher.decryptor().update(bytes(data))


__all__ = ["aes"]
