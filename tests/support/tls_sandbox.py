"""The whole sandbox behind its TLS front as real processes, and clients that speak to it as outsiders do."""

import json
import signal
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from core.clock import SystemClock
from core.jose import SigningKey
from service.sandbox_guide import ClientGuide, PersonaGuide, Sandbox
from tests.actors.relying_party import RelyingParty
from tests.support.commands import START_SECONDS, Command, free_port, run, start
from tests.support.holders import eventually


@dataclass(frozen=True)
class TlsSandbox:
    """A running one. mtls: origin that asks for certificates. folder: for files of the tests."""

    command: Command
    environment: dict[str, str]
    guide: Sandbox
    mtls: str
    folder: Path

    @property
    def issuer(self) -> str:
        return self.guide.issuer

    @property
    def data_dir(self) -> Path:
        return Path(self.environment["DINHDANH_DATA_DIR"])

    def client(self, client_id: str) -> ClientGuide:
        return next(one for one in self.guide.clients if one.client_id == client_id)

    def persona(self, key: str) -> PersonaGuide:
        return next(one for one in self.guide.personas if one.key == key)

    def context(self, shown: tuple[str, str] | None = None) -> ssl.SSLContext:
        """Trusts the sandbox's authority alone. shown: certificate and key (PEM) to authenticate with."""
        context = ssl.create_default_context(cafile=str(self.data_dir / "secrets" / "tls_authority.pem"))
        if shown is not None:
            file = self.folder / "client.pem"
            file.touch(mode=0o600)
            file.write_text("".join(shown))
            context.load_cert_chain(file)
        return context

    def http(self, base: str, shown: tuple[str, str] | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=base, verify=self.context(shown), trust_env=False, timeout=30)

    def party(self, client_id: str, http: httpx.AsyncClient) -> RelyingParty:
        """Plays a client of the guide."""
        one = self.client(client_id)
        key = SigningKey.from_jwk(one.private_jwk) if one.private_jwk else None
        return RelyingParty(
            http=http,
            clock=SystemClock(),
            issuer=self.issuer,
            client_id=client_id,
            method=one.auth_method,
            secret=one.client_secret,
            key=key,
            proof_key=SigningKey.generate("ES256") if one.dpop_bound else None,
            redirect_uri=one.redirect_uris[0] if one.redirect_uris else "",
        )

    def certificate_of(self, client_id: str) -> tuple[str, str]:
        one = self.client(client_id)
        assert one.certificate is not None
        assert one.certificate_key is not None
        return one.certificate, one.certificate_key


@contextmanager
def tls_sandbox(folder: Path, **further: str) -> Iterator[TlsSandbox]:
    """Starts everything, waits until it is told to be running, stops it in good order."""
    ports = {name: str(free_port()) for name in ("PORTAL_PORT", "TLS_PORT", "TLS_MTLS_PORT", "TLS_PORTAL_PORT")}
    environment = {
        "DINHDANH_TLS": "1",
        "DINHDANH_DATA_DIR": str(folder / "data"),
        "DINHDANH_WORKERS": "1",
        **{f"DINHDANH_{name}": port for name, port in ports.items()},
        **further,
    }
    command = start(["up"], environment, folder / "up.log")
    try:
        eventually(lambda: command.process.poll() is not None or "Ctrl-C" in command.said(), START_SECONDS)
        assert "Ctrl-C stops everything" in command.said(), command.said()
        told = run(["sandbox", "--json"], environment)
        assert told.returncode == 0, told.stderr
        guide: dict[str, Any] = json.loads(told.stdout)
        mtls = f"https://localhost:{ports['TLS_MTLS_PORT']}"
        yield TlsSandbox(command, environment, Sandbox.from_json(guide), mtls, folder)
    finally:
        if command.process.poll() is None:
            command.ends(signal.SIGINT)
