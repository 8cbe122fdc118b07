"""What the official's pages show of an answer: words in the reader's language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from consent.disclosure import Disclosure
from consent.minimise import MatchResult
from consent.official_forms import CheckForm, Service
from consent.purposes import Purpose
from population_db.api import FIELDS, present

Translate = Callable[[str], str]

RESULTS: Mapping[MatchResult, str] = {"match": "Match", "no-match": "No match", "not-held": "Not held"}
SOURCES: Mapping[str, str] = {
    "civil-status": "civil status register",
    "residence": "residence register",
    "police-archive": "police archive",
    "identity-card": "identity card register",
    "self": "the person's own declaration",
}
"""Source code → English msgid; another source is shown by its code."""

TONES: Mapping[MatchResult, str] = {"match": "good", "no-match": "bad", "not-held": "warn"}


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A choice of the form."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class MatchView:
    """One compared value. tone: good, bad or warn."""

    code: str
    label: str
    result: MatchResult
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class ValueView:
    """One field with its lines of text, its source and its date."""

    code: str
    label: str
    sensitive: bool
    lines: tuple[str, ...]
    source: str
    as_of: date | None


@dataclass(frozen=True, slots=True)
class RecordedView:
    """What the journal keeps of this look."""

    line_id: str
    leaf_hash: str
    at: datetime
    agency: str
    title: str
    procedure: str | None
    dossier: str | None
    fields: tuple[str, ...]


def service_views(
    services: Sequence[Service], purposes: Mapping[str, Purpose], locale: str, chosen: str
) -> list[ServiceView]:
    """The title of the purpose, and the procedure's code."""
    return [ServiceView(one.value, _service_label(one, purposes, locale), one.value == chosen) for one in services]


def match_views(given: Disclosure, locale: str, translate: Translate) -> list[MatchView]:
    return [
        MatchView(code, label(code, locale), one.result, translate(RESULTS[one.result]), TONES[one.result])
        for code, one in given.matched.items()
    ]


def value_views(given: Disclosure, locale: str, translate: Translate) -> list[ValueView]:
    """Disclosed values in the order of the catalogue."""
    return [
        ValueView(
            code,
            label(code, locale),
            spec.sensitive,
            tuple(present(code, given.values[code].value, translate)),
            translate(SOURCES.get(given.values[code].source, given.values[code].source)),
            given.values[code].as_of,
        )
        for code, spec in FIELDS.items()
        if code in given.values
    ]


def recorded_view(given: Disclosure, form: CheckForm, agency: str, title: str, locale: str) -> RecordedView:
    """fields: labels of everything that was compared or shown."""
    return RecordedView(
        line_id=str(given.line.line_id),
        leaf_hash=given.line.leaf_hash.hex(),
        at=given.line.recorded_at,
        agency=agency,
        title=title,
        procedure=form.procedure,
        dossier=form.dossier,
        fields=tuple(label(code, locale) for code in (*given.matched, *given.values)),
    )


def label(code: str, locale: str) -> str:
    spec = FIELDS[code]
    return spec.label_en if locale == "en" else spec.label_vi


def _service_label(one: Service, purposes: Mapping[str, Purpose], locale: str) -> str:
    purpose = purposes.get(one.purpose)
    title = purpose.texts(locale).title if purpose else one.purpose
    return f"{one.procedure} · {title}" if one.procedure else title
