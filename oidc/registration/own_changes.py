"""What a client may change of itself (RFC 7592 §2.2) when two people stand behind what it is. Pure.

A registration token lies in a program's configuration. Whoever finds it must not undo a review: addresses, scopes,
grant types and ways to authenticate are the agency's, keys and contacts the client's own.
"""

from collections.abc import Mapping
from typing import Any

from oidc.errors import OAuthError
from oidc.registration.as_metadata import as_metadata
from oidc.registration.check import CheckedMetadata
from oidc.registration.register import row_values

OWN = frozenset({"jwks", "jwks_uri", "contacts", "software_statement"})
"""A fresh software statement may say what the last one said; what it says otherwise counts as that member."""


def refuse_unseen(row: Mapping[str, Any], checked: CheckedMetadata, issuer: str) -> None:
    """Raises OAuthError access_denied with 403 that names what has to be proposed, and where.

    RFC 7592 §2.2 knows no change that waits, and 403 for what a client may not change: nothing is kept of the request.
    """
    before, then = as_metadata(row), as_metadata({**row, **row_values(checked)})
    unseen = [name for name in {**before, **then} if name not in OWN and before.get(name) != then.get(name)]
    if unseen:
        where = f"{issuer}/official/clients/{row['client_id']}/change"
        raise OAuthError(
            "access_denied",
            f"Two people of the agency stand behind {', '.join(unseen)}. Propose the change at {where}",
            status=403,
        )
