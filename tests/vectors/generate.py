"""Makes the golden vectors of which no standard has any, without our own protocol code (host).

    python -m tests.vectors.generate

Keys are made afresh and thrown away. Run it only when a format changes: the point of a golden
vector is that it stays.
"""

import hashlib
import hmac
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from controller_tool.keys.certificates import (
    issue_ca,
    issue_device_certificate,
    issue_peer_certificate,
)

HERE = Path(__file__).parent
SIZE = 384
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
SITE = bytes(range(0x10, 0x18))
DEVICE = bytes(range(0x20, 0x28))


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def mac(key: bytes, *parts: bytes) -> bytes:
    return hmac.digest(key, b"".join(parts), "sha256")


def write(name: str, cites: str, **vectors: Any) -> None:
    text = json.dumps({"cites": cites, **vectors}, indent=1)
    (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def rsa_vectors(key: rsa.RSAPrivateKey) -> None:
    """Encodings that a lax verifier takes, each signed with the true private key."""
    numbers = key.private_numbers()
    n = numbers.public_numbers.n
    digest = sha(b"what is signed")

    def power(encoded: bytes) -> str:
        return pow(int.from_bytes(encoded, "big"), numbers.d, n).to_bytes(SIZE, "big").hex()

    def padded(tail: bytes, filler: bytes = b"\xff", kind: bytes = b"\x01") -> bytes:
        return b"\x00" + kind + filler * (SIZE - 3 - len(tail)) + b"\x00" + tail

    good = padded(DIGEST_INFO + digest)
    short = b"\x00\x01" + b"\xff" * 8 + b"\x00" + DIGEST_INFO + digest
    no_null = bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20" + digest
    sha1 = bytes.fromhex("3021300906052b0e03021a05000414") + digest[:20]
    signature = int(power(good), 16)
    bad = {
        "BB'06: garbage behind a short padding": power(short + b"\x55" * (SIZE - len(short))),
        "garbage before the padding ends": power(good[:20] + b"\x00" + good[21:]),
        "DigestInfo without its NULL": power(padded(no_null)),
        "DigestInfo of SHA-1": power(padded(sha1)),
        "bare digest": power(padded(digest)),
        "block type 0": power(padded(DIGEST_INFO + digest, b"\x00", b"\x00")),
        "block type 2": power(padded(DIGEST_INFO + digest, kind=b"\x02")),
        "parameters other than NULL": power(
            padded(b"\x30\x32\x30\x0e" + DIGEST_INFO[4:15] + b"\x04\x01\x00\x04\x20" + digest)
        ),
        "zero": bytes(SIZE).hex(),
        "one": (1).to_bytes(SIZE, "big").hex(),
        "n": n.to_bytes(SIZE, "big").hex(),
        "n - 1": (n - 1).to_bytes(SIZE, "big").hex(),
        "n - s": (n - signature).to_bytes(SIZE, "big").hex(),
    }
    if signature + n < 1 << SIZE * 8:
        bad["s + n"] = (signature + n).to_bytes(SIZE, "big").hex()
    write(
        "rsa",
        "RFC 8017 section 8.2.2 and 9.2; Bleichenbacher, CRYPTO 2006 rump session",
        modulus=n.to_bytes(SIZE, "big").hex(),
        digest=digest.hex(),
        good=power(good),
        bad=bad,
    )


def cose_vectors(key: rsa.RSAPrivateKey) -> None:
    """One envelope of ours, built by cbor2 and cryptography."""
    modulus = key.public_key().public_numbers().n.to_bytes(SIZE, "big")
    kid = sha(modulus)[:8]
    payload = cbor2.dumps([SITE, DEVICE, bytes(16), 1234], canonical=True)
    protected = cbor2.dumps({1: -257, 4: kid}, canonical=True)
    structure = cbor2.dumps(["Signature1", protected, b"time", payload])
    signature = key.sign(structure, padding.PKCS1v15(), hashes.SHA256())
    write(
        "cose",
        "RFC 9052 sections 4.2 and 4.4, RFC 8812 section 2, docs/protocol.md section 2; "
        "rfc9052: the ES256 example of appendix C.2, whose template is not ours",
        modulus=modulus.hex(),
        kid=kid.hex(),
        aad=b"time".hex(),
        payload=payload.hex(),
        envelope=cbor2.dumps([protected, {}, payload, signature]).hex(),
        rfc9052={
            "protected": "a10126",
            "payload": b"This is the content.".hex(),
            "sig_structure": "846a5369676e61747572653143a101264054546869732069732074686520636f6e"
            "74656e742e",
            "message": "d28443a10126a10442313154546869732069732074686520636f6e74656e742e58408eb3"
            "3e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e2af9a291aa32e14ab834dc"
            "56ed2a223444547e01f11d3b0916e5a4c345cacb36",
        },
    )


def journal_vectors() -> None:
    """Three records, a head, a sector header and a key slot by hashlib and struct alone."""
    k_tool, k_audit = bytes(range(16)), bytes(range(16, 32))
    start = c = sha(b"journal", SITE, DEVICE, b"\x01")
    first = struct.pack(">4sBBHII32s", b"JRN1", 1, 0, 3, 9, 0, c)
    header = first + b"".join(mac(sha(b"\x02", k), b"sector", first)[:8] for k in (k_tool, k_audit))
    records = []
    for seq, event in enumerate((64, 66, 96)):
        clear = bytes(range(seq, seq + 8))
        masked = bytes(a ^ b for a, b in zip(clear, sha(b"\x03", k_tool), strict=False))
        fields = (seq, 3, event, 17, 0x0ABCDEF0, 999, 3, 255, masked, 70000, 0xFFFFFFFF)
        body = struct.pack(">IHBBIHBB8sII", *fields)
        c = sha(c, body)
        tags = b"".join(mac(sha(b"\x02", k), c)[:8] for k in (k_tool, k_audit))
        k_tool, k_audit = sha(b"\x01", k_tool)[:16], sha(b"\x01", k_audit)[:16]
        records.append({"clear_key": clear.hex(), "record": (body + tags).hex(), "c": c.hex()})
    nonce = bytes(range(0x40, 0x50))
    message = b"head" + nonce + b"\x01" + struct.pack(">I", 3) + c + struct.pack(">I", 0)
    slot = struct.pack(">BHIBBIHH32s16s16s", 0xA5, 3, 3, 0, 3, 70000, 2, 1, c, k_tool, k_audit)
    slot += struct.pack(">I", zlib.crc32(slot))[1:]
    write(
        "journal",
        "docs/protocol.md section 5",
        site=SITE.hex(),
        device=DEVICE.hex(),
        ring=1,
        boot=3,
        k_tool=bytes(range(16)).hex(),
        k_audit=bytes(range(16, 32)).hex(),
        start=start.hex(),
        sector_header=header.hex(),
        sector_seq=9,
        records=records,
        nonce=nonce.hex(),
        head_macs=[mac(sha(b"\x02", k), message)[:16].hex() for k in (k_tool, k_audit)],
        key_slot=slot.hex(),
    )


def session_vectors() -> None:
    """Preface, receipts and card key by hmac and cbor2 alone."""
    link_root, peer = bytes(range(32)), bytes(range(0x30, 0x38))
    nonces = bytes(range(0x50, 0x70))
    key = mac(link_root, b"peer", b"\x02", peer)
    covered = DEVICE + peer + nonces
    answer = b"CTL1\x02" + peer + nonces[16:] + mac(key, b"to-controller", covered)[:16]
    verdict = b"CTL1\x01\x07" + mac(key, b"to-peer", covered, b"\x01\x07")[:16]
    fields = [SITE, DEVICE, 1, 3, 70000, sha(b"list"), 12, nonces[:16]]
    body = cbor2.dumps(fields, canonical=True)
    receipt = cbor2.dumps([body, mac(link_root, b"receipt", body)[:16]])
    wiped = cbor2.dumps([SITE, DEVICE, 1, 41, 0x7F, nonces[:16]], canonical=True)
    wipe_receipt = cbor2.dumps([wiped, mac(link_root, b"wipe", wiped)[:16]])
    credential = bytes.fromhex("04a1b2c3")
    write(
        "session",
        "docs/protocol.md sections 3, 4 and 7",
        site=SITE.hex(),
        device=DEVICE.hex(),
        key=link_root.hex(),
        role=2,
        peer=peer.hex(),
        controller_nonce=nonces[:16].hex(),
        peer_nonce=nonces[16:].hex(),
        peer_key=key.hex(),
        answer=answer.hex(),
        verdict=verdict.hex(),
        receipt=receipt.hex(),
        receipt_version=70000,
        wipe_receipt=wipe_receipt.hex(),
        credential=credential.hex(),
        card_key=mac(link_root, b"\x02\x04", credential)[:8].hex(),
    )


def list_vectors() -> None:
    """Lists and their digests, bucket by bucket."""
    lists = []
    for keys in ([], ["0000000000000000"], ["00" * 7 + "01", "0100" * 4, "ff" * 8], None):
        names = keys if keys is not None else [sha(bytes((i,)))[:8].hex() for i in range(100)]
        records = sorted(
            bytes.fromhex(name) + struct.pack(">I", 5)[1:] + b"\xff\xff\xff\x01\x00"
            for name in names
        )
        buckets = (b"".join(r for r in records if r[0] == bucket) for bucket in range(256))
        digest = sha(b"".join(sha(bucket) for bucket in buckets))
        lists.append({"records": b"".join(records).hex(), "digest": digest.hex()})
    write("lists", "docs/protocol.md section 3", lists=lists)


def certificate_vectors() -> None:
    """Certificates as the tool issues them."""
    ca_key, ca = issue_ca("peer CA")
    _, peer = issue_peer_certificate(ca_key, ca, 2)
    _, device = issue_device_certificate(ca_key, ca, DEVICE)
    spki = peer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    write(
        "certificates",
        "RFC 5280 section 4.1, X.690 section 10.1, docs/protocol.md section 8",
        peer=peer.public_bytes(Encoding.DER).hex(),
        role=2,
        peer_id=sha(spki)[:8].hex(),
        device=device.hex(),
        ca=ca.public_bytes(Encoding.DER).hex(),
    )


def trust_vectors() -> None:
    """A first trust object, a successor with other root keys, and successors that must not be."""
    keys = [rsa.generate_private_key(public_exponent=65537, key_size=3072) for _ in range(4)]
    moduli = [k.public_key().public_numbers().n.to_bytes(SIZE, "big") for k in keys]
    kids = [sha(modulus)[:8] for modulus in moduli]

    def signed(payload: bytes, *signers: int) -> str:
        pairs = []
        for i in signers:
            protected = cbor2.dumps({1: -257, 4: kids[i]}, canonical=True)
            structure = cbor2.dumps(["Signature1", protected, b"trust", payload])
            pairs.append([kids[i], keys[i].sign(structure, padding.PKCS1v15(), hashes.SHA256())])
        return cbor2.dumps([payload, pairs]).hex()

    def payload(
        version: int, *roots: int, threshold: int = 1, site: bytes = SITE, epoch: int = 1
    ) -> bytes:
        rows = [[0, threshold, *(moduli[i] for i in roots)], [1, 1, moduli[3]]]
        fields = {1: site, 2: epoch, 3: version, 4: rows, 5: [DEVICE], 6: 9999}
        return cbor2.dumps(fields, canonical=True)

    second = payload(2, 1, 2, threshold=2)
    write(
        "trust",
        "docs/protocol.md section 2",
        site=SITE.hex(),
        revoked=DEVICE.hex(),
        whitelist_modulus=moduli[3].hex(),
        whitelist_kid=kids[3].hex(),
        first=signed(payload(1, 0), 0),
        successor=signed(second, 0, 1, 2),
    )
    # apart from the others: a controller's heap is small
    write(
        "trust_refused",
        "docs/protocol.md section 2",
        refused={
            "its own roots missing": [signed(second, 0), 16],
            "one of two of its own": [signed(second, 0, 1), 16],
            "one of two, twice": [signed(second, 0, 1, 1), 16],
            "the old root missing": [signed(second, 1, 2), 16],
            "signed by a key of another role": [signed(second, 3), 16],
            "same version": [signed(payload(1, 0), 0), 20],
            "other site": [signed(payload(2, 0, site=DEVICE), 0), 19],
            "lower epoch": [signed(payload(2, 0, epoch=0), 0), 22],
        },
    )


def trust_chain_vectors() -> None:
    """What becomes of one site: objects that follow each other, and two that must not."""
    names = ("root", "new root a", "new root b", "old whitelist", "whitelist")
    keys = {name: rsa.generate_private_key(65537, 3072) for name in names}
    moduli = {n: k.public_key().public_numbers().n.to_bytes(SIZE, "big") for n, k in keys.items()}
    kids = {name: sha(modulus)[:8] for name, modulus in moduli.items()}
    old, new, both = ("old whitelist",), ("whitelist",), ("old whitelist", "whitelist")
    roots = ("new root a", "new root b")

    def made(
        version: int, whitelist: tuple[str, ...], *signers: str, epoch: int = 1,
        revoked: tuple[bytes, ...] = (), root: tuple[str, ...] = ("root",),
    ) -> str:  # fmt: skip
        rows = [[0, len(root), *(moduli[n] for n in root)], [1, 1, *(moduli[n] for n in whitelist)]]
        fields = {1: SITE, 2: epoch, 3: version, 4: rows, 5: list(revoked), 6: 9999}
        payload = cbor2.dumps(fields, canonical=True)
        pairs = []
        for name in signers:
            protected = cbor2.dumps({1: -257, 4: kids[name]}, canonical=True)
            structure = cbor2.dumps(["Signature1", protected, b"trust", payload])
            good = keys[name].sign(structure, padding.PKCS1v15(), hashes.SHA256())
            pairs.append([kids[name], good])
        return cbor2.dumps([payload, pairs]).hex()

    write(
        "trust_chain",
        "docs/protocol.md section 2",
        site=SITE.hex(),
        peer=DEVICE.hex(),
        old_kid=kids["old whitelist"].hex(),
        new_kid=kids["whitelist"].hex(),
        first=made(1, old, "root"),
        both=made(2, both, "root"),
        retired=made(3, new, "root"),
        revoked=made(4, new, "root", revoked=(DEVICE,)),
        epoch=made(5, new, "root", revoked=(DEVICE,), epoch=2),
        roots=made(6, new, "root", *roots, revoked=(DEVICE,), epoch=2, root=roots),
        unsigned_by_old=made(6, new, *roots, revoked=(DEVICE,), epoch=2, root=roots),
        one_root_short=made(6, new, "root", roots[0], revoked=(DEVICE,), epoch=2, root=roots),
    )


def fuzz_vectors() -> None:
    """Verdicts on the mutants of the samples above as CPython gives them; findings are kept."""
    from tests.both import parsers_objects, parsers_wire, spoiler  # noqa: PLC0415  read new files

    parsers = {**parsers_objects.PARSERS, **parsers_wire.PARSERS}
    findings = json.loads((HERE / "fuzz.json").read_text(encoding="utf-8"))["findings"]
    checksums = {name: spoiler.checksum(name, parsers) for name in sorted(parsers)}
    write(
        "fuzz",
        "tests/both/check_fuzz_*.py; findings: inputs that once made a parser fail",
        checksums=checksums,
        findings=findings,
    )


def main() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    rsa_vectors(key)
    cose_vectors(rsa.generate_private_key(public_exponent=65537, key_size=3072))
    journal_vectors()
    session_vectors()
    list_vectors()
    certificate_vectors()
    trust_vectors()
    trust_chain_vectors()
    fuzz_vectors()


if __name__ == "__main__":
    main()
