"""Proposing a new client, or a change of one: /official/clients/new, /official/clients/{client_id}/change."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent.api import Consent
from core.database import Database, Row, Tx
from core.errors import BadInput, Conflict
from core.runtime import part
from core.web.edge import PageTx
from core.web.forms import read_form_multi
from core.web.locale import request_locale
from core.web.pages import Pages
from oidc.developer.choices import AUTH_METHODS, PROFILES, USES, scope_choices
from oidc.developer.client_form import (
    FAULTS,
    LENGTHS,
    MULTI,
    READ,
    ClientForm,
    fault_of,
    form_from,
    form_of,
    metadata_of,
)
from oidc.developer.seat import Seat, seat
from oidc.errors import OAuthError
from oidc.profiles import PROFILES as RULES
from oidc.registration.as_metadata import as_metadata
from oidc.registration.check import SectorDocument
from oidc.registration.desk import RegistrationDesk
from oidc.registration.room import Registration

LIST = "/official/clients"

router = APIRouter(include_in_schema=False)


@router.get("/official/clients/new")
async def new_form(request: Request, tx: PageTx) -> Response:
    """The empty form."""
    here = await seat(request, tx)
    if isinstance(here, Response):
        return here
    empty = ClientForm(values={**dict.fromkeys(LENGTHS, ""), "profile": "fapi2", "auth_method": "private_key_jwt"})
    return await _page(request, tx, here, empty, None)


@router.post("/official/clients/new")
async def propose(request: Request, tx: PageTx) -> Response:
    """A new client, pending until a second person approves it."""
    form, desk = form_from(await _read(request)), part(request, Registration).desk
    async with part(request, Database).page() as before:
        here = await seat(request, before)
    if isinstance(here, Response):
        return here
    profile = form.values["profile"]
    try:
        if profile not in RULES:
            raise BadInput("client-form", "Some entries have to be mended.", fields={"profile": FAULTS["profile"]})
        metadata = metadata_of(form)
        read = await _document(request, desk, metadata, profile, here.appointment.agency_id)
        async with tx.savepoint():
            await desk.propose(tx, here.appointment, metadata, profile, by=here.who, read=read)
    except (BadInput, OAuthError) as fault:
        return await _page(request, tx, here, form, None, fault)
    return RedirectResponse(f"{LIST}?proposed=1", 303)


@router.get("/official/clients/{client_id}/change")
async def change_form(request: Request, tx: PageTx, client_id: str) -> Response:
    """The form with what is registered."""
    here = await seat(request, tx)
    if isinstance(here, Response):
        return here
    row = await part(request, Registration).desk.client(tx, client_id, here.appointment.agency_id)
    return await _page(request, tx, here, form_of(as_metadata(row)), row)


@router.post("/official/clients/{client_id}/change")
async def propose_change(request: Request, tx: PageTx, client_id: str) -> Response:
    """A change that waits for a second person; until then the client stays as it is."""
    form, desk = form_from(await _read(request)), part(request, Registration).desk
    async with part(request, Database).page() as before:
        here = await seat(request, before)
        if isinstance(here, Response):
            return here
        row = await desk.client(before, client_id, here.appointment.agency_id)
    form = ClientForm({**form.values, "profile": row["profile"]}, form.uses, form.scopes)
    try:
        metadata = {**metadata_of(form), **_kept(row)}
        agency_id = here.appointment.agency_id
        read = await _document(request, desk, metadata, row["profile"], agency_id, row["purpose"])
        async with tx.savepoint():
            await desk.propose_change(tx, client_id, agency_id, metadata, by=here.who, read=read)
    except (BadInput, OAuthError, Conflict) as fault:
        return await _page(request, tx, here, form, row, fault)
    return RedirectResponse(f"{LIST}?proposed=1", 303)


async def _document(
    request: Request, desk: RegistrationDesk, metadata: Mapping[str, Any], profile: str, agency_id: UUID, *purpose: str
) -> SectorDocument | None:
    """The sector's document, read before the transaction of the act takes its connection."""
    async with part(request, Database).page() as before:
        document = await desk.document(before, metadata, profile, agency_id, *purpose)
    await desk.read_document(document)
    return document


def _kept(row: Row) -> dict[str, Any]:
    """Members that are no choice of the form: what a publisher signed stays as it is."""
    kept = {name: row["details"].get(name) for name in ("software_statement",)}
    return {name: value for name, value in kept.items() if value is not None}


async def _read(request: Request) -> dict[str, list[str]]:
    return await read_form_multi(request, {**READ, "use": 40, "scope": 100}, multi=MULTI)


async def _page(
    request: Request,
    tx: Tx,
    here: Seat,
    form: ClientForm,
    row: Row | None,
    fault: BadInput | OAuthError | Conflict | None = None,
) -> Response:
    pages, locale = part(request, Pages), request_locale(request)
    held = await part(request, Registration).desk.held(tx, here.appointment.agency_id)
    purposes = await part(request, Consent).purposes(tx, held)
    errors = {name: pages.gettext(request, text) for name, text in _faults(fault).items()}
    return pages.render(
        request,
        "developer/client_form.html",
        status=200 if fault is None else 422,
        seat=here,
        client=row,
        form=form.values,
        uses=USES,
        chosen_uses=form.uses,
        scopes=scope_choices(held, purposes, locale),
        chosen_scopes=form.scopes,
        profiles=PROFILES,
        auth_methods=AUTH_METHODS,
        errors=errors,
        detail=fault.description if isinstance(fault, OAuthError) else "",
    )


def _faults(fault: BadInput | OAuthError | Conflict | None) -> Mapping[str, str]:
    match fault:
        case None:
            return {}
        case BadInput():
            return fault.fields
        case OAuthError():
            return fault_of(fault.description)
        case _:
            return {"": fault.public}
