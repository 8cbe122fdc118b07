"""When keys of a client end by what stands in them: `exp`, and the certificate beside a key. Pure."""

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from core.client_certificate import CertificateUnreadable, read_der

MAX_NAME = 80

KeyEnd = tuple[str, str, datetime]
"""What ends (`key` or `certificate`), the name of the key, when."""


def ends_of_key(key: Mapping[str, Any]) -> Iterator[KeyEnd]:
    """key: a JWK as its owner wrote it; what cannot be read in it ends nothing."""
    name = str(key.get("kid") or key.get("kty") or "")[:MAX_NAME]
    expires = key.get("exp")
    if isinstance(expires, int | float) and (at := instant(expires)) is not None:
        yield "key", name, at
    chain = key.get("x5c")
    if isinstance(chain, list) and chain and isinstance(chain[0], str):
        # The first certificate is the key's own (RFC 7517 §4.7).
        ends = _certificate_end(chain[0])
        if ends is not None:
            yield "certificate", name, ends


def instant(seconds: float) -> datetime | None:
    """Epoch seconds; None for what is no time that can be told."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _certificate_end(encoded: str) -> datetime | None:
    """None for what is no certificate: a client writes there what it likes, and the page is shown all the same."""
    try:
        return read_der(base64.b64decode(encoded, validate=True)).not_valid_after_utc
    except (ValueError, CertificateUnreadable):
        return None
