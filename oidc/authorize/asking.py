"""An authorization request while it is being checked: what came, and what the checks have established."""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from consent.api import Policy
from core.record import record
from oidc.acr import AcrAsk
from oidc.authorization_details import LookupDetail
from oidc.claims_parameter import NOTHING, ClaimsAsk
from oidc.client_keys import ClientKeys
from oidc.clients import Client, Clients
from oidc.pushed import PushedRequests
from oidc.signing_keys import SigningKeys

Endpoint = Literal["authorize", "par", "ciba", "device"]
PolicyOf = Callable[[uuid.UUID, str], Awaitable[Policy | None]]
"""The policy in force of an agency for a purpose."""


@record
class Target:
    """Where the answer goes: a registered address of a client. Exists only after the redirect address was checked."""

    client: Client
    redirect_uri: str
    response_mode: str = "query"
    state: str | None = None


@dataclass(slots=True)
class Asking:
    """One request. `params` are the client's words; everything below is set by the check that proved it.

    pushed_uri: the `request_uri` it came by. signed: whether the parameters are those of a request object that
    was verified. proof_jkt: the key of a DPoP proof that came with it. scopes, resources, authorization_details:
    what is asked until the person has answered, then what is granted. client_keys, policy_of: rooms of the
    endpoints that take request objects and authorization_details; without them neither is taken. claims_kept: what
    of the `claims` parameter the grant keeps (JSON). hint_subject: the `sub` that must be the one to sign in.
    """

    endpoint: Endpoint
    params: dict[str, str]
    issuer: str
    now: datetime
    clients: Clients
    pushed: PushedRequests
    keys: SigningKeys
    known_client: Client | None = None
    client_keys: ClientKeys | None = None
    policy_of: PolicyOf | None = None
    pushed_uri: str | None = None
    signed: bool = False
    proof_jkt: str | None = None
    target: Target | None = None
    scopes: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    authorization_details: tuple[LookupDetail, ...] = ()
    code_challenge: str | None = None
    nonce: str | None = None
    prompts: frozenset[str] = frozenset()
    max_age_seconds: int | None = None
    claims: ClaimsAsk = NOTHING
    claims_kept: Mapping[str, Any] = field(default_factory=dict)
    acr: AcrAsk = field(default_factory=AcrAsk)
    hint_subject: str | None = None
    locale: str | None = None
    dpop_jkt: str | None = None

    def to_keep(self) -> dict[str, Any]:
        """What the cache holds of a checked request until its next step; `again` reads it back."""
        return {
            "params": self.params,
            "pushed_uri": self.pushed_uri,
            "signed": self.signed,
            "hint_subject": self.hint_subject,
        }

    def again(self, kept: Mapping[str, Any]) -> None:
        """Takes up what was kept of it; the checks are to be run once more."""
        self.params = dict(kept["params"])
        self.pushed_uri = kept.get("pushed_uri")
        self.signed = kept.get("signed", False)
        self.hint_subject = kept.get("hint_subject")

    @property
    def client(self) -> Client:
        """The client, after it was found. Raises LookupError before (a fault in the table's order)."""
        if self.known_client is None:
            raise LookupError("the client has not been checked yet")
        return self.known_client

    @property
    def answer_to(self) -> Target:
        """The target, after it was checked. Raises LookupError before."""
        if self.target is None:
            raise LookupError("the redirect address has not been checked yet")
        return self.target

    @property
    def silent(self) -> bool:
        """prompt=none: no page may be shown."""
        return "none" in self.prompts

    @property
    def forces_sign_in(self) -> bool:
        """Whether a session that exists already does not count."""
        return bool(self.prompts & {"login", "select_account"}) or self.max_age_seconds == 0
