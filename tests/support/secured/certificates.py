"""Certificates of the tests: an authority, and what it signs, as PEM files that Kafka and Python both read."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key: each in a file of its own, and both in one, as Kafka wants its key store."""

    certfile: Path
    keyfile: Path
    store: Path


class Authority:
    """A certificate authority that nobody else trusts.

    Args:
        home: Folder of its files.
        name: Names the authority.
    """

    def __init__(self, home: Path, name: str) -> None:
        self._home = home / name
        self._home.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        self._certificate = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.cafile = self._home / "ca.pem"
        self.cafile.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def sign(self, name: str, *, password: str = "", names: tuple[str, ...] = ("localhost",)) -> Pair:
        """Return a certificate for 127.0.0.1 and ``names`` whose common name is ``name``, for server and client."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        addresses = [x509.IPAddress(ip_address("127.0.0.1"))] if "localhost" in names else []
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = (
            self._builder(subject, key.public_key())
            .add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, names), *addresses]), critical=False)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        return self._write(name, pem, key, password)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + _LIFE)
        )

    def _write(self, name: str, pem: bytes, key: ec.EllipticCurvePrivateKey, password: str) -> Pair:
        encryption = (
            serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        )
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        pair = Pair(self._home / f"{name}.pem", self._home / f"{name}.key", self._home / f"{name}.store.pem")
        pair.certfile.write_bytes(pem)
        pair.keyfile.write_bytes(private)
        pair.store.write_bytes(private + pem)
        return pair
