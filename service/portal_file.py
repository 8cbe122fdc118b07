"""The demo portal's own settings file, written from the sandbox guide: it gets its credentials and nothing else."""

import json
from pathlib import Path

from core.settings import Settings
from service.sandbox_clients import PORTAL
from service.sandbox_guide import Sandbox
from service.secret_files import kept_secret, write_private


def write_portal_file(settings: Settings, sandbox: Sandbox) -> Path:
    """Writes `.data/secrets/portal.json` (mode 0600) and gives its path."""
    client = next(client for client in sandbox.clients if client.client_id == PORTAL)
    told = {
        "issuer": sandbox.issuer,
        "base_url": sandbox.portal,
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "purpose": "school-enrolment",
        "host": settings.host,
        "port": settings.portal_port,
        "cookie_secret": kept_secret(settings.secrets_dir, "portal_cookie"),
    }
    path = (settings.secrets_dir / "portal.json").absolute()
    write_private(path, json.dumps(told, indent=2) + "\n")
    return path
