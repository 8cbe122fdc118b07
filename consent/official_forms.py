"""What an official fills in: the service, the dossier, the person. Read and checked; pure but for the texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from consent.decide import Policy
from consent.disclosure import PersonProof
from consent.proof import is_enough
from core.errors import BadInput
from population_db.api import PartialDate, normalise_name, parse_number

LEGAL_BASIS = "statutory-duty"
"""An official looks in his statutory duty (Law 91/2025 art. 19.1 c); nothing else is offered at the desk."""

LENGTHS: Mapping[str, int] = {
    "service": 150,
    "procedure": 64,
    "dossier": 100,
    "number": 20,
    "full_name": 150,
    "birth_date": 20,
}
_BETWEEN = "|"


@dataclass(frozen=True, slots=True)
class Service:
    """One thing the agency does: a purpose under a policy, for a procedure ("" = to be named by hand)."""

    purpose: str
    procedure: str
    policy: Policy

    @property
    def value(self) -> str:
        """As the form's select sends it."""
        return f"{self.purpose}{_BETWEEN}{self.procedure}"


@dataclass(frozen=True, slots=True)
class CheckForm:
    """A form that holds. birth_date: ISO, perhaps partial."""

    service: Service
    procedure: str | None
    dossier: str | None = field(repr=False)
    number: str = field(repr=False)
    full_name: str | None = field(repr=False)
    birth_date: str | None = field(repr=False)

    def proof(self, *, strict: bool) -> PersonProof:
        return PersonProof(self.number, self.full_name, self.birth_date, strict=strict)

    def given(self) -> dict[str, str]:
        """The given particulars that the policy lets be compared."""
        values = {"full_name": self.full_name, "birth_date": self.birth_date}
        return {code: value for code, value in values.items() if value and code in self.service.policy.fields}


def services_of(policies: Sequence[Policy]) -> list[Service]:
    """What an agency's officials may check for: its policies in statutory duty, by purpose and procedure."""
    return [
        Service(policy.purpose, procedure, policy)
        for policy in policies
        if LEGAL_BASIS in policy.legal_bases
        for procedure in (sorted(policy.procedures) or [""])
    ]


def read_check(form: Mapping[str, str], services: Sequence[Service]) -> CheckForm:
    """Raises BadInput that names each entry to mend."""
    faults: dict[str, str] = {}
    service = next((one for one in services if one.value == form["service"]), None)
    if service is None:
        faults["service"] = "Choose what the check is for."
    procedure = (service.procedure if service else "") or form["procedure"].strip()
    if service is not None and service.policy.needs_procedure and not procedure:
        faults["procedure"] = "Enter the code of the procedure."
    dossier = form["dossier"].strip()
    if service is not None and service.policy.needs_dossier and not dossier:
        faults["dossier"] = "Enter the number of the dossier."
    if not dossier.isprintable():
        faults["dossier"] = "This entry cannot be read."
    number = _number(form["number"], faults)
    full_name = _name(form["full_name"], faults)
    birth_date = _date(form["birth_date"], faults)
    if not faults and not is_enough(full_name, birth_date):
        faults["full_name"] = "Enter the full name, or the birth date to the day. A number alone finds nobody."
    if faults or service is None:
        raise BadInput("check-form", "Some entries have to be mended.", fields=faults)
    return CheckForm(
        service, procedure or None, dossier or None, number, full_name, birth_date.iso if birth_date else None
    )


def _number(text: str, faults: dict[str, str]) -> str:
    digits = "".join(text.split())
    try:
        return parse_number(digits).digits
    except ValueError:
        faults["number"] = "Enter the 12 digits of the personal number."
        return ""


def _name(text: str, faults: dict[str, str]) -> str | None:
    if not text.strip():
        return None
    try:
        return normalise_name(text)
    except ValueError:
        faults["full_name"] = "This is not a name as it stands on papers."
        return None


def _date(text: str, faults: dict[str, str]) -> PartialDate | None:
    if not text.strip():
        return None
    try:
        return PartialDate.parse(text)
    except ValueError:
        faults["birth_date"] = "Enter the birth date as day/month/year, for example 17/05/1960."
        return None
