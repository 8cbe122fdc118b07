"""The suite as the one who is called: a server that we tell of answers and of sign-outs; certificates of its clients.

Import `certified_template` (certified.py), `suite_server` and `furnished` into a test module: the sandbox then has the
clients that come by mutual TLS as well, and its clients want to be told at `suite_server`.
"""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from core.settings import secret_value
from service.sandbox_conformance import DEFAULT_REDIRECT
from service.sandbox_guide import ClientGuide
from tests.conformance.certified import behind_our_front
from tests.support.certificates import Authority
from tests.support.furnished import Furnished, furnished_sandbox
from tests.support.other_servers import OtherServer, answers, other_server
from tests.support.servers import ServerAddresses

__all__ = ["NO_CONTENT", "SuiteServer", "certificate_of", "furnished", "suite_server"]

NO_CONTENT = answers(b"", status="204 No Content")
_PARTS = urlsplit(DEFAULT_REDIRECT)
_FURNISHED_FOR = f"{_PARTS.scheme}://{_PARTS.netloc}"


@dataclass
class SuiteServer:
    """Where the suite waits. server: what it was told, and how it answers."""

    server: OtherServer
    authority: Authority

    @property
    def place(self) -> str:
        return f"localhost:{self.server.port}"

    @property
    def base(self) -> str:
        """The address under which the suite's own endpoints lie."""
        return f"https://{self.place}{_PARTS.path.removesuffix('/callback')}"


@pytest.fixture(scope="module")
async def suite_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SuiteServer]:
    """Says 204 to everything until a test wants something else."""
    authority = Authority.made(tmp_path_factory.mktemp("suite"))
    async with other_server(NO_CONTENT, authority.server("localhost")) as server:
        yield SuiteServer(server, authority)


@pytest.fixture(scope="module")
async def furnished(
    servers: ServerAddresses,
    worker_number: int,
    certified_template: tuple[str, Path],
    suite_server: SuiteServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Furnished]:
    """In the place of the usual one: behind a front that hands on certificates, and allowed to call the suite."""
    folder = tmp_path_factory.mktemp("called")
    further = behind_our_front(certified_template[1]) | {
        "outbound_allowed": (suite_server.place,),
        "outbound_ca_file": suite_server.authority.ca_file,
    }
    async with furnished_sandbox(servers, worker_number, certified_template, folder, **further) as made:
        await _tell_clients(made, suite_server)
        yield made


async def _tell_clients(furnished: Furnished, suite_server: SuiteServer) -> None:
    """The clients were registered for the suite's usual port; this one waits at a free port."""
    connection = await asyncpg.connect(secret_value(furnished.settings.database_owner_url, "DATABASE_OWNER_URL"))
    try:
        await connection.execute(
            "UPDATE oidc.clients SET options = replace(options::text, $1, $2)::jsonb",
            _FURNISHED_FOR,
            f"https://{suite_server.place}",
        )
    finally:
        await connection.close()


def certificate_of(client: ClientGuide) -> str:
    """A client's certificate as the front writes it into the header (RFC 9440)."""
    assert client.certificate is not None
    leaf = x509.load_pem_x509_certificate(client.certificate.encode())
    return f":{base64.b64encode(leaf.public_bytes(Encoding.DER)).decode()}:"
