"""`dinhdanh clients …`: an operator lists, suspends, issues tokens; on the module's own database."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.jose import SigningKey
from service.cli import main
from tests.actors.registering_client import PUBLISHER, acts_of, new_token, post, registered, statement, web_client
from tests.support.provider_fixture import world as world
from tests.support.provider_world import AGENCY, ProviderWorld


@pytest.fixture
def environment(world: ProviderWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands read the same addresses and keys as the application."""
    settings = world.settings
    monkeypatch.setenv("DINHDANH_DATA_DIR", str(settings.data_dir))
    for name, url in (
        ("DATABASE_URL", settings.database_url),
        ("DATABASE_OWNER_URL", settings.database_owner_url),
        ("DATABASE_WORKER_URL", settings.database_worker_url),
        ("DATABASE_READER_URL", settings.database_reader_url),
        ("REDIS_URL", settings.redis_url),
    ):
        assert url is not None
        monkeypatch.setenv(name, url.get_secret_value())


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    capsys.readouterr()  # the application logs to the same place
    with pytest.raises(SystemExit) as ended:
        main(["clients", *arguments])
    told = capsys.readouterr()
    return int(ended.value.code or 0), told.out + told.err


@pytest.mark.usefixtures("environment")
async def test_listing_and_showing(world: ProviderWorld, capsys: pytest.CaptureFixture[str]) -> None:
    made = await registered(world)
    client_id = made.told["client_id"]
    code, told = command(capsys, "list", "--agency", AGENCY, "--json")
    assert code == 0, told
    assert client_id in [each["client_id"] for each in json.loads(told)["clients"]]
    code, told = command(capsys, "list")
    assert (code, client_id in told) == (0, True), told
    code, told = command(capsys, "show", client_id)
    assert json.loads(told)["metadata"]["redirect_uris"] == made.told["redirect_uris"]
    assert made.told["client_secret"] not in told
    assert command(capsys, "show", "c-nobody") == (1, "dinhdanh: There is no such client.\n")
    assert command(capsys, "list", "--agency", "X99")[0] == 1


@pytest.mark.usefixtures("environment")
async def test_suspending(world: ProviderWorld, capsys: pytest.CaptureFixture[str]) -> None:
    made = await registered(world)
    client_id = made.told["client_id"]
    assert command(capsys, "suspend", client_id, "--reason", "lost", "--by", "lan") == (
        0,
        f"The client {client_id} is suspended.\n",
    )
    assert (await made.read()).status_code == 403
    assert command(capsys, "reinstate", client_id, "--by", "lan")[0] == 0
    assert (await made.read()).status_code == 200
    assert (await acts_of(world, client_id))[-2:] == ["oidc.client-suspended", "oidc.client-active"]


@pytest.mark.usefixtures("environment")
async def test_ending_a_registration_token(world: ProviderWorld, capsys: pytest.CaptureFixture[str]) -> None:
    made = await registered(world)
    end = ("end-registration-token", made.told["client_id"], "--by", "lan")
    code, told = command(capsys, *end)
    assert code == 0, told
    assert (await made.read()).status_code == 401
    assert command(capsys, *end) == (1, "dinhdanh: This client has no registration token.\n")


@pytest.mark.usefixtures("environment")
async def test_tokens(world: ProviderWorld, capsys: pytest.CaptureFixture[str]) -> None:
    issue = ("token", "issue", "--agency", AGENCY, "--by", "lan", "--profile", "openid-core")
    code, alone = command(capsys, *issue)
    assert code == 0, alone
    answer = await post(world.http(), alone.strip(), web_client(dinhdanh_profile="openid-core"))
    assert answer.json()["dinhdanh_state"] == "pending"
    code, two = command(capsys, *issue, "--seconded-by", "hung")
    answer = await post(world.http(), two.strip(), web_client(dinhdanh_profile="openid-core"))
    assert answer.json()["dinhdanh_state"] == "active"
    assert command(capsys, *issue, "--seconded-by", "lan")[0] == 1  # the same person is no second one
    assert command(capsys, *issue, "--uses", "1000")[0] == 1


@pytest.mark.usefixtures("environment")
async def test_publishers(world: ProviderWorld, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    key = SigningKey.generate("ES256")
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [key.public().public_jwk()]}), "utf-8")

    async def error() -> Any:
        answer = await post(world.http(), await new_token(world), web_client(software_statement=statement(key)))
        return answer.json().get("error")

    assert await error() == "unapproved_software_statement"
    assert command(capsys, "trust", PUBLISHER, str(keys), "--by", "lan")[0] == 0
    assert await error() is None
    assert command(capsys, "distrust", PUBLISHER, "--by", "lan")[0] == 0
    assert await error() == "unapproved_software_statement"
    assert command(capsys, "distrust", PUBLISHER, "--by", "lan")[0] == 1
    keys.write_text("[]", "utf-8")
    assert command(capsys, "trust", PUBLISHER, str(keys), "--by", "lan") == (1, "dinhdanh: keys.json is no JWK set\n")
