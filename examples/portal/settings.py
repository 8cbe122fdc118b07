"""The portal's own settings: a JSON file, mode 0600, made by the sandbox (or by hand for a real client)."""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """issuer: of the provider. base_url: how browsers reach this portal. scope: what it asks for."""

    issuer: str
    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    purpose: str
    host: str = "127.0.0.1"
    port: int = 8001
    cookie_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def scope(self) -> str:
        return f"openid profile phone email purpose:{self.purpose}"

    @property
    def redirect_uri(self) -> str:
        return f"{self.base_url}/callback"

    @property
    def signed_out_uri(self) -> str:
        return f"{self.base_url}/signed-out"


def read_settings(file: Path) -> PortalSettings:
    """Raises ValueError in words when the file is missing or lacks something."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        return PortalSettings(**raw)
    except OSError:
        raise ValueError(f"the portal's settings file {file.name} cannot be read") from None
    except (json.JSONDecodeError, TypeError) as error:
        raise ValueError(f"the portal's settings file is not complete: {error}") from None
