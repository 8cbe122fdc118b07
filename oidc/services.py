"""GET /me/services: the services a person signed in to, and the way back to each.

Where a service registered an `initiate_login_uri`, the link starts the sign-in from here (Third-Party Initiated Login,
OpenID Connect Core §4): it carries `iss` and nothing about the person, who is asked at the end as on any other way.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from sqlalchemy import Integer, Uuid, bindparam, text
from starlette.requests import Request
from starlette.responses import Response

from core.database import Database, Query, Tx
from core.errors import SignInNeeded
from core.web.locale import request_locale
from core.web.pages import Pages
from identity.api import Identity

PATH = "/me/services"
MAX_SERVICES = 100

_USED = Query(
    text(
        """
        SELECT c.name_vi, c.name_en, c.agency_code, used.last_at,
            c.options ->> 'initiate_login_uri' AS start_uri, c.details ->> 'client_uri' AS home_uri
        FROM (
            SELECT client_id, max(granted_at) AS last_at
            FROM oidc.grants
            WHERE person_id = :person_id AND (code_used_at IS NOT NULL OR kind <> 'code')
            GROUP BY client_id
        ) used JOIN oidc.clients c ON c.client_id = used.client_id
        WHERE c.state = 'active'
        ORDER BY used.last_at DESC, c.client_id
        LIMIT :most
        """
    ).bindparams(bindparam("person_id", type_=Uuid), bindparam("most", type_=Integer))
)


@dataclass(frozen=True, slots=True)
class UsedService:
    """A service as the page shows it. start: signs in there when followed. home: its own page, else."""

    name: str
    agency: str
    last_at: datetime
    start: str | None
    home: str | None


@dataclass(frozen=True, slots=True)
class ServicesPage:
    """The page; one per process."""

    issuer: str
    identity: Identity
    pages: Pages
    database: Database

    async def get(self, request: Request) -> Response:
        """The holder's own. Raises SignInNeeded."""
        actor = await self.identity.actor(request)
        if actor.person_id is None:
            raise SignInNeeded
        locale = request_locale(request)
        async with self.database.raw_read() as tx:
            used = await self._used(tx, actor.person_id, locale)
        return self.pages.render(request, "oidc/services.html", services=used)

    async def _used(self, tx: Tx, person_id: uuid.UUID, locale: str) -> Sequence[UsedService]:
        rows = await tx.rows(_USED, person_id=person_id, most=MAX_SERVICES)
        agencies = await self.identity.agency_names(tx, locale)
        return [
            UsedService(
                name=row["name_en"] if locale == "en" else row["name_vi"],
                agency=agencies.get(row["agency_code"]) or str(row["agency_code"]),
                last_at=row["last_at"],
                start=initiated_login(row["start_uri"], self.issuer) if row["start_uri"] else None,
                home=row["home_uri"],
            )
            for row in rows
        ]


def initiated_login(initiate_login_uri: str, issuer: str, *, target_link_uri: str | None = None) -> str:
    """The address that makes a service start a sign-in with us. target_link_uri: own page of the service to end at."""
    told = {"iss": issuer} | ({} if target_link_uri is None else {"target_link_uri": target_link_uri})
    separator = "&" if urlsplit(initiate_login_uri).query else "?"
    return f"{initiate_login_uri}{separator}{urlencode(told)}"
