"""The fixture `settings` of an installation behind a proxy that hands on client certificates; clients that use them."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from core.settings import Settings, load_settings
from service.embedded import EmbeddedUrls
from tests.actors.relying_party import RelyingParty
from tests.support.client_certificates import Held, authority, bundle, name
from tests.support.provider_world import ProviderWorld

MTLS = "https://mtls.id.example"
GRANT = {"grant_type": "client_credentials"}
BACK_END: dict[str, Any] = {"grant_types": ["client_credentials"], "dpop_bound_access_tokens": False}
BOUND: dict[str, Any] = {"tls_client_certificate_bound_access_tokens": True, "dpop_bound_access_tokens": False}
SUBJECT = name("backend.agency.example", country="VN", organization="Sở Giáo dục, Hà Nội")
DN = SUBJECT.rfc4514_string()
ROOT, STRANGER = authority(), authority()


@pytest.fixture(scope="module")
def settings(database_urls: EmbeddedUrls, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """As behind our own nginx: the tests' address is the proxy's."""
    return mtls_settings(database_urls, tmp_path_factory.mktemp("data"), mtls_base=MTLS)


def mtls_settings(database_urls: EmbeddedUrls, data_dir: Path, **further: Any) -> Settings:
    """The settings of such an installation, with its data in an empty folder."""
    (data_dir / "secrets").mkdir(mode=0o700)
    return load_settings(
        mode="sandbox",
        data_dir=data_dir,
        client_certificate_header="Client-Cert",
        trusted_proxies=("198.51.100.0/24", "unix"),
        client_ca_file=bundle(data_dir / "authorities.pem", ROOT),
        **further,
        **database_urls.by_name(),
    )


def refused(answer: httpx.Response, error: str = "invalid_client", status: int = 401) -> httpx.Response:
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    return answer


async def named(world: ProviderWorld, member: str = "tls_client_auth_subject_dn", value: str = DN) -> RelyingParty:
    told: dict[str, Any] = {member: value, **BACK_END}
    return await world.register(method="tls_client_auth", **told)


async def shown(party: RelyingParty, held: Held | str | None, **headers: str) -> httpx.Response:
    """A token request over a connection with this certificate."""
    party.certificate = held.header if isinstance(held, Held) else held
    return await party.post("/token", GRANT, headers=headers)
