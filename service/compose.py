"""The composition root: builds every room from the ones below it, and plugs what looks upward.

Nothing else in the project knows all rooms. Web and worker processes are composed the same way; they differ in
the database login and in what runs on top.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal

from fastapi import APIRouter

import consent.api
import identity.api
import oidc.api
import privacy.desk.api
from consent.api import Brake, Consent, ConsentGuard, DisclosureDoor, LookupApi
from core.cache import Cache
from core.clock import Clock, SandboxClock, SystemClock
from core.database import Database
from core.dpop_nonces import DpopNonces
from core.interaction import Interactions
from core.outbound import Outbound
from core.outbox import Outbox
from core.runtime import Parts
from core.settings import Settings, require_for, secret_value
from core.token import TokenVerifier
from core.web.browser import WebSecret
from core.web.pages import Pages, PageSource
from identity.api import Identity
from oidc.api import ClientEnds, ClientLog, OpenIdProvider, ProviderFoundation, Registration
from population_db.api import Registry
from privacy.journal.api import Journal, LogKey, Sequencer
from privacy.pseudonyms.api import Pseudonyms
from privacy.vault.api import Vault
from service.key_files import hardware_place, key_files, open_keks, read_web_secret

Login = Literal["web", "worker"]

ROOT = Path(__file__).resolve().parent.parent
PAGE_SOURCES = (
    PageSource("core", ROOT / "core" / "web"),
    PageSource("population_db", ROOT / "population_db"),
    PageSource("identity", ROOT / "identity"),
    PageSource("consent", ROOT / "consent"),
    PageSource("oidc", ROOT / "oidc"),
    PageSource("developer", ROOT / "oidc" / "developer"),
    PageSource("desk", ROOT / "privacy" / "desk"),
)


def routers() -> list[APIRouter]:
    """Every room's routes, in a stable order."""
    return [
        *identity.api.routers(),
        *consent.api.routers(),
        *oidc.api.routers(),
        *privacy.desk.api.routers(),
    ]


@asynccontextmanager
async def composed(
    settings: Settings, *, login: Login, clock: Clock | None = None, asset_version: str = ""
) -> AsyncIterator[Parts]:
    """All rooms of one process, closed at the end. Raises SettingsError, VaultError, Unavailable, CommandError."""
    require_for(settings, login)
    parts = Parts()
    async with AsyncExitStack() as stack:
        parts.add(Settings, settings)
        clock = parts.add(Clock, clock or clock_of(settings))  # type: ignore[type-abstract]
        database = parts.add(Database, await _database(settings, login))
        stack.push_async_callback(database.close)
        cache = parts.add(Cache, Cache.connect(secret_value(settings.redis_url, "REDIS_URL")))
        stack.push_async_callback(cache.close)
        outbox = parts.add(Outbox, Outbox(clock))
        outbound = parts.add(Outbound, Outbound.from_settings(settings))
        stack.callback(outbound.close)
        web_secret = parts.add(WebSecret, read_web_secret(settings))
        nonces = parts.add(DpopNonces, DpopNonces(web_secret.key))
        client_log = parts.add(ClientLog, ClientLog(cache, clock, sandbox=settings.sandbox))
        stack.push_async_callback(client_log.close)
        client_ends = parts.add(ClientEnds, ClientEnds(cache, clock))
        stack.push_async_callback(client_ends.close)
        interactions = parts.add(Interactions, Interactions(cache, clock))
        pages = parts.add(Pages, Pages(PAGE_SOURCES, sandbox=settings.sandbox, asset_version=asset_version))

        async with database.raw_read() as tx:
            vault = parts.add(Vault, await Vault.load(tx, open_keks(settings)))
        foundation = parts.add(
            ProviderFoundation,
            ProviderFoundation(
                database=database,
                vault=vault,
                clock=clock,
                hardware=hardware_place(settings),
                keys_in_hardware=settings.signing_keys_in == "pkcs11",
            ),
        )
        journal = parts.add(Journal, Journal(database, clock, vault, ConsentGuard(clock, foundation)))
        stack.push_async_callback(journal.close)
        registry = parts.add(Registry, Registry(vault, clock, outbox))
        people = parts.add(
            Identity,
            Identity(
                settings=settings,
                clock=clock,
                database=database,
                cache=cache,
                outbox=outbox,
                web_secret=web_secret,
                vault=vault,
                journal=journal,
                registry=registry,
            ),
        )
        stack.callback(people.close)
        brake = Brake(cache, lambda number: vault.blind("brake", number).mac)
        door = parts.add(DisclosureDoor, DisclosureDoor(database, registry, journal, clock, brake, people.declarations))
        consents = parts.add(
            Consent,
            Consent(clock=clock, outbox=outbox, journal=journal, registry=registry, identity=people, door=door),
        )
        tokens = parts.add(
            TokenVerifier,
            TokenVerifier(
                issuer=settings.issuer,
                mtls_base=settings.mtls_base,
                keys=foundation,
                grants=foundation,
                cache=cache,
                clock=clock,
                nonces=nonces,
                checked=foundation.keys.issued,
            ),
        )
        certificates = bool(settings.client_certificate_header)
        parts.add(
            LookupApi,
            LookupApi(settings.issuer, tokens, foundation, foundation, foundation, door, clock, certificates),
        )
        parts.add(
            OpenIdProvider,
            OpenIdProvider(
                settings=settings,
                clock=clock,
                database=database,
                cache=cache,
                outbound=outbound,
                interactions=interactions,
                pages=pages,
                foundation=foundation,
                identity=people,
                consent=consents,
                journal=journal,
                registry=registry,
                vault=vault,
                pseudonyms=Pseudonyms(vault.secret("pseudonyms")),
                tokens=tokens,
                nonces=nonces,
                client_ends=client_ends,
            ),
        )
        parts.add(
            Registration,
            Registration(
                settings=settings,
                clock=clock,
                database=database,
                outbound=outbound,
                identity=people,
                consent=consents,
                registrar=parts.get(OpenIdProvider).registrar,
            ),
        )
        people.signed_out_place = parts.get(OpenIdProvider).signed_out
        _subscribe(parts)
        await foundation.load()  # the worker signs too: logout tokens
        await stack.enter_async_context(foundation.running())
        if login == "worker":
            signer = LogKey.from_file(key_files(settings).log_key).signer(settings.issuer)
            parts.add(Sequencer, Sequencer(database, clock, signer))
        yield parts


def _subscribe(parts: Parts) -> None:
    """Every process knows all handlers: who emits writes one row per handler, the worker runs them."""
    outbox = parts.get(Outbox)
    identity.api.register_events(outbox, parts.get(Identity))
    consent.api.register_events(outbox, parts.get(Consent))
    oidc.api.register_events(outbox, parts.get(Clock))  # type: ignore[type-abstract]


def clock_of(settings: Settings) -> Clock:
    """The clock of this installation: the machine's, in the sandbox with the offset its processes share."""
    return SandboxClock(settings.data_dir / "clock_offset") if settings.sandbox else SystemClock()


async def _database(settings: Settings, login: Login) -> Database:
    url, name = {
        "web": (settings.database_url, "DATABASE_URL"),
        "worker": (settings.database_worker_url, "DATABASE_WORKER_URL"),
    }[login]
    return await Database.connect(
        secret_value(url, name),
        sessions=settings.session_pool,
        raw=settings.raw_pool,
        application_name=f"dinhdanh-{login}",
    )
