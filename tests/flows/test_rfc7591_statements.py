"""Software statements (RFC 7591 §2.3): what a publisher signs stands above what the client says, and widens nothing."""

import uuid

from core.jose import SigningKey
from tests.actors.registering_client import DROP, PUBLISHER, new_token, post, statement, trust_publisher, web_client
from tests.actors.relying_party import forged_jwt
from tests.support.provider_fixture import world as world
from tests.support.provider_world import ProviderWorld

KEY = SigningKey.generate("ES256")


async def test_a_statement_stands_above_what_the_client_says(world: ProviderWorld) -> None:
    await trust_publisher(world, KEY)
    signed = statement(KEY, client_name="Bộ công cụ cổng", logo_uri="https://software.example/logo.png")
    answer = await post(world.http(), await new_token(world), web_client(client_name="Mine", software_statement=signed))
    told = answer.json()
    assert answer.status_code == 201, told
    assert told["client_name"] == "Bộ công cụ cổng"
    assert told["logo_uri"] == "https://software.example/logo.png"
    assert told["software_id"] == "portal-kit"
    assert told["software_statement"] == signed
    untyped = statement(KEY, typ=None)
    assert (await post(world.http(), await new_token(world), web_client(software_statement=untyped))).status_code == 201


async def test_statements_that_do_not_hold(world: ProviderWorld) -> None:
    await trust_publisher(world, KEY)
    token, stranger = await new_token(world), SigningKey.generate("ES256")
    now = int(world.clock.now().timestamp())
    header = {"alg": "none", "typ": "JWT"}
    wrong = {
        "unsigned": forged_jwt(header, {"iss": PUBLISHER}, KEY),
        "other key": statement(stranger),
        "expired": statement(KEY, exp=now - 3600),
        "future": statement(KEY, nbf=now + 3600),
        "without end": statement(KEY, exp=DROP),
        "without beginning": statement(KEY, iat=DROP),
        "another thing of the publisher's": statement(KEY, typ="at+jwt"),
        "other server": statement(KEY, aud="https://elsewhere.example"),
        "no issuer": statement(KEY, iss=DROP),
        "odd issuer": statement(KEY, iss=["x"]),
    }
    for name, signed in wrong.items():
        answer = await post(world.http(), token, web_client(software_statement=signed))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_software_statement"), name
    unknown = statement(KEY, iss="https://nobody.example")
    answer = await post(world.http(), token, web_client(software_statement=unknown))
    assert answer.json()["error"] == "unapproved_software_statement"


async def test_a_publisher_may_be_one_agencys_own(world: ProviderWorld) -> None:
    own = SigningKey.generate("ES256")
    await trust_publisher(world, own, agency_id=uuid.uuid4())
    answer = await post(world.http(), await new_token(world), web_client(software_statement=statement(own)))
    assert answer.json()["error"] == "unapproved_software_statement"
    await trust_publisher(world, own, agency_id=world.agency_id)
    answer = await post(world.http(), await new_token(world), web_client(software_statement=statement(own)))
    assert answer.status_code == 201, answer.text


async def test_a_statement_widens_nothing(world: ProviderWorld) -> None:
    """What it says is checked like everything else, and what is ours is not its to say."""
    await trust_publisher(world, KEY)
    token = await new_token(world)
    for claims in (
        {"scope": "openid purpose:benefit-check"},
        {"dinhdanh_profile": "openid-core"},
        {"logo_uri": "javascript:x"},
    ):
        answer = await post(world.http(), token, web_client(software_statement=statement(KEY, **claims)))
        assert answer.json()["error"] == "invalid_client_metadata", claims
