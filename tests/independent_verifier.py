"""Judges an evidence bundle by docs/bundle.md alone, and shares no code with the tool (any host).

python independent_verifier.py BUNDLE [--audit-key KEY.pem] [--peer-ca CA.pem]"""

import hmac
import io
import json
import sys
from hashlib import sha256

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

ROLES = ["", "installer", "desk", "technician", "auditor", "hub"]
SIZES = {"records": 48, "heads": 96, "sectors": 64, "conflicts": 48}


def need(good, what, number=None):
    if not good:
        raise ValueError(what, number)


def pieces(data, size):
    return [data[at : at + size] for at in range(0, len(data) - size + 1, size)]


def verify_rsa(modulus, protected, aad, payload, signature):
    key = rsa.RSAPublicNumbers(65537, int.from_bytes(modulus)).public_key()
    signed = cbor2.dumps(["Signature1", protected, aad, payload])
    key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())


def check_maker(files, said, ca):
    cose = files["manifest.cose"]
    need(cbor2.dumps(sign1 := cbor2.loads(cose)) == cose, "signature")
    protected, unprotected, payload, raw = sign1.value
    maker = x509.load_der_x509_certificate(files["maker.der"])
    spki = maker.public_key().public_bytes(pem.Encoding.DER, pem.PublicFormat.SubjectPublicKeyInfo)
    peer, oid = sha256(spki).digest()[:8], x509.ObjectIdentifier("1.3.6.1.4.1.59999.7443.1")
    identity = bytes((4, 9, ROLES.index(said["role"]))) + bytes.fromhex(said["peer"])
    need(identity == maker.extensions.get_extension_for_oid(oid).value.value, "maker")
    need((cbor2.loads(protected), unprotected, payload) == ({1: -7, 4: peer}, {}, None), "maker")
    signature = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    signed = cbor2.dumps(["Signature1", protected, b"journal-bundle", files["manifest.json"]])
    maker.public_key().verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    if ca or "peer-ca.der" in files:
        maker.verify_directly_issued_by(ca or x509.load_der_x509_certificate(files["peer-ca.der"]))


def checkpoint_keys(data):
    payload, signatures = cbor2.loads(data)
    need(cbor2.dumps([payload, signatures]) == data, "trust")
    rows, good = {row[0]: row[1:] for row in cbor2.loads(payload)[4]}, set()
    roots = {sha256(key).digest()[:8]: key for key in rows[0][1:]}
    for kid, signature in [each for each in signatures if each[0] in roots]:
        verify_rsa(roots[kid], cbor2.dumps({1: -257, 4: kid}), b"trust", payload, signature)
        good.add(kid)
    need(len(good) >= rows[0][0], "trust")
    return {sha256(key).digest()[:8]: key for key in rows[4][1:]}


def check_controller(files, at, keys, site, *audit):
    certificate = x509.load_der_x509_certificate(files[f"{at['id']}/device.der"])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    need(names.get_values_for_type(x509.DNSName) == [f"{at['id']}.controller"], "certificate")
    data, ids = files.get(f"{at['id']}/checkpoints.cbor", b""), [site, bytes.fromhex(at["id"])]
    stream, signed = io.BytesIO(data), []
    while stream.tell() < len(data):
        protected, _, payload, signature = cbor2.load(stream).value
        verify_rsa(keys[cbor2.loads(protected)[4]], protected, b"checkpoint", payload, signature)
        need(cbor2.loads(payload)[:2] == ids, "checkpoint")
        signed.append(cbor2.loads(payload)[2:])
    for number, name in enumerate(("access", "alarm")):
        start = sha256(b"journal" + b"".join(ids) + bytes([number])).digest()
        stated = [each[2 * number : 2 * number + 2] for each in signed]
        kinds, where = (*SIZES, "audit-key", "tool-t"), f"{at['id']}/{name}"
        read = {kind: files.get(f"{where}/{kind}.bin", b"") for kind in kinds}
        yield name, (read, at["rings"][name], bytes([number]), start, stated, *audit)


def check_ring(read, said, ring, c, stated, audit, left):
    cut = {k: pieces(read[k], size) for k, size in SIZES.items()}
    need([len(read[k]) / size for k, size in SIZES.items()] == [said[k] for k in SIZES], "counts")
    heads = [(h[:16], h[16:20], h[20:52], h[52:56], h[60:76], h[76:92]) for h in cut["heads"]]
    newest = [{"next_seq": int.from_bytes(h[1]), "chain": h[2].hex()} for h in heads]
    need(newest[-1:] == [said["head"]], "newest head")
    need(sum(max(b - a, 0) + 1 for a, b in said["ranges"]) == said["records"], "ranges")
    numbers = [n for first, last in said["ranges"] for n in range(first, last + 1)]
    own, last = dict(zip(numbers, cut["records"], strict=True)), max(numbers, default=-1)
    need(numbers == sorted(own) and min(numbers, default=0) >= 0 and last <= 2**26, "ranges")
    for n, record in own.items():
        need(int.from_bytes(record[:4]) == n, "moved", n)
    need(not cut["conflicts"], "conflicting", int.from_bytes(read["conflicts"][:4]))
    near = [int.from_bytes(at) for at in [h[1] for h in heads] + [s[12:16] for s in cut["sectors"]]]
    tool, audit_ts = dict(zip(numbers, pieces(read["tool-t"], 32), strict=False)), {}
    if audit and read["audit-key"]:
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        k, wanted = audit.decrypt(read["audit-key"], oaep), {*own, *near}
        top = max([last, *(n for n in near if n <= last + 2**20)])
        need(top - len(own) <= left[0], "too far", last)
        left[0] -= max(top - len(own), 0)
        for n in range(top + 1):
            audit_ts.update({n: sha256(b"\2" + k).digest()} if n in wanted else {})
            k = sha256(b"\1" + k).digest()[:16]

    def right(n, text, tags):
        ts = enumerate((tool.get(n), audit_ts.get(n)))
        return [hmac.digest(t, text, "sha256").startswith(tags[i]) for i, t in ts if t]

    end, points, oldest = 0, {n: set() for n, _ in stated}, {}
    for nonce, at, value, since, *macs in heads:
        n, text = int.from_bytes(at), b"head" + nonce + ring + at + value + since
        need(n <= last + 2**20 and all(fits := right(n, text, macs)), "false head", n)
        need(n >= end, "rolled back", n)
        first = max(oldest.get((n, value), 0), int.from_bytes(since))
        oldest.update({(n, value): first} if fits else {})
        points.setdefault(end := n, set()).add(value)
    for header in cut["sectors"]:
        n, good = int.from_bytes(header[12:16]), header.startswith(b"JRN1" + ring + b"\0")
        fits = right(n, b"sector" + header[:48], [header[48:56], header[56:]])
        need(good and n <= last + 2**20 and all(fits), "sector header", n)
        points.setdefault(n, set()).update([header[16:48]] if fits else [])
    gaps, stays, at = [], 0, 0
    for n in sorted({*own, *points}):
        if n > at:
            need(at <= last, "truncated", at)
            gaps.append((at, n))
            c = None
        at, c = n + (n in own), c or min(points.get(n, ()), default=None)
        here = {*points.get(n, ()), *(value for at, value in stated if at == n)}
        need(not c or here <= {c}, "forged or forked", n - 1)
        if n not in own:
            continue
        need(c and right(n, b"", [b"", b""]), "not proven")
        c = sha256(c + own[n][:32]).digest()
        need(all(right(n, c, [own[n][32:40], own[n][40:]])), "changed", n)
        stays = max(stays, min(n, int.from_bytes(own[n][28:32]))) if own[n][6] == 11 else stays
    for first, after in gaps:
        need(after <= min(stays, end - said["long"]), "deleted", after - 1)
        for each in [each for each in map(tuple, stated) if each in oldest]:
            held = max(first, oldest[each]) < min(after, each[0])
            need(not held, "deleted", max(first, oldest[each]))


def judge(files, audit, ca):
    """[controller/ring, what, record number] of the first fault of each."""
    said, faults, left = json.loads(files["manifest.json"]), [], [2**25]

    def attempt(place, work, *given):
        try:
            return work(*given)
        except Exception as error:  # whatever a damaged file makes of the libraries
            faults.append([place, *(error.args if len(error.args) == 2 else (repr(error), None))])

    attempt("", check_maker, files, said["maker"], ca)
    rest = {n: data for n, data in files.items() if n not in ("manifest.json", "manifest.cose")}
    hashed = {n: {"sha256": sha256(d).hexdigest(), "size": len(d)} for n, d in rest.items()}
    attempt("", need, hashed == said["files"], "files")
    attempt("", need, said["controllers"], "empty")
    keys = attempt("", checkpoint_keys, files.get("trust.cbor", b"")) or {}
    for at in said["controllers"]:
        given = files, at, keys, bytes.fromhex(said["site"]), audit, left
        for name, ring in attempt(at["id"], lambda g: [*check_controller(*g)], given) or ():
            attempt(f"{at['id']}/{name}", check_ring, *ring)
    return faults


if __name__ == "__main__":
    import independent_arguments

    result = judge(*independent_arguments.read(sys.argv[1:]))
    print(json.dumps({"ok": not result, "faults": result}, indent=2))
    sys.exit(bool(result))
