"""oidcc-3rdparty-init-login-certification-test-plan: client_secret_basic, dynamic_client (2 modules)."""

from collections.abc import AsyncIterator

import pytest

from core.jose import SigningKey
from service.sandbox_conformance import CALLBACK
from tests.conformance.registering import REDIRECT, Registering, initial_access_token, registering
from tests.support.furnished import Furnished

INITIATE = REDIRECT.removesuffix(CALLBACK) + "/initiate_login"


@pytest.fixture
async def client(furnished: Furnished) -> AsyncIterator[Registering]:
    """The suite gives an RSA key without a name, though it authenticates by a secret."""
    token = await initial_access_token(furnished)
    async with registering(furnished, token, method="client_secret_basic") as made:
        yield made


def nameless_rsa_key() -> dict[str, object]:
    jwk = SigningKey.generate("RS256").public().public_jwk()
    return {name: value for name, value in jwk.items() if name != "kid"}


async def test_oidcc_3rd_party_init_login(client: Registering) -> None:
    """The address comes back, at once and when the registration is read."""
    told = await client.registered(initiate_login_uri=INITIATE, jwks={"keys": [nameless_rsa_key()]})
    assert told["initiate_login_uri"] == INITIATE
    headers = {
        "Authorization": f"Bearer {told['registration_access_token']}",
        "Accept": "application/json",
        "Accept-Charset": "utf-8",
    }
    answer = await client.http.get(told["registration_client_uri"], headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    assert answer.json()["initiate_login_uri"] == INITIATE


async def test_oidcc_3rd_party_init_login_nohttps(client: Registering) -> None:
    assert (
        await client.refused(
            initiate_login_uri=INITIATE.replace("https://", "http://"), jwks={"keys": [nameless_rsa_key()]}
        )
        == "invalid_client_metadata"
    )
