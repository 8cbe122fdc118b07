"""GET and POST /consent: the question of an interaction, put to the person who signed in for it.

Nothing is ticked beforehand, refusing is as easy as agreeing, and the page shows names of fields, never
values: values leave only through the disclosure door.
"""

import hmac
from dataclasses import dataclass, replace

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from consent.answering import Ticks
from consent.give import Submission, answer_key
from consent.published import load_purpose_version
from consent.question import Question
from consent.room import Consent
from consent.views import PurposeView, purpose_view
from core.actor import Actor
from core.database import Database, Tx
from core.errors import BadInput, Conflict, NotAllowed, Refusal, SignInNeeded
from core.interaction import Interaction, Interactions
from core.runtime import part
from core.web.forms import read_form_multi, strict_query
from core.web.locale import request_locale, set_request_locale
from core.web.pages import Pages
from identity.api import Identity

router = APIRouter(include_in_schema=False)

MAX_CODE = 64
_LENGTHS = {"decision": 10, "question": 64, "purpose": MAX_CODE, "field": 2 * MAX_CODE + 1}
_MULTI = frozenset({"purpose", "field"})


@dataclass(frozen=True, slots=True)
class _Walk:
    """One interaction at this step: who is asked what."""

    interaction: Interaction
    question: Question
    actor: Actor

    @property
    def answered(self) -> bool:
        answer = self.interaction.consent_answer
        return answer is not None and answer.get("question") == self.question.digest().hex()


@router.get("/consent")
async def ask(request: Request) -> Response:
    """The question, or why it cannot be put to this person."""
    walk = await _walk(request)
    if isinstance(walk, Response):
        return walk
    if walk.answered:
        return RedirectResponse(walk.interaction.resume_url, 303)
    async with part(request, Database).page() as tx:
        reason = await _why_not(request, tx, walk)
        if reason is not None:
            return _not_offered(request, walk, reason)
        return await _question_page(request, tx, walk)


async def _why_not(request: Request, tx: Tx, walk: "_Walk") -> str | None:
    """Why this person cannot be asked; whether he signs in somewhere he decides himself, of any age."""
    if not walk.question.purposes:
        return None
    reason: str | None = await part(request, Consent).asking.why_not_alone(tx, walk.question.person_id)
    return "level-too-low" if reason is None and walk.actor.ial < walk.question.min_ial else reason


@router.post("/consent")
async def answer(request: Request) -> Response:
    """The answer: written first, then noted in the interaction, then back to whoever asked."""
    form = await read_form_multi(request, _LENGTHS, multi=_MULTI)
    walk = await _walk(request)
    if isinstance(walk, Response):
        return walk
    if walk.answered:
        return RedirectResponse(walk.interaction.resume_url, 303)
    shown = form["question"][0] if form["question"] else ""
    if not hmac.compare_digest(shown.encode(), walk.question.digest().hex().encode()):
        raise Conflict("question-outdated", "This page is no longer current. Please open it again.")
    ticks = _ticks(form)
    submission = Submission(
        question=walk.question,
        ticks=ticks,
        actor=walk.actor,
        key=answer_key(walk.interaction.id, walk.question),
        locale=request_locale(request),
    )
    try:
        async with part(request, Database).page() as tx:
            result = await part(request, Consent).answer(tx, submission)
    except BadInput as fault:
        async with part(request, Database).page() as tx:
            return await _question_page(request, tx, walk, ticks=ticks, fault=fault)
    # Committed. If the cache fails now, the same submit finds the answer and ends here again.
    await part(request, Interactions).save(replace(walk.interaction, consent_answer=result))
    return RedirectResponse(walk.interaction.resume_url, 303)


async def _walk(request: Request) -> "_Walk | Response":
    """Who is asked what, or the way to the sign-in page. Raises Refusal for another's or an ended one."""
    interaction = await part(request, Interactions).load(request, strict_query(request).get("i"))
    set_request_locale(request, interaction.locale)
    if interaction.consent_ask is None:
        raise Refusal("nothing-asked", "Nothing is asked of you here. Please start again from the service.")
    question = Question.from_json(interaction.consent_ask)
    try:
        actor = await part(request, Identity).actor(request)
    except SignInNeeded:
        return RedirectResponse(interaction.url("/signin"), 303)
    signed_in = interaction.signed_in
    if signed_in is None or not signed_in.person_id == str(actor.person_id) == str(question.person_id):
        raise NotAllowed(
            "not-your-question",
            "This question was put to another person. Please start again from the service you came from.",
        )
    needed = question.min_aal
    if actor.aal < needed and interaction.sign_in.min_aal < needed:
        # Step up first: what is asked for needs a second factor.
        stepped = replace(interaction, sign_in=replace(interaction.sign_in, min_aal=needed))
        await part(request, Interactions).save(stepped)
        return RedirectResponse(stepped.url("/signin"), 303)
    return _Walk(interaction, question, actor)


def _ticks(form: dict[str, list[str]]) -> Ticks:
    pairs = [tuple(value.split("/", 1)) for value in form["field"]]
    if any(len(pair) != 2 for pair in pairs):
        raise BadInput("not-asked", "The form does not belong to this page. Please open the page again.")
    return Ticks(
        decision=form["decision"][0] if form["decision"] else "",
        purposes=frozenset(form["purpose"]),
        fields=frozenset((pair[0], pair[1]) for pair in pairs),
    )


async def _question_page(
    request: Request, tx: Tx, walk: _Walk, *, ticks: Ticks | None = None, fault: BadInput | None = None
) -> Response:
    pages, locale = part(request, Pages), request_locale(request)
    errors = {name: pages.gettext(request, text) for name, text in fault.fields.items()} if fault else {}
    if fault is not None and not errors:
        errors = {"": pages.gettext(request, fault.public)}
    return pages.render(
        request,
        "consent/consent.html" if walk.question.purposes else "consent/confirm.html",
        status=fault.status if fault else 200,
        form_action=_form_action(walk.interaction),
        question=walk.question,
        recipient=walk.question.agency_name(locale),
        digest=walk.question.digest().hex(),
        action=walk.interaction.url("/consent"),
        purposes=await _views(request, tx, walk.question, ticks or Ticks("")),
        errors=errors,
    )


async def _views(request: Request, tx: Tx, question: Question, ticks: Ticks) -> list[PurposeView]:
    locale, now = request_locale(request), part(request, Consent).clock.now()
    views = []
    for asked in question.purposes:
        purpose = await load_purpose_version(tx, asked.code, asked.major, asked.minor)
        if purpose is None or purpose.text_hash.hex() != asked.text_hash:
            raise Conflict("question-outdated", "This page is no longer current. Please open it again.")
        views.append(purpose_view(asked, purpose, locale, now, ticks.purposes, ticks.fields))
    return views


def _not_offered(request: Request, walk: _Walk, reason: str) -> Response:
    """A clear page with the way back; the only answer that can be sent from it is a refusal."""
    return part(request, Pages).render(
        request,
        "consent/not_offered.html",
        status=403,
        form_action=_form_action(walk.interaction),
        reason=reason,
        client_name=walk.question.client_name,
        digest=walk.question.digest().hex(),
        action=walk.interaction.url("/consent"),
    )


def _form_action(interaction: Interaction) -> tuple[str, ...]:
    # The POST ends, over our own resume page, at the portal; Chromium holds form-action against that too.
    return (interaction.redirect_origin,) if interaction.redirect_origin else ()
