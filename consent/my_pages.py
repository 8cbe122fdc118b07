"""/me/consents and /me/receipts: what a citizen agreed to, for whom and how long; withdrawal; receipts."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent.consents import find_own_consent, load_own_consents
from consent.coverage import GivenConsent, is_live
from consent.published import load_purpose_version
from consent.purposes import PurposeTexts
from consent.receipts import find_own_receipt, receipt_references
from consent.room import Consent
from consent.views import FieldView, field_views, receipt_view
from core.database import Database, Tx
from core.errors import NotFound
from core.runtime import part
from core.web.edge import PageTx
from core.web.forms import read_form
from core.web.locale import request_locale
from core.web.pages import Pages
from identity.api import Agency, Identity

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class OwnConsent:
    """One consent as its giver sees it."""

    consent: GivenConsent
    live: bool
    recipient: str
    texts: PurposeTexts
    fields: tuple[FieldView, ...]
    receipt: str | None
    withdrawal_receipt: str | None


@router.get("/me/consents")
async def my_consents(request: Request, tx: PageTx) -> Response:
    """Who may get what of me, and who could before."""
    actor = await part(request, Identity).actor(request)
    person_id = _person(actor.person_id)
    consents = await load_own_consents(tx, person_id)
    receipts = await receipt_references(tx, person_id)
    shown = await _shown(request, tx, consents, receipts)
    return part(request, Pages).render(
        request,
        "consent/my_consents.html",
        live=[one for one in shown if one.live],
        ended=[one for one in shown if not one.live],
    )


@router.get("/me/consents/{reference}/withdraw")
async def confirm_withdrawal(request: Request, tx: PageTx, reference: str) -> Response:
    """What withdrawing does, and the button. An ended consent leads to its receipt."""
    actor = await part(request, Identity).actor(request)
    person_id = _person(actor.person_id)
    consent = await find_own_consent(tx, person_id, reference)
    if consent is None:
        raise _unknown()
    shown = (await _shown(request, tx, [consent], await receipt_references(tx, person_id)))[0]
    if shown.withdrawal_receipt is not None:
        return RedirectResponse(f"/me/receipts/{shown.withdrawal_receipt}", 303)
    return part(request, Pages).render(request, "consent/withdraw.html", shown=shown)


@router.post("/me/consents/{reference}/withdraw")
async def withdraw(request: Request, reference: str) -> Response:
    """Withdraws and shows the receipt; a second submit shows the same one."""
    await read_form(request, {})
    actor = await part(request, Identity).actor(request)
    async with part(request, Database).page() as tx:
        receipt = await part(request, Consent).withdrawing.by_reference(tx, actor, reference)
    return RedirectResponse(f"/me/receipts/{receipt.reference}", 303)


@router.get("/me/receipts/{reference}")
async def receipt(request: Request, tx: PageTx, reference: str) -> Response:
    """One receipt, to read and to print."""
    actor = await part(request, Identity).actor(request)
    found = await find_own_receipt(tx, _person(actor.person_id), reference)
    if found is None:
        raise _unknown()
    return part(request, Pages).render(
        request,
        "consent/receipt.html",
        receipt=receipt_view(found.body, request_locale(request)),
        sha256=found.body_hash.hex(),
    )


@router.get("/me/receipts/{reference}/file")
async def receipt_file(request: Request, tx: PageTx, reference: str) -> Response:
    """The same receipt as a JSON file; its SHA-256 is over the canonical JSON of its `receipt`."""
    actor = await part(request, Identity).actor(request)
    found = await find_own_receipt(tx, _person(actor.person_id), reference)
    if found is None:
        raise _unknown()
    name = f"dinhdanh-{found.act}-{found.issued_at:%Y%m%d}-{found.body_hash.hex()[:8]}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(found.document(), headers=headers, media_type="application/json")


def _person(person_id: uuid.UUID | None) -> uuid.UUID:
    if person_id is None:
        raise _unknown()
    return person_id


def _unknown() -> NotFound:
    return NotFound("consent-unknown", "There is no such consent or receipt of yours.")


async def _shown(
    request: Request,
    tx: Tx,
    consents: Iterable[GivenConsent],
    receipts: dict[tuple[uuid.UUID, str], str],
) -> list[OwnConsent]:
    locale, now = request_locale(request), part(request, Consent).clock.now()
    agencies: dict[uuid.UUID, Agency] = {}
    texts: dict[tuple[str, int, int], PurposeTexts] = {}
    shown = []
    for one in consents:
        if one.agency_id not in agencies:
            agencies[one.agency_id] = await part(request, Identity).agency(tx, agency_id=one.agency_id)
        version = (one.purpose, one.purpose_major, one.purpose_minor)
        if version not in texts:
            purpose = await load_purpose_version(tx, *version)
            if purpose is None:
                raise LookupError("a consent without its purpose")  # a foreign key forbids it
            texts[version] = purpose.texts(locale)
        shown.append(
            OwnConsent(
                consent=one,
                live=is_live(one, now),
                recipient=agencies[one.agency_id].name(locale),
                texts=texts[version],
                fields=field_views(one.fields, locale),
                receipt=receipts.get((one.consent_id, "given")),
                withdrawal_receipt=receipts.get((one.consent_id, "withdrawn")),
            )
        )
    return shown
