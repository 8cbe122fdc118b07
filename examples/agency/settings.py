"""What the back end must know: the provider, its own client, its key. Read from a sandbox's guide."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a dossier is about."""

    number: str = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AgencySettings:
    """resource: the audience of lookup tokens. private_jwk: the key that the client's assertions are signed with."""

    issuer: str
    client_id: str
    resource: str
    private_jwk: dict[str, Any] = field(repr=False)


def read_guide(file: Path, client_id: str, persona: str) -> tuple[AgencySettings, Person]:
    """From the output of `dinhdanh sandbox --json`. Raises ValueError in words."""
    try:
        guide = json.loads(file.read_text(encoding="utf-8"))
        clients = {one["client_id"]: one for one in guide["clients"] if one["resource"] and one["private_jwk"]}
        people = {one["key"]: Person(one["number"], one["name"]) for one in guide["personas"]}
        issuer = str(guide["issuer"])
    except OSError:
        raise ValueError(f"the file {file.name} cannot be read") from None
    except (json.JSONDecodeError, KeyError, TypeError):
        raise ValueError(f"the file {file.name} is not what `dinhdanh sandbox --json` prints") from None
    if client_id not in clients:
        raise ValueError(f"--client must be one of: {', '.join(sorted(clients))}")
    if persona not in people:
        raise ValueError(f"--person must be one of: {', '.join(sorted(people))}")
    client = clients[client_id]
    return AgencySettings(issuer, client_id, client["resource"], client["private_jwk"]), people[persona]
