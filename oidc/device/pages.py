"""The person's side of a device request: enter the code, see who asks, answer."""

import uuid
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.cache import Cache
from core.clock import Clock
from core.errors import TooMany
from core.interaction import Interaction, Interactions
from core.runtime import part
from core.web.browser import browser_binding
from core.web.client_address import client_address, network_of
from core.web.forms import read_form, strict_query
from core.web.locale import request_locale
from core.web.pages import Pages
from oidc.asked_elsewhere import AskedElsewhere, AskedPage
from oidc.authorize.asking import Asking
from oidc.authorize.walk import Walk
from oidc.device import guessing, requests
from oidc.device.ending import RESUME_PATH, DeviceEnding
from oidc.device.requests import DeviceRequest, DeviceRequests
from oidc.device.user_codes import MAX_TYPED, read_user_code, shown
from oidc.errors import OAuthError
from oidc.registration.check import DEVICE

CONFIRM_PATH = "/device/confirm"


@dataclass(frozen=True, slots=True)
class DevicePages:
    """The pages; one per process."""

    asked: AskedElsewhere
    requests: DeviceRequests
    interactions: Interactions
    walk: Walk
    cache: Cache
    clock: Clock

    async def entry(self, request: Request) -> Response:
        """GET /device: the form. A code in the address is filled in and nothing more (RFC 8628 §3.3.1)."""
        await self.asked.identity.session(request)
        typed = strict_query(request).get("user_code", "")
        return _entry_form(request, typed=typed[:MAX_TYPED])

    async def entered(self, request: Request) -> Response:
        """POST /device: on to the question, when the code is one that waits."""
        form = await read_form(request, {"user_code": MAX_TYPED})
        typed, pages = form["user_code"], part(request, Pages)
        code = read_user_code(typed)
        if code is None:
            wrong = pages.gettext(request, "Enter the eight letters that the screen shows.")
            return _entry_form(request, typed=typed, error=wrong, status=422)
        try:
            found = await self._look_up(request, code)
        except TooMany as refusal:
            told = pages.gettext(request, refusal.public)
            return _entry_form(request, typed=typed, error=told, status=429, retry_after=refusal.retry_after)
        if found is None:
            wrong = pages.gettext(request, "This code is not right, or its time is over. Look at the screen again.")
            return _entry_form(request, typed=typed, error=wrong, status=422)
        kept = {"bucket": found.bucket, "of_request": str(found.request_id)}
        known = await self.asked.identity.session(request) is not None
        interaction = await self.interactions.start(request, resume=CONFIRM_PATH, known=known, data=kept)
        return _see(interaction.resume_url)

    async def confirm(self, request: Request) -> Response:
        """GET /device/confirm: who asks, and whether it is really the screen in front of the person."""
        interaction = await self._entered(request)
        one = await self._of(interaction)
        asking = await self._asking_or_none(one)
        if one is None or asking is None:
            return _ended(request, "expired")
        return await self._question(request, interaction, one, asking)

    async def confirmed(self, request: Request) -> Response:
        """POST /device/confirm: refused at once, or onward to sign-in and consent."""
        form = await read_form(request, {"decision": 10, "same": 5})
        interaction = await self._entered(request)
        one = await self._of(interaction)
        asking = await self._asking_or_none(one)
        if one is None or asking is None:
            return _ended(request, "expired")
        if form["decision"] == "refuse":
            await self.interactions.finish(interaction)
            await self._refuse(request, one)
            return _ended(request, "refused")
        if form["decision"] != "allow" or form["same"] != "yes":
            return await self._question(request, interaction, one, asking, unsure=True)
        await self.interactions.finish(interaction)
        kept = {"bucket": one.bucket, "of_request": str(one.request_id)}
        try:
            return await self.walk.begin(request, asking, DeviceEnding(self.asked, one), **kept)
        except OAuthError as error:
            return await self._failed(request, one, error)

    async def resume(self, request: Request) -> Response:
        """GET /device/resume: back from the sign-in page or the consent page. Raises `interaction-expired`."""
        interaction = await self.interactions.load(request, strict_query(request).get("i"), resume=RESUME_PATH)
        one = await self._of(interaction)
        asking = await self._asking_or_none(one)
        if one is None or asking is None:
            await self.interactions.finish(interaction)
            return _ended(request, "expired")
        try:
            return await self.walk.resume(request, asking, interaction, DeviceEnding(self.asked, one))
        except OAuthError as error:
            await self.interactions.finish(interaction)
            return await self._failed(request, one, error)

    async def allowed(self, request: Request) -> Response:
        """GET /device/allowed: go on at the screen. Says nothing that somebody else may not read."""
        await self.asked.identity.session(request)
        return _ended(request, "allowed")

    async def _look_up(self, request: Request, code: str) -> DeviceRequest | None:
        session = await self.asked.identity.session(request)
        lanes = guessing.lanes_of(
            person_id=None if session is None else session.person_id,
            browser=browser_binding(request),
            network=network_of(client_address(request)),
        )
        await guessing.claim(self.cache, lanes)
        async with self.asked.database.raw_read() as tx:
            found = await self.requests.by_user_code(tx, code, now=self.clock.now())
        if found is not None:
            await guessing.give_back(self.cache, lanes)
        return found

    async def _entered(self, request: Request) -> Interaction:
        return await self.interactions.load(request, strict_query(request).get("i"), resume=CONFIRM_PATH)

    async def _of(self, interaction: Interaction) -> DeviceRequest | None:
        """The request while it waits."""
        data = interaction.data
        async with self.asked.database.raw_read() as tx:
            found = await self.requests.find(tx, data["bucket"], uuid.UUID(data["of_request"]))
        return found if found is not None and found.is_waiting(self.clock.now()) else None

    async def _asking_or_none(self, one: DeviceRequest | None) -> Asking | None:
        """The request, checked again; None when its client may not ask any more."""
        if one is None:
            return None
        try:
            client = await self.asked.active_client(one.client_id, DEVICE)
            asking = await self.asked.checked("device", client, one.params, now=self.clock.now())
        except OAuthError:
            return None
        asking.params = {}  # checked: nothing of it has to go to the cache
        return asking

    async def _question(
        self, request: Request, interaction: Interaction, one: DeviceRequest, asking: Asking, *, unsure: bool = False
    ) -> Response:
        async with self.asked.database.raw_read() as tx:
            described: AskedPage = await self.asked.described(tx, asking, request_locale(request))
        pages = part(request, Pages)
        told = pages.gettext(request, "Tick the box if the codes are the same. If they are not, refuse.")
        return pages.render(
            request,
            "oidc/device_confirm.html",
            status=422 if unsure else 200,
            action=interaction.resume_url,
            asked=described,
            user_code=shown(one.user_code),
            errors={"same": told} if unsure else {},
        )

    async def _refuse(self, request: Request, one: DeviceRequest) -> bool:
        """Once; False when it was answered before. Who is signed in finds it in his history."""
        session = await self.asked.identity.session(request)
        client = await self.asked.clients.get(one.client_id)
        async with self.asked.database.raw() as tx:
            if not await requests.deny(tx, one, now=self.clock.now()):
                return False
            if client is not None and session is not None:
                await self.asked.record(
                    tx,
                    "refused",
                    client=client,
                    person_id=session.person,
                    account_id=session.account_id,
                    way="device",
                )
        return True

    async def _failed(self, request: Request, one: DeviceRequest, error: OAuthError) -> Response:
        """Whatever ends a walk ends the request: the screen learns that it will get nothing."""
        if not await self._refuse(request, one):
            return _ended(request, "expired")
        return _ended(request, "refused" if error.error == "access_denied" else "failed")


def _entry_form(
    request: Request, *, typed: str, error: str = "", status: int = 200, retry_after: int | None = None
) -> Response:
    return part(request, Pages).render(
        request,
        "oidc/device.html",
        status=status,
        headers={} if retry_after is None else {"Retry-After": str(retry_after)},
        typed=typed,
        errors={"user_code": error} if error else {},
    )


def _ended(request: Request, outcome: str) -> Response:
    """outcome: allowed, refused, failed (not possible), expired (or answered elsewhere)."""
    return part(request, Pages).render(request, "oidc/device_ended.html", outcome=outcome)


def _see(url: str) -> Response:
    return RedirectResponse(url, 303, {"Cache-Control": "no-store"})
