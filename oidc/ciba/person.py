"""Whom a hint means, without telling who asks whether there is such a person.

A personal number that nobody has, or that may not be signed in with, is answered like any other: the request is
written for a person that does not exist, waits, and expires. That person is derived from the number by a key, so that
asking twice looks the same as well. `unknown_user_id` is for hints that cannot mean anybody, whatever the registry
holds. The number itself is looked at here and forgotten.
"""

import re
import uuid
from dataclasses import dataclass

from core.database import Tx
from oidc.ciba.asked import Hint
from oidc.ciba.subjects import person_behind
from oidc.clients import Client
from oidc.errors import OAuthError, invalid_request
from oidc.id_token_hint import HintRefused, read_hint
from oidc.signing_keys import SigningKeys
from population_db.api import Registry
from privacy.vault.api import Vault

_NOBODY = "ciba nobody"
_TWELVE_DIGITS = re.compile(r"[0-9]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class People:
    """Finds them."""

    issuer: str
    registry: Registry
    vault: Vault
    keys: SigningKeys

    async def meant_by(self, tx: Tx, hint: Hint, client: Client) -> uuid.UUID:
        """The person, or one that does not exist. Raises OAuthError."""
        if hint.kind == "id_token_hint":
            return await self._by_subject(tx, hint.value, client)
        digits = re.sub(r"[\s.]", "", hint.value)
        if _TWELVE_DIGITS.fullmatch(digits) is None:
            raise OAuthError("unknown_user_id", "login_hint must be a personal identification number of 12 digits.")
        nobody = uuid.UUID(bytes=self.vault.blind(_NOBODY, digits).mac[:16])
        found = await self.registry.find_by_number(tx, digits)
        may_sign_in = found is not None and found.status == "alive" and found.is_current_number
        return found.person_id if found is not None and may_sign_in else nobody

    async def _by_subject(self, tx: Tx, raw: str, client: Client) -> uuid.UUID:
        """An id_token that this client got from us; it may have expired."""
        try:
            told = read_hint(raw, self.keys, issuer=self.issuer)
        except HintRefused:
            raise invalid_request("id_token_hint is not an id_token of ours.") from None
        if told.client_id != client.client_id:
            raise invalid_request("id_token_hint was issued to another client.")
        person_id = await person_behind(tx, told.subject)
        if person_id is None:
            raise OAuthError("unknown_user_id", "The id_token is from before this client could ask in this way.")
        return person_id
