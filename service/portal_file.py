"""The settings file of the demo portal (examples/portal), as a portal's operator would write it by hand."""

import json
from pathlib import Path

from core.settings import Settings
from service.errors import CommandError
from service.sandbox_clients import PORTAL
from service.sandbox_guide import Sandbox
from service.secret_files import kept_secret, write_private

PURPOSE = "purpose:"


def write_portal_settings(settings: Settings, sandbox: Sandbox) -> Path:
    """Write `.data/secrets/portal.json`, mode 0600. Raises CommandError when the portal is not registered."""
    client = next((each for each in sandbox.clients if each.client_id == PORTAL), None)
    if client is None:
        raise CommandError("the demo portal is not registered in this sandbox: remove the data directory")
    folder = settings.secrets_dir.absolute()
    told = {
        "issuer": sandbox.issuer,
        "base_url": sandbox.portal,
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "purpose": next(each for each in client.scopes if each.startswith(PURPOSE)).removeprefix(PURPOSE),
        "host": settings.host,
        "port": settings.portal_port,
        "cookie_secret": kept_secret(folder, "portal_cookie"),
    }
    file = folder / "portal.json"
    write_private(file, json.dumps(told, indent=2) + "\n")
    return file
