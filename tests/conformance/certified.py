"""The sandbox behind a front that hands on certificates: it has the clients of every plan.

Import `certified_template` and `furnished` into a test module. Nobody is called here (called.py has a suite for that).
"""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.settings import TLS_AUTHORITY
from service.sandbox import seed
from service.sandbox_authority import sandbox_authority
from tests.support.furnished import Furnished, clone_furnished, furnished_sandbox, sandbox_settings
from tests.support.servers import ServerAddresses
from tests.support.threads import run_beside

__all__ = ["MTLS_BASE", "behind_our_front", "certified_template", "furnished"]

MTLS_BASE = "https://localhost:8445"
"""Where the front would ask for certificates."""
OUR_FRONT = "192.0.2.0/24"
"""The tests' own address: what they write into the header came from the front."""
HEADER = "Client-Cert"


def behind_our_front(data_dir: Path) -> dict[str, Any]:
    """The settings of a sandbox that lies behind the front. data_dir: where the authority's files are."""
    return {
        "client_certificate_header": HEADER,
        "trusted_proxies": (OUR_FRONT,),
        "client_ca_file": data_dir / "secrets" / TLS_AUTHORITY,
        "mtls_base": MTLS_BASE,
    }


@pytest.fixture(scope="session")
def certified_template(
    servers: ServerAddresses,
    worker_number: int,
    furnished_template: tuple[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, Path]:
    """The furnished database with the clients that need a certificate, of our authority or their own."""
    template, keys = furnished_template
    name, data_dir = f"certified_{worker_number}", tmp_path_factory.mktemp("certified") / "data"
    shutil.copytree(keys, data_dir)
    run_beside(clone_furnished(servers, name, template))
    sandbox_authority(data_dir / "secrets", datetime.now(UTC))
    seed(sandbox_settings(servers, name, worker_number, data_dir, **behind_our_front(data_dir)))
    return name, data_dir


@pytest.fixture(scope="module")
async def furnished(
    servers: ServerAddresses,
    worker_number: int,
    certified_template: tuple[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Furnished]:
    """In the place of the usual one."""
    folder = tmp_path_factory.mktemp("certified")
    further = behind_our_front(certified_template[1])
    async with furnished_sandbox(servers, worker_number, certified_template, folder, **further) as made:
        yield made
