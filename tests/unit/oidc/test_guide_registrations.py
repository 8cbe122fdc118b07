"""What the guide tells developers to register can be registered, and is what their library takes."""

import re
from typing import Any

import orjson

from oidc.metadata import provider_metadata
from oidc.profiles import STANDARD
from oidc.registration.check import check_metadata
from tests.support.holders import CHECKOUT

GUIDE = CHECKOUT / "docs" / "integrate-a-portal.md"
PORTAL: dict[str, Any] = {"client_name": "Cổng dịch vụ công", "redirect_uris": ["https://portal.example/callback"]}


def section(title: str) -> str:
    found = re.search(rf"^### {re.escape(title)}$(.*?)(?=^##|\Z)", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_spring_takes_its_logout_tokens() -> None:
    """It decodes them by RS256 alone, and they are signed as id_tokens are (Back-Channel Logout §2.4)."""
    told = section("Java: Spring Security")
    assert "backChannel(" in told
    registered = re.search(r"```json\n(.*?)```", told, re.DOTALL)
    assert registered is not None
    server = provider_metadata("https://id.example", ["full_name"])
    checked = check_metadata({**PORTAL, **orjson.loads(registered[1])}, STANDARD, server, sandbox=False)
    assert checked.id_token_alg == "RS256"
    assert checked.options.backchannel_logout_uri == "https://portal.example/logout/connect/back-channel/dinhdanh"
    assert "SignatureAlgorithm" not in told  # a bean for id_tokens would not be asked for logout tokens
