"""`dinhdanh up`: the whole sandbox in one go, stopped in order by Ctrl-C.

Servers → migrations → sandbox people → web processes, worker, demo portal. Each runs as a supervised child,
is restarted when it dies, and is gone when this process is gone.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.status import Status

from core.settings import Settings
from service.errors import CommandError
from service.gate import open_gate
from service.ports import PortWish
from service.ready_marks import ready_marks
from service.sandbox_guide import Sandbox
from service.sandbox_processes import fresh_temporary_dir, portal_child, web_child, worker_child
from service.servers import changed, servers_for_up
from service.signals import AskedToEnd, end_on_signals, wait_for_signal
from service.supervise import Supervised
from service.welcome import show_welcome

if TYPE_CHECKING:
    from service.tls_front import TlsFront

GATE = "gate"


def up(settings: Settings, console: Console) -> None:
    """Run the sandbox until a signal asks to end. Raises errors that say in one sentence what is wrong."""
    if not settings.sandbox:
        raise CommandError("`dinhdanh up` is the sandbox; in production run `dinhdanh serve` and `dinhdanh worker`")
    settings = _with_fitting_issuer(settings)
    front = _front(settings) if settings.tls else None
    ports = _ports(settings)
    with contextlib.suppress(AskedToEnd), end_on_signals(), contextlib.ExitStack() as stack:
        with console.status("Starting PostgreSQL and Redis …") as status:
            settings = stack.enter_context(servers_for_up(settings, ports)).settings
            if front is not None:
                settings = changed(settings, listen_socket=front.web_socket(settings))
            marks = stack.enter_context(ready_marks(fresh_temporary_dir(settings)))
            # Web and worker load their code while the database is made ready here, and wait at a gate.
            gate = marks / GATE
            web, worker = web_child(settings, marks, gate), worker_child(settings, marks, gate)
            stack.enter_context(_running((web, worker)))
            sandbox, portal_file = _prepare(settings, status)
            open_gate(gate)
            status.update("Starting the service …")
            portal = portal_child(settings, portal_file)
            last = [portal, *([] if front is None else [front.child(settings)])]
            stack.enter_context(_running(last))
            for process in (web, worker, *last):
                process.wait_ready()
        show_welcome(console, sandbox)
        stack.callback(console.print, "Stopping …")
        wait_for_signal()


def _with_fitting_issuer(settings: Settings) -> Settings:
    """The issuer follows a port chosen by DINHDANH_PORT, unless it was chosen itself."""
    if "issuer" in settings.model_fields_set or settings.tls:
        return settings
    return changed(settings, issuer=f"http://localhost:{settings.port}")


def _front(settings: Settings) -> "TlsFront":
    """Imported late, and for those alone who want it. Raises CommandError when there is no nginx."""
    from service.tls_front import TlsFront

    return TlsFront.find(settings.nginx)


def _ports(settings: Settings) -> tuple[PortWish, ...]:
    """What this run will listen on; behind the front the application itself has a socket instead of a port."""
    portal = PortWish(settings.host, settings.portal_port, "DINHDANH_PORTAL_PORT")
    if not settings.tls:
        return PortWish(settings.host, settings.port, "DINHDANH_PORT"), portal
    return (
        portal,
        PortWish(settings.host, settings.tls_port, "DINHDANH_TLS_PORT"),
        PortWish(settings.host, settings.tls_mtls_port, "DINHDANH_TLS_MTLS_PORT"),
        PortWish(settings.host, settings.tls_portal_port, "DINHDANH_TLS_PORTAL_PORT"),
    )


def _prepare(settings: Settings, status: Status) -> tuple[Sandbox, Path]:
    """Keys, migrations, people; also the settings file of the portal. Imported late: it is most of the code."""
    from service.key_files import make_sandbox_keys
    from service.portal_file import write_portal_settings
    from service.prepare import prepare_database
    from service.sandbox import seed

    status.update("Migrating the database …")
    make_sandbox_keys(settings)
    if settings.tls:
        from service.tls_front import prepare_certificates

        prepare_certificates(settings)
    prepare_database(settings)
    status.update("Preparing the sandbox people …")
    sandbox = seed(settings)
    return sandbox, write_portal_settings(settings, sandbox)


@contextlib.contextmanager
def _running(processes: Sequence[Supervised]) -> Iterator[None]:
    """Start them; at the end stop them side by side."""
    try:
        for process in processes:
            process.start()
        yield
    finally:
        for process in processes:
            process.ask_to_stop()
        for process in processes:
            process.stop()
