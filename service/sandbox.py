"""Furnish the sandbox: people, accounts, agencies, purposes, policies, officials, clients.

Safe to run at every start: what is there already is left alone. Passwords and code secrets come from one random
seed of this sandbox; the whole guide is kept below `.data/secrets`, mode 0600.
"""

import asyncio
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import orjson

from core.clock import Clock
from core.database import Database, Tx
from core.outbox import Outbox
from core.runtime import Parts
from core.settings import Settings, secret_value
from identity.api import Identity, SelfDeclared
from population_db.api import Registry
from population_db.import_run import import_file
from population_db.synthetic.personas import PERSONAS, Persona, sandbox_population
from privacy.journal.api import ActorRef
from service.compose import composed
from service.errors import CommandError
from service.key_files import open_keks
from service.sandbox_clients import plans, register_clients
from service.sandbox_conformance import ConformanceSettings
from service.sandbox_guide import PersonaGuide, Sandbox
from service.sandbox_offices import appoint, furnish_offices, new_appointments
from service.sandbox_secrets import password_of, totp_secret_of
from service.sandbox_world import LOCKED_PERSONAS, SELF_DECLARED
from service.secret_files import kept_secret, write_private

GUIDE = "sandbox.json"
SEED = "sandbox_seed"
OPERATOR = ActorRef(kind="operator", id="sandbox", name_hint="Sandbox")


def seed(settings: Settings) -> Sandbox:
    """Furnishes, or finds furnished, the sandbox of these settings. Raises CommandError, ImportFailed."""
    if not settings.sandbox:
        raise CommandError("outside sandbox mode there are no sandbox people")
    with ThreadPoolExecutor(max_workers=1) as beside:
        return beside.submit(asyncio.run, _seed(settings)).result()


def guide(settings: Settings) -> Sandbox:
    """The guide of a sandbox that was furnished before. Raises CommandError when there is none."""
    try:
        return Sandbox.from_json(orjson.loads((settings.secrets_dir / GUIDE).read_bytes()))
    except OSError:
        raise CommandError("there is no sandbox here yet: run `make run` first") from None
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{GUIDE} is not what this version wrote: remove the data directory") from None


async def _seed(settings: Settings) -> Sandbox:
    conformance = ConformanceSettings()
    if (settings.secrets_dir / GUIDE).exists():
        found = guide(settings)
        _must_fit(settings, conformance, found)
        return await _with_what_is_new(settings, conformance, found)
    async with composed(settings, login="web") as parts:
        await _import_people(settings, parts)
        sandbox = await _furnish(settings, parts, conformance)
    _keep(settings, sandbox)
    return sandbox


def _must_fit(settings: Settings, conformance: ConformanceSettings, found: Sandbox) -> None:
    """Clients were registered with these addresses. Raises CommandError."""
    if (found.issuer, found.portal) != (settings.issuer, settings.portal_url):
        raise CommandError(
            f"this sandbox was furnished for {found.issuer} and {found.portal}: "
            "use the same ports, or another DINHDANH_DATA_DIR"
        )
    if conformance.chosen and found.conformance_redirect not in {"", conformance.conformance_redirect}:
        raise CommandError(
            f"this sandbox was furnished for a conformance suite at {found.conformance_redirect}: "
            "use the same DINHDANH_CONFORMANCE_REDIRECT, or another DINHDANH_DATA_DIR"
        )


async def _with_what_is_new(settings: Settings, conformance: ConformanceSettings, found: Sandbox) -> Sandbox:
    """A sandbox that an older version furnished gets the clients and officials that came since."""
    redirect = found.conformance_redirect or conformance.conformance_redirect
    known = {client.client_id for client in found.clients}
    mutual_tls = bool(settings.client_certificate_header)
    missing = [
        plan
        for plan in plans(settings.portal_url, redirect)
        if plan.client_id not in known and (mutual_tls or not plan.has_certificate)
    ]
    appointments = new_appointments(found)
    if not missing and not appointments:
        return found
    try:
        async with composed(settings, login="web") as parts, parts.get(Database).page() as tx:
            officials = await appoint(parts, tx, OPERATOR, appointments)
            added = await register_clients(settings, parts, tx, OPERATOR, missing)
            sandbox = replace(
                found,
                officials=(*found.officials, *officials),
                clients=(*found.clients, *added),
                conformance_redirect=redirect,
            )
            _keep(settings, sandbox)  # before the commit: a registered client whose secret is lost is of no use
    except BaseException:
        _keep(settings, found)
        raise
    return sandbox


def _keep(settings: Settings, sandbox: Sandbox) -> None:
    text = json.dumps(sandbox.as_json(), ensure_ascii=False, indent=2) + "\n"
    write_private(settings.secrets_dir / GUIDE, text)


async def _import_people(settings: Settings, parts: Parts) -> None:
    """Through the same import as any registry file; a second time it finds nothing new."""
    clock: Clock = parts.get(Clock)  # type: ignore[type-abstract]
    with tempfile.TemporaryDirectory(prefix="dinhdanh-sandbox-") as folder:
        file = Path(folder) / "people.jsonl"
        file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in sandbox_population()))
        report = await import_file(
            file,
            database_url=secret_value(settings.database_worker_url, "DATABASE_WORKER_URL"),
            open_keys=partial(open_keks, settings),
            clock=clock,
            events=parts.get(Outbox).names(),
            processes=0,
        )
    if report.rejected:
        raise CommandError(f"{report.rejected} sandbox people were refused by the import")


async def _furnish(settings: Settings, parts: Parts, conformance: ConformanceSettings) -> Sandbox:
    """One transaction: a sandbox is furnished whole or not at all."""
    async with parts.get(Database).page() as tx:
        people = await _accounts(settings, parts, tx)
        agencies, officials = await furnish_offices(parts, tx, OPERATOR)
        wanted = plans(settings.portal_url, conformance.conformance_redirect)
        clients = await register_clients(settings, parts, tx, OPERATOR, wanted)
    return Sandbox(
        issuer=settings.issuer,
        portal=settings.portal_url,
        personas=people,
        officials=officials,
        agencies=agencies,
        clients=clients,
        conformance_redirect=conformance.conformance_redirect,
    )


async def _accounts(settings: Settings, parts: Parts, tx: Tx) -> tuple[PersonaGuide, ...]:
    registry, identity = parts.get(Registry), parts.get(Identity)
    seed_text = kept_secret(settings.secrets_dir, SEED)
    births = {str(row["number"]): str(row["birth_date"]) for row in sandbox_population()}
    guides = []
    for persona in PERSONAS:
        password = password_of(seed_text, persona.key) if persona.level else None
        totp_secret = totp_secret_of(seed_text, persona.key) if persona.has_totp else None
        if persona.level and password:
            person = await registry.find_by_number(tx, persona.number)
            if person is None:
                raise CommandError(f"the persona {persona.key} is not in the registry")
            await identity.enrol(
                tx,
                person.person_id,
                ial=2 if persona.level == 2 else 1,
                password=password,
                totp_secret=totp_secret,
                by=OPERATOR,
            )
            if persona.key in SELF_DECLARED:
                declared = SelfDeclared.of(SELF_DECLARED[persona.key])
                await identity.declare(tx, person.person_id, declared, seen=0, by=OPERATOR)
            if persona.key in LOCKED_PERSONAS:
                await identity.lock(tx, person.person_id, "holder", by=OPERATOR)
        guides.append(_guide(persona, births[persona.number], password, totp_secret))
    return tuple(guides)


def _guide(persona: Persona, birth_date: str, password: str | None, totp_secret: str | None) -> PersonaGuide:
    return PersonaGuide(
        key=persona.key,
        name=persona.full_name,
        number=persona.number,
        birth_date=birth_date,
        level=persona.level,
        password=password,
        totp_secret=totp_secret,
        special_vi=persona.special[0],
        special_en=persona.special[1],
        locked=persona.key in LOCKED_PERSONAS,
    )
