"""Certificates of controllers and peers, docs/protocol.md section 8 (host).

Validity is 2000-01-01 to 9999-12-31: a controller whose clock was never set reads the year 2000.
"""

import warnings
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from controller_tool.keys.files import new_ec_key, peer_id

PEER_IDENTITY_OID = ObjectIdentifier("1.3.6.1.4.1.59999.7443.1")
NOT_BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
NOT_AFTER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_OCTET_STRING = 0x04
# what the library raises for bytes that are no certificate, or one that it cannot read
NO_CERTIFICATE = (
    ValueError, TypeError, OverflowError, UnsupportedAlgorithm, x509.InvalidVersion,
    x509.UnsupportedGeneralNameType, x509.ExtensionNotFound, x509.DuplicateExtension,
)  # fmt: skip


def from_strangers(der: bytes) -> x509.Certificate:
    """A certificate that anybody may have made; one of NO_CERTIFICATE for what is none.

    What the library would only warn of, on the terminal of whoever reads it, is none either.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        try:
            return x509.load_der_x509_certificate(der)
        except CryptographyDeprecationWarning as warning:
            raise ValueError("certificate") from warning


def device_host_name(device_id: bytes) -> str:
    """Name in the certificate of a controller, whatever its address is."""
    return f"{device_id.hex()}.controller"


def issue_ca(common_name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A new P-256 CA that may sign leaf certificates only."""
    key = new_ec_key()
    builder = _builder(common_name, common_name, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(ca=True), critical=True)
    return key, builder.sign(key, hashes.SHA256())


def issue_device_certificate(
    ca_key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, device_id: bytes
) -> tuple[bytes, bytes]:
    """Key and certificate of a controller, both DER (the key as plain SEC1)."""
    key = new_ec_key()
    name = device_host_name(device_id)
    builder = _leaf(name, ca, key.public_key(), ExtendedKeyUsageOID.SERVER_AUTH)
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False
    )
    certificate = builder.sign(ca_key, hashes.SHA256())
    key_der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return key_der, certificate_der(certificate)


def issue_peer_certificate(
    ca_key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, role: int
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Key and certificate of a peer in ``role`` (protocol.roles); its id follows from the key."""
    key = new_ec_key()
    identity = peer_id(key.public_key())
    value = bytes((role,)) + identity
    builder = _leaf(f"peer {identity.hex()}", ca, key.public_key(), ExtendedKeyUsageOID.CLIENT_AUTH)
    builder = builder.add_extension(
        x509.UnrecognizedExtension(PEER_IDENTITY_OID, bytes((_OCTET_STRING, len(value))) + value),
        critical=False,
    )
    return key, builder.sign(ca_key, hashes.SHA256())


def certificate_der(certificate: x509.Certificate) -> bytes:
    """DER bytes of a certificate."""
    return certificate.public_bytes(serialization.Encoding.DER)


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """PEM bytes of a certificate."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def _leaf(
    name: str, ca: x509.Certificate, public_key: ec.EllipticCurvePublicKey, usage: ObjectIdentifier
) -> x509.CertificateBuilder:
    issuer = ca.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    builder = _builder(name, str(issuer), public_key)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(_key_usage(ca=False), critical=True)
    return builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)


def _builder(
    subject: str, issuer: str, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
