"""The person's side of CIBA: what waits for him, one request, his answer. Refusing is as easy as allowing."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.clock import Clock
from core.database import Tx
from core.errors import NotFound
from core.interaction import Interaction, Interactions
from core.runtime import part
from core.web.forms import read_form, strict_query
from core.web.locale import request_locale
from core.web.pages import Pages
from identity.api import Identity
from oidc.asked_elsewhere import AskedElsewhere, AskedPage
from oidc.authorize.asking import Asking
from oidc.authorize.walk import Walk
from oidc.ciba import requests
from oidc.ciba.asked import check_binding_message
from oidc.ciba.ending import RESUME_PATH, CibaEnding, page_of
from oidc.ciba.requests import CibaRequest, CibaRequests
from oidc.errors import OAuthError
from oidc.registration.check_options import CIBA
from privacy.pseudonyms.api import Pseudonyms

LIST_PATH = "/me/requests"


@dataclass(frozen=True, slots=True)
class WaitingView:
    """One request on the page. message: what the desk shows as well."""

    url: str
    asked: AskedPage
    message: str
    requested_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CibaPages:
    """The pages; one per process."""

    asked: AskedElsewhere
    requests: CibaRequests
    interactions: Interactions
    walk: Walk
    pseudonyms: Pseudonyms
    clock: Clock

    async def waiting_count(self, tx: Tx, person_id: uuid.UUID) -> int:
        """How many requests wait for a person."""
        return await requests.count_waiting(tx, person_id, now=self.clock.now())

    async def listed(self, request: Request) -> Response:
        """GET /me/requests."""
        person_id = await _person(request)
        async with self.asked.database.raw_read() as tx:
            waiting = await self.requests.waiting(tx, person_id, now=self.clock.now())
        views = [view for one in waiting if (view := await self._view(request, one)) is not None]
        return part(request, Pages).render(request, "oidc/requests.html", waiting=views)

    async def shown(self, request: Request) -> Response:
        """GET /me/requests/{reference}: the question, or how it ended. Raises NotFound for another's."""
        one = await self._own(request)
        view = await self._view(request, one) if one.is_waiting(self.clock.now()) else None
        if view is None:
            return _ended(request, _outcome(one))
        return part(request, Pages).render(request, "oidc/request.html", view=view)

    async def answered(self, request: Request) -> Response:
        """POST /me/requests/{reference}: refused at once, or onward to sign-in and consent as far as needed."""
        form = await read_form(request, {"decision": 10})
        one = await self._own(request)
        if not one.is_waiting(self.clock.now()):
            return _see(page_of(one.request_id))
        if form["decision"] == "refuse":
            await self._refuse(request, one)
            return _see(page_of(one.request_id))
        if form["decision"] != "allow":
            return _see(page_of(one.request_id))
        try:
            asking = await self._asking(one)
            kept = {"of_person": str(one.person_id), "of_request": str(one.request_id)}
            return await self.walk.begin(request, asking, CibaEnding(self.asked, one), **kept)
        except OAuthError as error:
            return await self._failed(request, one, error)

    async def resume(self, request: Request) -> Response:
        """GET /ciba/resume: back from the sign-in page or the consent page. Raises Refusal `interaction-expired`."""
        interaction = await self.interactions.load(request, strict_query(request).get("i"), resume=RESUME_PATH)
        one = await self._of(interaction)
        if not one.is_waiting(self.clock.now()):
            await self.interactions.finish(interaction)
            return _ended(request, _outcome(one))
        try:
            asking = await self._asking(one)
            return await self.walk.resume(request, asking, interaction, CibaEnding(self.asked, one))
        except OAuthError as error:
            await self.interactions.finish(interaction)
            return await self._failed(request, one, error)

    async def _own(self, request: Request) -> CibaRequest:
        person_id = await _person(request)
        return await self._find(person_id, request.path_params["reference"])

    async def _of(self, interaction: Interaction) -> CibaRequest:
        data: Mapping[str, Any] = interaction.data
        return await self._find(uuid.UUID(data["of_person"]), data["of_request"])

    async def _find(self, person_id: uuid.UUID, reference: str) -> CibaRequest:
        try:
            request_id = uuid.UUID(reference)
        except ValueError:
            raise _unknown() from None
        async with self.asked.database.raw_read() as tx:
            found = await self.requests.find(tx, person_id, request_id)
        if found is None:
            raise _unknown()
        return found

    async def _asking(self, one: CibaRequest) -> Asking:
        """The request, checked again, for this person alone. Raises OAuthError."""
        client = await self.asked.active_client(one.client_id, CIBA)
        asking = await self.asked.checked(
            "ciba", client, one.params, now=self.clock.now(), also=(check_binding_message,)
        )
        asking.params = {}  # checked: nothing of it has to go to the cache
        asking.hint_subject = self.pseudonyms.subject(client.sector, one.person_id)
        return asking

    async def _view(self, request: Request, one: CibaRequest) -> WaitingView | None:
        """None when the client may not ask for it any more."""
        try:
            asking = await self._asking(one)
        except OAuthError:
            return None
        async with self.asked.database.raw_read() as tx:
            described = await self.asked.described(tx, asking, request_locale(request))
        message = one.params.get("binding_message", "")
        return WaitingView(page_of(one.request_id), described, message, one.requested_at, one.expires_at)

    async def _refuse(self, request: Request, one: CibaRequest) -> bool:
        """Once; False when it was answered before. The line names who is signed in, if that is the person."""
        session = await self.asked.identity.session(request)
        client = await self.asked.clients.get(one.client_id)
        async with self.asked.database.raw() as tx:
            if not await requests.deny(tx, one.person_id, one.request_id, now=self.clock.now()):
                return False
            if client is not None and session is not None and session.person == one.person_id:
                await self.asked.record(
                    tx,
                    "refused",
                    client=client,
                    person_id=one.person_id,
                    account_id=session.account_id,
                    way="ciba",
                )
        return True

    async def _failed(self, request: Request, one: CibaRequest, error: OAuthError) -> Response:
        """Whatever ends a walk ends the request: the desk learns that it will get nothing."""
        refused = await self._refuse(request, one)
        if not refused:
            return _ended(request, "closed")
        return _ended(request, "refused" if error.error == "access_denied" else "failed")


async def _person(request: Request) -> uuid.UUID:
    """Raises SignInNeeded."""
    actor = await part(request, Identity).actor(request)
    if actor.person_id is None:
        raise _unknown()
    return actor.person_id


def _outcome(one: CibaRequest) -> str:
    return {"approved": "allowed", "denied": "refused"}.get(one.state, "expired")


def _ended(request: Request, outcome: str) -> Response:
    """outcome: allowed, refused, failed (not possible), expired, closed (answered elsewhere or too late)."""
    return part(request, Pages).render(request, "oidc/request_ended.html", outcome=outcome, back=LIST_PATH)


def _see(url: str) -> Response:
    return RedirectResponse(url, 303, {"Cache-Control": "no-store"})


def _unknown() -> NotFound:
    return NotFound("request-unknown", "There is no such request for you.")
