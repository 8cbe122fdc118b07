"""The act of registering a client, and of suspending one; both with their line in the journal."""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from core.clock import Clock
from core.database import Query, Tx
from core.errors import Conflict, NotFound
from oidc import standing_grants
from oidc.client_secrets import hash_secret, new_secret
from oidc.errors import OAuthError
from oidc.grants import CHANNEL
from oidc.registration.check import check_metadata, profile_named
from oidc.tables import ClientRow
from privacy.journal.api import ActorRef, Journal, Line

DEFAULT_PURPOSE = "sign-in"
"""The purpose that standard scopes count under, unless the client has another."""

_C: Any = ClientRow.__table__.c  # type: ignore[attr-defined]
_INSERT = Query(insert(ClientRow).values({column.name: bindparam(column.name, type_=column.type) for column in _C}))
_EXISTS = Query(select(_C.client_id).where(_C.client_id == bindparam("client_id")))
_SET_STATE = Query(
    update(ClientRow)
    .where(_C.client_id == bindparam("of_client"))
    .values(state=bindparam("state"), changed_at=bindparam("now", type_=_C.changed_at.type))
    .returning(_C.agency_code)
)
_NOTIFY = Query(select(func.pg_notify(CHANNEL, bindparam("payload"))))


@dataclass(frozen=True, slots=True)
class Registered:
    """A new client. secret: shown this once; None for clients with a key or without authentication."""

    client_id: str
    secret: str | None

    def __repr__(self) -> str:
        return f"Registered({self.client_id!r})"


@dataclass(frozen=True, slots=True)
class Registrar:
    """Registers clients. sandbox: whether plain http to the loopback host may be registered."""

    journal: Journal
    clock: Clock
    server_metadata: Mapping[str, Any]
    sandbox: bool

    async def register(
        self,
        tx: Tx,
        metadata: Mapping[str, Any],
        *,
        agency_id: uuid.UUID,
        agency_code: str,
        by: ActorRef,
        profile: str = "fapi2",
        purpose: str = DEFAULT_PURPOSE,
        audiences: Sequence[str] = (),
        sector: str | None = None,
        client_id: str | None = None,
    ) -> Registered:
        """Checks, stores, journals. Raises OAuthError (RFC 7591 §3.2.2), Conflict `client-exists`.

        metadata: as in RFC 7591 and OpenID Connect Registration. audiences: resource identifiers that the
        client serves and may introspect tokens for. sector: needed when the redirect addresses have several
        hosts; without any it is the agency's. client_id: given by us only; otherwise made up.
        """
        checked = check_metadata(metadata, profile_named(profile), self.server_metadata, sandbox=self.sandbox)
        sector = sector or checked.sector or (None if checked.redirect_uris else f"agency:{agency_code}")
        if sector is None:
            raise OAuthError("invalid_client_metadata", "redirect_uris with several hosts need a sector.")
        client_id = client_id or f"c-{secrets.token_urlsafe(12)}"
        if await tx.row(_EXISTS, client_id=client_id) is not None:
            raise Conflict("client-exists", "There is a client with this identifier already.")
        secret = new_secret() if checked.auth_method.startswith("client_secret_") else None
        now = self.clock.now()
        values = {name: getattr(checked, name) for name in checked.__slots__ if name != "sector"}
        lists = {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
        values["options"] = checked.options.to_json()
        await tx.run(
            _INSERT,
            **{**values, **lists},
            client_id=client_id,
            agency_id=agency_id,
            agency_code=agency_code,
            profile=profile,
            state="active",
            secret_hash=None if secret is None else hash_secret(secret),
            audiences=list(audiences),
            sector=sector,
            purpose=purpose,
            created_at=now,
            changed_at=now,
        )
        if "client_credentials" in checked.grant_types:
            await standing_grants.create(tx, client_id, now)
        await self._journal(tx, "oidc.client-registered", client_id, agency_code, by, profile=profile)
        return Registered(client_id, secret)

    async def set_state(self, tx: Tx, client_id: str, state: str, *, by: ActorRef) -> None:
        """Suspends ("suspended") or reinstates ("active") a client; its tokens are refused within a second.

        Raises NotFound `client-unknown`.
        """
        row = await tx.row(_SET_STATE, of_client=client_id, state=state, now=self.clock.now())
        if row is None:
            raise NotFound("client-unknown", "There is no such client.")
        await tx.rows(_NOTIFY, payload=f"client:{client_id}")
        await self._journal(tx, f"oidc.client-{state}", client_id, row["agency_code"], by)

    async def _journal(
        self, tx: Tx, action: str, client_id: str, agency_code: str, by: ActorRef, **details: str
    ) -> None:
        line = Line(
            kind="act",
            action=action,
            subject=None,
            actor=by,
            agency=agency_code,
            details={"client": client_id, **details},
        )
        await self.journal.write(tx, line)
