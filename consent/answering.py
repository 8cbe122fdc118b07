"""What a citizen's ticks mean. Pure: question and ticks in, grants out.

Any subset may be refused. Silence is not consent (Law 91/2025 art. 9): a purpose without its tick, and a
voluntary field without its tick, are refused. A purpose brings its mandatory fields; they are named beside
its tick. Nothing ticked means refused, or, where something was agreed to before, going on with just that. Where no
purpose is asked for, the answer is about the sign-in itself.
"""

from dataclasses import dataclass

from consent.question import AskedPurpose, Question
from core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Ticks:
    """What the form said. decision: "allow" or "refuse". fields: "purpose/field" pairs."""

    decision: str
    purposes: frozenset[str] = frozenset()
    fields: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Agreed:
    """One purpose agreed to, with its mandatory fields and the voluntary ones that were ticked."""

    purpose: AskedPurpose
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the ticks come to. decision: "allow" or "refuse". refused: codes of purposes left unticked.

    declined: (purpose, voluntary fields left unticked) of purposes that are agreed to, now or before.
    """

    decision: str
    agreed: tuple[Agreed, ...]
    refused: tuple[str, ...]
    declined: tuple[tuple[AskedPurpose, tuple[str, ...]], ...]


def outcome(question: Question, ticks: Ticks) -> Outcome:
    """What the citizen decided.

    Raises BadInput `not-asked` for a tick that was not on the page, `no-decision` for another button,
    `purpose-unticked` when a field is ticked and its purpose is not: then the wish is not clear, and the page
    asks once more.
    """
    if ticks.decision == "refuse":
        return Outcome("refuse", (), tuple(one.code for one in question.purposes), ())
    if ticks.decision != "allow":
        raise BadInput("no-decision", "Please choose to agree or to refuse.")
    _refuse_unasked(question, ticks)
    _refuse_unclear(ticks)
    agreed = tuple(one for one in (_agreed(purpose, ticks) for purpose in question.purposes) if one.fields)
    agreed_codes = {one.purpose.code for one in agreed}
    return Outcome(
        decision="allow" if agreed or question.agreed_before or not question.purposes else "refuse",
        agreed=agreed,
        refused=tuple(one.code for one in question.purposes if one.code not in agreed_codes),
        declined=tuple(
            (one, left)
            for one in question.purposes
            if (one.code in agreed_codes or one.already) and (left := _left(one, ticks))
        ),
    )


def _refuse_unasked(question: Question, ticks: Ticks) -> None:
    asked_fields = {(one.code, code) for one in question.purposes for code in one.voluntary_fields}
    asked_purposes = {one.code for one in question.purposes}
    if ticks.purposes - asked_purposes or ticks.fields - asked_fields:
        raise BadInput("not-asked", "The form does not belong to this page. Please open the page again.")


def _refuse_unclear(ticks: Ticks) -> None:
    unclear = {code for code, _ in ticks.fields} - ticks.purposes
    if unclear:
        raise BadInput(
            "purpose-unticked",
            "You ticked data without the purpose they are for. Please tick the purpose as well, or untick the data.",
            fields={f"purpose-{code}": "Tick this purpose, or untick the data below it." for code in sorted(unclear)},
        )


def _agreed(purpose: AskedPurpose, ticks: Ticks) -> Agreed:
    if purpose.code not in ticks.purposes:
        return Agreed(purpose, ())
    chosen = tuple(code for code in purpose.voluntary_fields if (purpose.code, code) in ticks.fields)
    return Agreed(purpose, purpose.mandatory_fields + chosen)


def _left(purpose: AskedPurpose, ticks: Ticks) -> tuple[str, ...]:
    return tuple(code for code in purpose.voluntary_fields if (purpose.code, code) not in ticks.fields)
