"""A certificate of our own for a server that was given none: self-signed, ECDSA P-256, kept beside the data.

Clients must be told to trust it (``AWS_CA_BUNDLE``, ``verify=``): its fingerprint is printed at every start.
"""

from __future__ import annotations

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kiosk.errors import ConfigurationError
from kiosk.rekognition.server import Certificate

CHAIN, KEY = "rekognition.crt", "rekognition.key"
YEARS = 10


def own_certificate(data: Path, host: str) -> tuple[Certificate, str]:
    """The kept certificate and its SHA-256 fingerprint; made for ``host`` when there is none. Raises OSError."""
    made = Certificate(data / CHAIN, data / KEY)
    if not (made.chain.exists() and made.key.exists()):
        _make(made, host)
    return made, fingerprint(made.chain)


def fingerprint(chain: Path) -> str:
    """SHA-256 of the certificate, as hex digits. Raises ConfigurationError for a file that is none."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    try:
        return x509.load_pem_x509_certificate(chain.read_bytes()).fingerprint(hashes.SHA256()).hex()
    except (OSError, ValueError) as error:
        raise ConfigurationError("is no PEM certificate", where=str(chain)) from error


def _make(place: Certificate, host: str) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kiosk rekognition")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")), *_named(host)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(list(dict.fromkeys(names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    place.key.parent.mkdir(parents=True, exist_ok=True)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # The key first: a certificate without its key is made anew, a key without its certificate too.
    for path, content in ((place.key, secret), (place.chain, certificate.public_bytes(serialization.Encoding.PEM))):
        draft = path.with_suffix(path.suffix + ".new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


def _named(host: str) -> list[Any]:
    from cryptography import x509

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return [x509.DNSName(host)]
    return [] if address.is_unspecified else [x509.IPAddress(address)]
