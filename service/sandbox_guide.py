"""What a newcomer needs to know of a sandbox: whom to sign in as, which agencies and clients there are.

Made by `service.sandbox`, shown by `dinhdanh up` and `dinhdanh sandbox`. The people are synthetic, so their
numbers, passwords and code secrets may be printed; nothing of the kind exists outside the sandbox. The JSON
form is a contract with those who test against a sandbox (docs/sandbox.md): members are added, never changed.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = 1


@dataclass(frozen=True, slots=True)
class PersonaGuide:
    """One person. level: 1, 2, or 0 without an account. totp_secret: base32, None without a second factor."""

    key: str
    name: str
    number: str
    birth_date: str
    level: int
    password: str | None
    totp_secret: str | None
    special_vi: str
    special_en: str
    locked: bool = False


@dataclass(frozen=True, slots=True)
class AgencyGuide:
    """One agency and the purposes its policies hold."""

    code: str
    name_vi: str
    name_en: str
    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfficialGuide:
    """A persona's appointment. procedures: what may be named at a check."""

    persona: str
    agency: str
    unit: str
    title: str
    areas: tuple[str, ...]
    permissions: tuple[str, ...]
    procedures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClientGuide:
    """One registered client.

    client_secret or private_jwk (ES256), by auth_method. resource: audience of its lookup tokens. certificate and
    certificate_key: PEM, for clients that come by mTLS. delivery_mode: of CIBA, "poll" or "ping".
    """

    client_id: str
    name: str
    agency: str
    profile: str
    auth_method: str
    client_secret: str | None
    private_jwk: dict[str, Any] | None
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    grant_types: tuple[str, ...]
    scopes: tuple[str, ...]
    dpop_bound: bool
    resource: str | None = None
    mtls_bound: bool = False
    certificate: str | None = field(default=None, repr=False)
    certificate_key: str | None = field(default=None, repr=False)
    delivery_mode: str | None = None


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The whole guide. conformance_redirect: where the conformance suite waits (service.sandbox_conformance)."""

    issuer: str
    portal: str
    personas: tuple[PersonaGuide, ...]
    officials: tuple[OfficialGuide, ...]
    agencies: tuple[AgencyGuide, ...]
    clients: tuple[ClientGuide, ...]
    conformance_redirect: str = ""

    def as_json(self) -> dict[str, Any]:
        """For `dinhdanh sandbox --json` and the file it is kept in."""
        return {"format": FORMAT, "synthetic": True, **asdict(self)}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> "Sandbox":
        """Reads what `as_json` gave. Raises KeyError, TypeError when it is something else."""
        return cls(
            issuer=raw["issuer"],
            portal=raw["portal"],
            personas=tuple(PersonaGuide(**one) for one in raw["personas"]),
            officials=tuple(OfficialGuide(**_tuples(one)) for one in raw["officials"]),
            agencies=tuple(AgencyGuide(**_tuples(one)) for one in raw["agencies"]),
            clients=tuple(ClientGuide(**_tuples(one)) for one in raw["clients"]),
            conformance_redirect=raw.get("conformance_redirect", ""),
        )


def _tuples(raw: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}
