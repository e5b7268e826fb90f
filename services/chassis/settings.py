"""Settings: what may be configured, read once from the environment and `.env` at the start of a process.

Addresses that are not given are those of the embedded parts, which `drumbeat run` leaves in
`addresses.json` of the data directory.
"""

import json
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

ADDRESSES_FILE = "addresses.json"

Port = Annotated[int, Field(ge=1, le=65535)]


class SettingsRejected(Exception):
    """The settings do not make sense; the message names each variable, what is wrong and what it takes."""


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kafka(Group):
    """The broker. `partitions` and `replication_factor` count only when a topic is created."""

    bootstrap_servers: str | None = None
    partitions: int = Field(default=12, ge=1, le=1000)
    replication_factor: int = Field(default=-1, description="-1: the broker's default")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: str | None = None
    ssl_ca_file: Path | None = None


class Database(Group):
    """PostgreSQL. The URL names the server; each service has its own database and role on it."""

    url: str | None = None
    pool_size: int = Field(default=8, ge=2, le=100)


class Clock(Group):
    """Service now = start + (real now - origin) x rate. Absent start and origin: the real clock."""

    start: AwareDatetime | None = None
    rate: float = Field(default=1.0, gt=0, le=1_000_000)
    origin: AwareDatetime | None = None


class Http(Group):
    host: str = "127.0.0.1"
    port: Port


class Email(Group):
    """The mail relay. `redirect_to` sends every mail to one address instead (staging)."""

    host: str | None = None
    port: Port = 25
    username: str | None = None
    password: str | None = None
    tls: Literal["none", "starttls", "implicit"] = "none"
    sender: str = "Drumbeat <drumbeat@localhost>"
    redirect_to: str | None = None


class AddressesSource(PydanticBaseSettingsSource):
    """The lowest source: where a running `drumbeat run` left the addresses of its embedded parts."""

    def get_field_value(self, field: object, field_name: str) -> tuple[object, str, bool]:  # noqa: ARG002
        return None, field_name, False

    def __call__(self) -> dict[str, object]:
        data_dir = Path(str(self.current_state.get("data_dir", ".drumbeat")))
        try:
            left: object = json.loads((data_dir / ADDRESSES_FILE).read_bytes())
        except (OSError, ValueError):
            return {}
        if not isinstance(left, dict):
            return {}
        found = cast("dict[str, object]", left)
        return {name: found[name] for name in ("kafka", "database", "clock", "email") if name in found}


class Settings(BaseSettings):
    """Everything that may be set, as `DRUMBEAT_NAME` or, inside a group, `DRUMBEAT_GROUP__NAME`."""

    model_config = SettingsConfigDict(
        env_prefix="DRUMBEAT_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,  # a host alone leaves the port as it is
        env_file=".env",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
    )

    data_dir: Path = Path(".drumbeat")
    kafka: Kafka = Kafka()
    database: Database = Database()
    clock: Clock = Clock()
    email: Email = Email()
    console: Http = Http(port=8000)
    rules_engine: Http = Http(port=8001)
    scheduler: Http = Http(port=8002)
    notifier: Http = Http(port=8003)
    policy: Path | None = Field(default=None, description="a policy file or a flat folder of them")
    sample: bool = Field(default=True, description="feed the sample book to an empty store")
    mode: Literal["live", "hold", "observe"] = "live"
    webhook_allow_private: bool = False
    public_url: str | None = Field(default=None, description="the notifier's address in links to customers")
    api_key_file: Path | None = Field(default=None, description="default: api-key in the data directory")
    faults: str = Field(default="", description="named fault points, for tests only: name=kill@3,name=stop")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, AddressesSource(settings_cls)

    @property
    def key_file(self) -> Path:
        return self.api_key_file or self.data_dir / "api-key"

    def url_of(self, service: Literal["console", "rules_engine", "scheduler", "notifier"]) -> str:
        """The address under which a service of this deployment answers on this machine."""
        http = cast("Http", getattr(self, service))
        host = "127.0.0.1" if http.host in ("0.0.0.0", "::") else http.host  # noqa: S104
        return f"http://{host}:{http.port}"

    def broker(self) -> str:
        if self.kafka.bootstrap_servers is None:
            raise SettingsRejected(_no_address("Kafka", "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS", self.data_dir))
        return self.kafka.bootstrap_servers

    def database_url(self) -> str:
        if self.database.url is None:
            raise SettingsRejected(_no_address("PostgreSQL", "DRUMBEAT_DATABASE__URL", self.data_dir))
        return self.database.url


def _no_address(what: str, variable: str, data_dir: Path) -> str:
    return (
        f"No address of {what}: set {variable}, or start `drumbeat run` on the data directory {data_dir}, "
        f"which leaves the addresses of its embedded parts there."
    )


def load_settings(**overrides: object) -> Settings:
    """Read the settings; `SettingsRejected` names every variable that is wrong at once."""
    try:
        return Settings(**overrides)  # pyright: ignore[reportArgumentType]
    except ValidationError as wrong:
        lines = [
            f"{_variable(each['loc'])}: {each['msg']} (found {each['input']!r})" for each in wrong.errors()
        ]
        raise SettingsRejected("Settings refused:\n  " + "\n  ".join(lines)) from wrong


def _variable(place: tuple[int | str, ...]) -> str:
    return "DRUMBEAT_" + "__".join(str(part).upper() for part in place)
