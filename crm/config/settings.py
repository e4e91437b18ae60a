"""The settings tree. Every field is an environment variable: group `http`, field `port` is `SIYU_HTTP_PORT`.

Business numbers (rates, caps, tiers) are not here: they are rows that operators edit.
"""

from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path

from pydantic import BaseModel, Field, HttpUrl, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from crm.kit.networks import parse_networks


class TelegramMode(StrEnum):
    """How updates of Telegram bots come in."""

    POLLING = "polling"
    WEBHOOK = "webhook"


class DataSettings(BaseModel):
    """Read from `SIYU_DATA_*`."""

    dir: Path = Field(Path(".siyu"), description="Folder for what one machine keeps: embedded servers, secret, media.")


class DatabaseSettings(BaseModel):
    """Read from `SIYU_DATABASE_*`."""

    url: SecretStr | None = Field(None, description="PostgreSQL 15 or newer; absent: an embedded server is started.")
    pool_size: int = Field(10, ge=2, le=200, description="Connections that each process keeps at most.")
    interactive_pool_size: int = Field(
        10, ge=2, le=200, description="Connections of the interactive lane, apart from all else."
    )


class ValkeySettings(BaseModel):
    """Read from `SIYU_VALKEY_*`."""

    url: SecretStr | None = Field(None, description="Valkey or Redis; absent: an embedded server is started.")


class HttpSettings(BaseModel):
    """Read from `SIYU_HTTP_*`."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    trusted_proxies: str = Field("127.0.0.1", description="Comma-separated addresses whose X-Forwarded-* count.")
    metrics_from: str = Field(
        "127.0.0.1/32,::1/128",
        description="Comma-separated addresses and networks that may read /metrics, past any proxy.",
    )

    @field_validator("metrics_from")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        return ",".join(str(ip_network(one.strip(), strict=False)) for one in value.split(","))


class MetricsSettings(BaseModel):
    """Read from `SIYU_METRICS_*`."""

    host: str = Field("127.0.0.1", description="Address on which worker, sender, scheduler and poller show /metrics.")
    port: int = Field(0, ge=0, le=65535, description="Port for that; 0: none. api and up show it on their own port.")


class PublicSettings(BaseModel):
    """Read from `SIYU_PUBLIC_*`."""

    url: HttpUrl | None = Field(None, description="Address under which people reach this deployment.")


class SecretSettings(BaseModel):
    """Read from `SIYU_SECRET_*`."""

    key: SecretStr | None = Field(
        None, description="At least 32 characters; seals personal data. Absent: made and kept in the data folder."
    )
    older_keys: SecretStr | None = Field(None, description="Comma-separated earlier keys that must still open data.")


class TelegramSettings(BaseModel):
    """Read from `SIYU_TELEGRAM_*`."""

    bot_token: SecretStr | None = Field(None, description="Token of a bot to serve; absent: the simulator is run.")
    api_base: HttpUrl | None = Field(None, description="Another Bot API server.")
    mode: TelegramMode = Field(TelegramMode.POLLING, description="polling or webhook.")


class EgressSettings(BaseModel):
    """Read from `SIYU_EGRESS_*`: calls to addresses that people typed in, such as those of webhooks."""

    allow_http: bool = Field(default=False, description="Whether http:// may be called too; for development.")
    allowed_networks: str = Field(
        "", description="Comma-separated private networks that may be called nevertheless, such as 10.1.2.0/24."
    )

    @field_validator("allowed_networks")
    @classmethod
    def _are_allowed_networks(cls, value: str) -> str:
        return ",".join(str(one) for one in parse_networks(value))


class LogSettings(BaseModel):
    """Read from `SIYU_LOG_*`."""

    level: str = Field("INFO", pattern="(?i)^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR.")
    format: str = Field("console", pattern="^(console|json)$", description="console or json.")


class Settings(BaseSettings):
    """All settings; made once by runtime and handed on."""

    model_config = SettingsConfigDict(
        env_prefix="SIYU_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
    )

    data: DataSettings = DataSettings()
    database: DatabaseSettings = DatabaseSettings()
    valkey: ValkeySettings = ValkeySettings()
    http: HttpSettings = HttpSettings()
    metrics: MetricsSettings = MetricsSettings()
    public: PublicSettings = PublicSettings()
    secret: SecretSettings = SecretSettings()
    telegram: TelegramSettings = TelegramSettings()
    egress: EgressSettings = EgressSettings()
    log: LogSettings = LogSettings()
