"""Settings of the embedded servers alone; production never reads them."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class EmbeddedSettings(BaseSettings):
    """Environment: DINHDANH_POSTGRES_PORT, DINHDANH_REDIS_PORT (TCP on 127.0.0.1; unset: sockets alone)."""

    model_config = SettingsConfigDict(env_prefix="DINHDANH_", frozen=True, extra="ignore", env_ignore_empty=True)

    postgres_port: int | None = Field(default=None, ge=1, le=65535)
    redis_port: int | None = Field(default=None, ge=1, le=65535)
