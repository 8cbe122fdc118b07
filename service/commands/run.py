"""`up`, `serve`, `worker`, `migrate`: the processes of the service."""

from rich.console import Console

from core.log import configure_logging
from core.settings import load_settings, require_for
from service.servers import servers_for_command


def up_command() -> None:
    """Run the sandbox: servers, migrations, people, web, worker and demo portal. Ctrl-C stops it."""
    settings = load_settings()
    from service.up import up  # here and below: a command loads what it needs, `version` starts at once

    up(settings, Console(highlight=False))


def serve_command() -> None:
    """Serve the pages and APIs (needs DATABASE_URL and REDIS_URL)."""
    settings = load_settings()
    require_for(settings, "web")
    configure_logging(settings.log_level)
    from service.serve import serve

    serve(settings)


def worker_command() -> None:
    """Run the background work (needs DATABASE_WORKER_URL and REDIS_URL)."""
    settings = load_settings()
    require_for(settings, "worker")
    configure_logging(settings.log_level)
    from service.gate import wait_at_gate
    from service.worker import work

    wait_at_gate()
    work(settings)


def migrate_command() -> None:
    """Bring the database to the newest revision and make missing data keys, as its owner (DATABASE_OWNER_URL)."""
    settings = load_settings()
    require_for(settings, "migrate")
    with servers_for_command(settings) as servers:
        from service.key_files import make_sandbox_keys
        from service.prepare import prepare_database
        from service.revision import newest_revision

        if settings.sandbox:
            make_sandbox_keys(settings)
        prepare_database(servers.settings)
    Console(highlight=False).print(f"The database is at revision {newest_revision()}.")
