"""Initial access tokens of the agency: /official/clients/tokens. A new one is shown once."""

import uuid
from datetime import timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.database import Tx
from core.errors import BadInput, NotFound
from core.runtime import part
from core.settings import Settings
from core.web.edge import PageTx
from core.web.forms import read_form, read_form_multi
from core.web.pages import Pages
from oidc.developer.choices import PROFILES
from oidc.developer.seat import Seat, seat
from oidc.registration.answering import PATH
from oidc.registration.initial_tokens import DEFAULT_LIFE_DAYS, MAX_NOTE, NewToken
from oidc.registration.room import Registration

router = APIRouter(include_in_schema=False)
_EMPTY = {"note": "", "uses": "1", "days": str(DEFAULT_LIFE_DAYS)}


@router.get("/official/clients/tokens")
async def tokens(request: Request, tx: PageTx) -> Response:
    """Those that may still be used, and the form for a new one."""
    here = await seat(request, tx)
    return here if isinstance(here, Response) else await _page(request, tx, here, dict(_EMPTY), ["fapi2"])


@router.post("/official/clients/tokens")
async def make_token(request: Request, tx: PageTx) -> Response:
    """A new token, on this page alone."""
    sent = await read_form_multi(
        request, {"note": MAX_NOTE, "uses": 5, "days": 5, "profiles": 40}, multi=frozenset({"profiles"})
    )
    here = await seat(request, tx)
    if isinstance(here, Response):
        return here
    form = {name: (sent[name][0] if sent[name] else "").strip() for name in _EMPTY}
    terms = NewToken(
        here.appointment.agency_id,
        here.appointment.agency_code,
        sent["profiles"],
        _number(form["uses"]),
        timedelta(days=_number(form["days"])),
        form["note"],
    )
    try:
        token = await part(request, Registration).desk.make_token(tx, terms, by=here.who)
    except BadInput as fault:
        return await _page(request, tx, here, form, sent["profiles"], fault=fault)
    return await _page(request, tx, here, dict(_EMPTY), ["fapi2"], token=token)


@router.post("/official/clients/tokens/revoke")
async def revoke_token(request: Request, tx: PageTx) -> Response:
    """Ends one of the agency's tokens."""
    form = await read_form(request, {"token": 40})
    here = await seat(request, tx)
    if isinstance(here, Response):
        return here
    try:
        ident = uuid.UUID(form["token"])
    except ValueError:
        raise NotFound("token-unknown", "There is no such token.") from None
    await part(request, Registration).desk.revoke_token(tx, ident, here.appointment.agency_id, by=here.who)
    return RedirectResponse("/official/clients/tokens", 303)


async def _page(
    request: Request,
    tx: Tx,
    here: Seat,
    form: dict[str, str],
    chosen: list[str],
    *,
    token: str = "",
    fault: BadInput | None = None,
) -> Response:
    pages = part(request, Pages)
    return pages.render(
        request,
        "developer/client_tokens.html",
        status=200 if fault is None else fault.status,
        seat=here,
        tokens=await part(request, Registration).desk.tokens(tx, here.appointment.agency_id),
        token=token,
        endpoint=f"{part(request, Settings).issuer}{PATH}",
        profiles=PROFILES,
        chosen=chosen,
        form=form,
        errors={} if fault is None else {name: pages.gettext(request, text) for name, text in fault.fields.items()},
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
