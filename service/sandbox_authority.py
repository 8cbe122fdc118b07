"""The sandbox's own certificate authority: made at first use below `.data/secrets`, mode 0600."""

from datetime import datetime
from pathlib import Path

from core.settings import TLS_AUTHORITY
from service.errors import CommandError
from service.secret_files import write_private
from service.tls_certificates import Identified, make_authority

KEY = "tls_authority_key.pem"


def sandbox_authority(folder: Path, now: datetime) -> Identified:
    """Reads or makes it. Raises CommandError when the files are not what this wrote."""
    certificate, key = folder / TLS_AUTHORITY, folder / KEY
    if not certificate.exists():
        made = make_authority("Dinh Danh sandbox authority", now)
        write_private(key, made.key_pem)
        write_private(certificate, made.certificate_pem)
    try:
        return Identified.from_pem(certificate.read_text("ascii"), key.read_text("ascii"))
    except (OSError, ValueError):
        raise CommandError(f"{TLS_AUTHORITY} and {KEY} do not belong together: remove both") from None
