"""The official's desk: /official, /official/check, /official/check/fields.

Authentication: a person at authentication level 2 and account level 2, acting under an appointment. Results
are the answer of the POST itself and are never stored: no personal data lies in the cache, and going back in
the browser shows nothing that was not asked for anew.
"""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent.disclose import DisclosureDoor
from consent.disclosure import Disclosure, DisclosureDenied
from consent.official_check import OfficialCheck
from consent.official_forms import LENGTHS, CheckForm, Service, read_check, services_of
from consent.official_views import match_views, recorded_view, service_views, value_views
from consent.room import Consent
from consent.views import field_views
from core.actor import Actor, Appointment
from core.database import Tx
from core.errors import BadInput, Refusal, TooMany
from core.runtime import part
from core.web.edge import PageTx
from core.web.forms import read_form_multi
from core.web.locale import request_locale
from core.web.pages import Pages
from identity.api import Identity

APPOINTMENTS = "/official/appointment"
VIEW_FIELDS = "check.fields"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who sits here, and what he may check for."""

    actor: Actor
    appointment: Appointment
    agency: str
    services: tuple[Service, ...]


@router.get("/official")
async def home(request: Request, tx: PageTx) -> Response:
    """Under which appointment one acts, and the way to the check."""
    desk = await _desk(request, tx)
    if isinstance(desk, Response):
        return desk
    return part(request, Pages).render(
        request,
        "consent/official_home.html",
        appointment=desk.appointment,
        agency=desk.agency,
        may_check=bool(desk.services),
    )


@router.get("/official/check")
async def ask(request: Request, tx: PageTx) -> Response:
    """The empty form."""
    desk = await _desk(request, tx)
    return desk if isinstance(desk, Response) else await _form_page(request, tx, desk, {})


@router.post("/official/check")
async def check(request: Request, tx: PageTx) -> Response:
    """Match or no match; then, where it is allowed, the choice of fields."""
    form = await _read(request)
    desk = await _desk(request, tx)
    if isinstance(desk, Response):
        return desk
    try:
        asked = read_check(_single(form), desk.services)
        given = await _checks(request).match(tx, desk.actor, asked)
    except BadInput as fault:
        return await _form_page(request, tx, desk, _single(form), fault)
    except (DisclosureDenied, TooMany) as refusal:
        return _refused_page(request, desk, asked, refusal)
    return _matched_page(request, desk, asked, given)


@router.post("/official/check/fields")
async def fields(request: Request, tx: PageTx) -> Response:
    """The chosen fields."""
    form = await _read(request)
    desk = await _desk(request, tx)
    if isinstance(desk, Response):
        return desk
    try:
        asked = read_check(_single(form), desk.services)
        if not form["field"]:
            raise BadInput("no-field", "No field was chosen.", fields={"service": "No field was chosen."})
        given = await _checks(request).fields(tx, desk.actor, asked, tuple(form["field"]))
    except BadInput as fault:
        return await _form_page(request, tx, desk, _single(form), fault)
    except (DisclosureDenied, TooMany) as refusal:
        return _refused_page(request, desk, asked, refusal)
    pages, locale = part(request, Pages), request_locale(request)
    return pages.render(
        request,
        "consent/official_fields.html",
        values=value_views(given, locale, lambda text: pages.text(locale, text)),
        not_held=field_views(given.not_held, locale),
        recorded=recorded_view(given, asked, desk.agency, desk.appointment.title, locale),
    )


def _checks(request: Request) -> OfficialCheck:
    return OfficialCheck(part(request, DisclosureDoor), part(request, Identity))


async def _read(request: Request) -> dict[str, list[str]]:
    return await read_form_multi(request, {**LENGTHS, "field": 64}, multi=frozenset({"field"}))


def _single(form: dict[str, list[str]]) -> dict[str, str]:
    return {name: (form[name][0] if form[name] else "") for name in LENGTHS}


async def _desk(request: Request, tx: Tx) -> "_Desk | Response":
    """Raises SignInNeeded; somebody without a chosen appointment goes to choose one."""
    identity = part(request, Identity)
    actor = await identity.actor(request, min_aal=2, min_ial=2)
    appointment = actor.appointment
    if actor.kind != "official" or appointment is None:
        return RedirectResponse(APPOINTMENTS, 303)
    agency = await identity.agency(tx, agency_id=appointment.agency_id)
    services = services_of(await part(request, Consent).policies(tx, appointment.agency_id))
    return _Desk(actor, appointment, agency.name(request_locale(request)), tuple(services))


async def _form_page(
    request: Request, tx: Tx, desk: _Desk, form: dict[str, str], fault: BadInput | None = None
) -> Response:
    pages, locale = part(request, Pages), request_locale(request)
    purposes = await part(request, Consent).purposes(tx, {one.purpose for one in desk.services})
    return pages.render(
        request,
        "consent/official_check.html",
        status=fault.status if fault else 200,
        agency=desk.agency,
        appointment=desk.appointment,
        services=service_views(desk.services, purposes, locale, form.get("service", "")),
        names_procedure=any(not one.procedure for one in desk.services),
        form={name: form.get(name, "") for name in LENGTHS},
        errors={name: pages.gettext(request, text) for name, text in fault.fields.items()} if fault else {},
    )


def _matched_page(request: Request, desk: _Desk, asked: CheckForm, given: Disclosure) -> Response:
    pages, locale = part(request, Pages), request_locale(request)
    policy = asked.service.policy
    # Only who matches in every given value can be opened: the fields are asked with the strict proof.
    all_match = all(one.result == "match" for one in given.matched.values())
    may_view = all_match and VIEW_FIELDS in desk.appointment.permissions and policy.max_answer == "fields"
    return pages.render(
        request,
        "consent/official_matched.html",
        matches=match_views(given, locale, lambda text: pages.text(locale, text)),
        life=value_views(given, locale, lambda text: pages.text(locale, text)),
        fields=field_views(policy.fields, locale) if may_view else (),
        hidden=_hidden(asked),
        recorded=recorded_view(given, asked, desk.agency, desk.appointment.title, locale),
    )


def _hidden(asked: CheckForm) -> dict[str, str]:
    """What the second form says again; it lies in the page only."""
    return {
        "service": asked.service.value,
        "procedure": asked.procedure or "",
        "dossier": asked.dossier or "",
        "number": asked.number,
        "full_name": asked.full_name or "",
        "birth_date": asked.birth_date or "",
    }


def _refused_page(request: Request, desk: _Desk, asked: CheckForm, refusal: Refusal) -> Response:
    return part(request, Pages).render(
        request,
        "consent/official_refused.html",
        status=refusal.status,
        code=refusal.code,
        message=refusal.public,
        agency=desk.agency,
        title=desk.appointment.title,
        procedure=asked.procedure,
        dossier=asked.dossier,
    )
