"""A certificate of our own for a server that was given none: self-signed, ECDSA P-256, kept beside the data.

Clients must be told to trust it (``AWS_CA_BUNDLE``, ``verify=``): its fingerprint is printed at every start.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kiosk.errors import ConfigurationError
from kiosk.rekognition.server import Certificate

CHAIN, KEY = "rekognition.crt", "rekognition.key"
YEARS = 10


def own_certificate(data: Path, host: str, names: Sequence[str] = ()) -> tuple[Certificate, str]:
    """The kept certificate and its SHA-256 fingerprint; made for ``host`` and ``names`` when there is none.

    Raises OSError; ConfigurationError for a kept one that is not for these: clients trust it, so it stays.
    """
    made = Certificate(data / CHAIN, data / KEY)
    wanted = _wanted(host, names)
    if not (made.chain.exists() and made.key.exists()):
        _make(made, wanted)
    missing = [str(one.value) for one in wanted if one not in _names_of(made.chain)]
    if missing:
        mend = "name that with --listen or --tls-name as before, or remove both files to have it made anew"
        raise ConfigurationError(f"is not for {', '.join(missing)}", where=f"{made.chain}, {KEY}", mend=mend)
    return made, fingerprint(made.chain)


def fingerprint(chain: Path) -> str:
    """SHA-256 of the certificate, as hex digits. Raises ConfigurationError for a file that is none."""
    from cryptography.hazmat.primitives import hashes

    return str(_loaded(chain).fingerprint(hashes.SHA256()).hex())


def _loaded(chain: Path) -> Any:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(chain.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError("is no PEM certificate", where=str(chain)) from error


def _names_of(chain: Path) -> list[Any]:
    from cryptography import x509

    return list(_loaded(chain).extensions.get_extension_for_class(x509.SubjectAlternativeName).value)


def _make(place: Certificate, names: Sequence[Any]) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kiosk rekognition")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
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


def _wanted(host: str, names: Sequence[str]) -> list[Any]:
    """What clients may call the server: the loopback, where it listens, this machine's name, and ``names``."""
    from cryptography import x509

    found: list[Any] = []
    for name in ("localhost", "127.0.0.1", host, socket.gethostname(), *names):
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            found.append(x509.DNSName(name))
        else:
            if not address.is_unspecified:
                found.append(x509.IPAddress(address))
    return list(dict.fromkeys(found))
