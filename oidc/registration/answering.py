"""The answer that holds a registration (RFC 7591 §3.2.1, RFC 7592 §3). Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from oidc.registration.as_metadata import as_metadata

PATH = "/register"


def client_information(
    row: Mapping[str, Any], *, issuer: str, registration_token: str, secret: str | None = None
) -> dict[str, Any]:
    """row: the client's row as it is now. secret: only when it was just made, since we keep its hash alone."""
    told: dict[str, Any] = {
        "client_id": row["client_id"],
        "client_id_issued_at": _seconds(row["created_at"]),
        "registration_access_token": registration_token,
        "registration_client_uri": f"{issuer}{PATH}/{row['client_id']}",
    }
    if row["secret_hash"] is not None:
        told["client_secret_expires_at"] = _seconds(row["secret_expires_at"])
    if secret is not None:
        told["client_secret"] = secret
    return {**as_metadata(row), **told}


def _seconds(at: datetime | None) -> int:
    """Epoch seconds; 0 for never."""
    return 0 if at is None else int(at.timestamp())
