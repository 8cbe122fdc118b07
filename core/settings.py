"""Settings: read once at start from the environment, frozen, checked. No default secret exists.

Outside sandbox mode a missing address, a plain http issuer or a missing key file stops the process with a
sentence that names the setting. In sandbox mode `service/embedded.py` fills in the addresses of its own
servers, and the key files are made at first run below `data_dir`.
"""

import ipaddress
import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

TLS_AUTHORITY = "tls_authority.pem"
"""The sandbox's own certificate authority, in its secrets directory."""


class SettingsError(Exception):
    """The settings do not hold; the message is one sentence per fault and names each setting."""


class Settings(BaseSettings):
    """All settings of one process. Environment: `DINHDANH_<NAME>`, and the five plain URLs below."""

    model_config = SettingsConfigDict(env_prefix="DINHDANH_", frozen=True, extra="ignore", env_ignore_empty=True)

    mode: Literal["sandbox", "production"] = "sandbox"
    issuer: str = ""
    """Origin of the service as browsers reach it; in the sandbox `http://localhost:<port>` unless set."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    portal_port: int = Field(default=8001, ge=1, le=65535)
    workers: int = Field(default=2, ge=1, le=64)
    data_dir: Path = Path(".data")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    database_url: SecretStr | None = Field(default=None, validation_alias=AliasChoices("DATABASE_URL", "database_url"))
    database_owner_url: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_OWNER_URL", "database_owner_url")
    )
    database_worker_url: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_WORKER_URL", "database_worker_url")
    )
    database_reader_url: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_READER_URL", "database_reader_url")
    )
    redis_url: SecretStr | None = Field(default=None, validation_alias=AliasChoices("REDIS_URL", "redis_url"))

    kek_file: Path | None = None
    """Key-encryption keys of the vault (JSON, mode 0600)."""
    kek_in: Literal["file", "pkcs11"] = "file"
    """Where the key-encryption keys are. With "pkcs11", keys of a `kek_file` still unwrap, until after a rewrap."""
    signing_keys_in: Literal["vault", "pkcs11"] = "vault"
    """Where new signing keys are made: sealed by the vault in the database, or in the hardware token."""
    pkcs11_module: Path | None = None
    """Library of the hardware token (PKCS #11)."""
    pkcs11_token: str = ""
    """Label of the token."""
    pkcs11_pin_file: Path | None = None
    """The user PIN of the token (mode 0600)."""
    key_rotation_days: int = Field(default=90, ge=2, le=730)
    """How long a signing key signs before the worker exchanges it."""
    log_key_file: Path | None = None
    """Ed25519 key that signs the journal's checkpoints (PEM, mode 0600)."""
    web_secret_file: Path | None = None
    """32 or more random bytes for CSRF tokens (mode 0600)."""

    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose `Forwarded` or `X-Forwarded-For` is believed (never both at once), and the client
    certificates they hand on; the word `unix` stands for whoever comes through our own unix socket. None by default."""
    client_certificate_header: str = ""
    """Header in which a trusted proxy hands on the client's certificate (RFC 9440: Client-Cert); empty: no mutual
    TLS. The proxy must remove what callers write there."""
    client_ca_file: Path | None = None
    """Certificate authorities (PEM) whose client certificates may authenticate (tls_client_auth); none without it."""
    mtls_base: str = ""
    """Origin at which the proxy asks for client certificates, when that is another than the issuer (RFC 8705 §5)."""

    listen_socket: Path | None = None
    """Unix socket to listen on instead of host and port, for a proxy on this machine that ends TLS."""
    tls: bool = False
    """Sandbox only: nginx in front of it ends TLS (`make run TLS=1`), in a data directory of its own."""
    tls_port: int = Field(default=8443, ge=1, le=65535)
    tls_mtls_port: int = Field(default=8445, ge=1, le=65535)
    """Where the front asks for client certificates; browsers are not bothered with that on the other one."""
    tls_portal_port: int = Field(default=8444, ge=1, le=65535)
    nginx: Path | None = None
    """The program, where it is not found by its name."""

    outbound_allowed: tuple[str, ...] = ()
    """`host:port` that we may call though it lies in a private network, for test environments; in the sandbox the
    demo portal's unless set."""
    outbound_ca_file: Path | None = None
    """Certificate authorities (PEM) that outbound calls believe beside the system's."""

    begun_per_network: int = Field(default=600, ge=1)
    """Sign-ins that one network (/24, IPv6 /48) may begin in a minute before anybody is signed in. Each may take 10 kB
    of Redis for half an hour: more memory there allows more here."""
    session_pool: int = Field(default=4, ge=1)
    raw_pool: int = Field(default=8, ge=1)
    argon2_memory_kib: int = Field(default=19_456, ge=19_456)
    argon2_time_cost: int = Field(default=2, ge=2)
    argon2_threads: int = Field(default=2, ge=1, le=64)
    argon2_queue: int = Field(default=64, ge=1)
    """Sign-ins that may wait for a hashing thread; beyond that the answer is 503 with Retry-After."""

    @field_validator("issuer", "mtls_base")
    @classmethod
    def _issuer_is_an_origin(cls, value: str) -> str:
        if not value:
            return value
        if not value.startswith(("http://", "https://")) or value.endswith("/") or "?" in value or "#" in value:
            raise ValueError("must be an http(s) URL without trailing slash, query or fragment")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in value:
            if proxy != "unix":
                ipaddress.ip_network(proxy)
        return value

    @field_validator("client_certificate_header")
    @classmethod
    def _header_is_a_name(cls, value: str) -> str:
        if value and re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,63}", value, re.ASCII) is None:
            raise ValueError("must be the name of a header")
        return value

    @field_validator("outbound_allowed")
    @classmethod
    def _allowed_are_hosts_with_port(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for place in value:
            host, _, port = place.rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65536:
                raise ValueError("must be a list of host:port")
        return value

    @field_validator("outbound_ca_file", "client_ca_file")
    @classmethod
    def _authorities_are_there(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("there is no such file")
        return value

    @model_validator(mode="after")
    def _a_token_is_named_whole(self) -> Self:
        named = (self.pkcs11_module, self.pkcs11_token, self.pkcs11_pin_file)
        wanted = "pkcs11" in {self.kek_in, self.signing_keys_in}
        if not all(named) and (wanted or any(named)):
            raise ValueError("DINHDANH_PKCS11_MODULE, DINHDANH_PKCS11_TOKEN and DINHDANH_PKCS11_PIN_FILE go together")
        return self

    @model_validator(mode="after")
    def _behind_our_front(self) -> Self:
        if not self.tls:
            return self
        if self.mode != "sandbox":
            raise ValueError("DINHDANH_TLS is for the sandbox; in production a proxy of yours ends TLS")
        if self.issuer and not self.https:
            raise ValueError("DINHDANH_ISSUER must be https with DINHDANH_TLS")
        issuer = self.issuer or f"https://localhost:{self.tls_port}"
        data_dir = self.data_dir if "data_dir" in self.model_fields_set else self.data_dir / "tls"
        authority = data_dir / "secrets" / TLS_AUTHORITY
        derived = {
            "issuer": issuer,
            "data_dir": data_dir,
            "trusted_proxies": ("unix",),
            "client_certificate_header": "Client-Cert",
            "client_ca_file": authority,
            "mtls_base": f"https://{urlsplit(issuer).hostname}:{self.tls_mtls_port}",
            "outbound_ca_file": authority,
            "outbound_allowed": (f"localhost:{self.tls_portal_port}",),
        }
        for name, value in derived.items():
            if name not in self.model_fields_set:
                object.__setattr__(self, name, value)
        return self

    @model_validator(mode="after")
    def _production_is_complete(self) -> Self:
        if self.mode == "sandbox":
            if not (self.tls or "mode" in self.model_fields_set or _is_of_this_machine(self.issuer)):
                raise ValueError(
                    "DINHDANH_MODE must be said, sandbox or production, beside a DINHDANH_ISSUER like this"
                )
            if not self.issuer:
                object.__setattr__(self, "issuer", f"http://localhost:{self.port}")
            if not self.outbound_allowed:
                object.__setattr__(self, "outbound_allowed", (f"localhost:{self.portal_port}",))
            return self
        if not self.https:
            raise ValueError("DINHDANH_ISSUER must be https outside sandbox mode")
        for name, path in (
            ("DINHDANH_KEK_FILE", self.kek_file),
            ("DINHDANH_LOG_KEY_FILE", self.log_key_file),
            ("DINHDANH_WEB_SECRET_FILE", self.web_secret_file),
            ("DINHDANH_PKCS11_PIN_FILE", self.pkcs11_pin_file),
        ):
            if path is not None and not path.is_file():
                raise ValueError(f"{name}: there is no such file")
            if path is not None and path.stat().st_mode & 0o077:
                raise ValueError(f"{name}: the file may be read by others; its mode must be 0600")
        return self

    @property
    def https(self) -> bool:
        """Whether browsers reach us by TLS: decides `__Host-` cookies and HSTS."""
        return self.issuer.startswith("https://")

    @property
    def sandbox(self) -> bool:
        return self.mode == "sandbox"

    @property
    def secrets_dir(self) -> Path:
        return self.data_dir / "secrets"

    @property
    def portal_url(self) -> str:
        """Origin of the sandbox's demo portal."""
        return f"https://localhost:{self.tls_portal_port}" if self.tls else f"http://localhost:{self.portal_port}"


def _is_of_this_machine(issuer: str) -> bool:
    """Whether an origin, or none yet, is reached by this machine alone: a sandbox that nobody asked for by name."""
    host = urlsplit(issuer).hostname or "localhost"
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


_NEEDED = {
    "web": {
        "DATABASE_URL": "database_url",
        "REDIS_URL": "redis_url",
        "DINHDANH_KEK_FILE": "kek_file",
        "DINHDANH_WEB_SECRET_FILE": "web_secret_file",
    },
    "worker": {
        "DATABASE_WORKER_URL": "database_worker_url",
        "REDIS_URL": "redis_url",
        "DINHDANH_KEK_FILE": "kek_file",
        "DINHDANH_LOG_KEY_FILE": "log_key_file",
        "DINHDANH_WEB_SECRET_FILE": "web_secret_file",
    },
    "migrate": {"DATABASE_OWNER_URL": "database_owner_url", "DINHDANH_KEK_FILE": "kek_file"},
}
"""Setting → attribute, by process. Each gets what it works with and no more: a web process that was taken over holds
neither the worker's password nor the key that signs the journal."""


def require_for(settings: Settings, process: Literal["web", "worker", "migrate"]) -> None:
    """Raises SettingsError that names what this process lacks; in the sandbox it is made, so nothing is asked."""
    if settings.sandbox:
        return
    needed = dict(_NEEDED[process])
    if settings.kek_in == "pkcs11":
        needed.pop("DINHDANH_KEK_FILE", None)
    missing = [name for name, attribute in needed.items() if getattr(settings, attribute) is None]
    if missing:
        raise SettingsError(f"outside sandbox mode these must be set: {', '.join(missing)}")


def load_settings(**overrides: object) -> Settings:
    """The settings of this process. Raises SettingsError with one sentence per fault, without values."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        faults = []
        for fault in error.errors(include_input=False, include_url=False):
            where = ".".join(str(part) for part in fault["loc"])
            message = fault["msg"].removeprefix("Value error, ")
            faults.append(f"DINHDANH_{where.upper()}: {message}" if where else message)
        raise SettingsError("; ".join(faults)) from None


def secret_value(url: SecretStr | None, name: str) -> str:
    """The URL behind a setting. Raises SettingsError that names the setting when it is not set."""
    if url is None:
        raise SettingsError(f"{name} is not set")
    return url.get_secret_value()
