"""Which PostgreSQL and Redis a command works with.

Addresses in the environment win. In the sandbox without addresses the embedded servers are used: those of the
`dinhdanh up` that runs in this checkout, or else our own for as long as the command lasts. Outside the sandbox
nothing embedded starts.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.settings import Settings, load_settings
from service.embedded import EmbeddedOptions, EmbeddedUrls, embedded_servers
from service.embedded_settings import EmbeddedSettings
from service.errors import CommandError
from service.places import PlaceTaken
from service.ports import PortWish, require_free_port
from service.secret_files import write_private

ADDRESSES = "addresses.json"  # below .data/secrets, mode 0600, there while the servers run


@dataclass(frozen=True)
class Servers:
    """Settings with every address filled in. `ours`: the servers belong to this process."""

    settings: Settings
    ours: bool


@contextlib.contextmanager
def servers_for_up(settings: Settings, ports: Sequence[PortWish]) -> Iterator[Servers]:
    """Servers for a whole run; `ports` are probed before anything is started.

    Raises PortTaken, PlaceTaken and the other EMBEDDED_ERRORS, CommandError: each one sentence.
    """
    if _addressed(settings):
        for wish in ports:
            require_free_port(wish)
        yield Servers(settings, ours=False)
        return
    with _own_servers(settings, ports) as servers:
        yield servers


@contextlib.contextmanager
def servers_for_command(settings: Settings) -> Iterator[Servers]:
    """Servers for one command beside, or without, a running service. Raises as `servers_for_up` does."""
    # In production a command says itself which address it lacks: migrating needs no cache.
    if not settings.sandbox or _addressed(settings):
        yield Servers(settings, ours=False)
        return
    try:
        with _own_servers(settings, ()) as servers:
            yield servers
    except PlaceTaken:
        yield Servers(_of_running(settings), ours=False)


def changed(settings: Settings, **values: object) -> Settings:
    """The same settings with some values exchanged, checked as all settings are."""
    return load_settings(**({name: getattr(settings, name) for name in settings.model_fields_set} | values))


@contextlib.contextmanager
def _own_servers(settings: Settings, ports: Sequence[PortWish]) -> Iterator[Servers]:
    chosen = EmbeddedSettings()
    options = EmbeddedOptions(
        data_dir=settings.data_dir,
        postgres_port=chosen.postgres_port,
        redis_port=chosen.redis_port,
        other_ports=ports,
    )
    with embedded_servers(options) as embedded:
        addresses = embedded.places.secrets / ADDRESSES
        write_private(addresses, json.dumps(embedded.urls.by_name()))
        try:
            yield Servers(changed(settings, **embedded.urls.by_name()), ours=True)
        finally:
            addresses.unlink(missing_ok=True)


def _of_running(settings: Settings) -> Settings:
    path = settings.data_dir / "secrets" / ADDRESSES
    try:
        urls = EmbeddedUrls(**json.loads(path.read_text("utf-8")))
    except OSError:
        raise CommandError("Định Danh is just starting or stopping here: try again in a moment") from None
    return changed(settings, **urls.by_name())


def _addressed(settings: Settings) -> bool:
    """Whether the environment names the servers. Half an address book is an error, not a guess."""
    names = ("DATABASE_URL", "REDIS_URL")
    present = [name for name in names if getattr(settings, name.lower()) is not None]
    if len(present) == 1:
        missing = next(name for name in names if name not in present)
        raise CommandError(f"{present[0]} is set but {missing} is not: set both, or neither for embedded servers")
    return bool(present)


def absolute_data_dir(settings: Settings) -> Path:
    """Where this run keeps its files, for handing to other processes."""
    return settings.data_dir.absolute()
