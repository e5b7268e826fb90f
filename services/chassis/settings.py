"""Settings, read once from the environment and `.env` at the start of a process.

Addresses that are not set are those of the embedded parts, which `drumbeat run` writes to `addresses.json` in
the data directory.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from socket import inet_aton, inet_ntoa
from typing import Annotated, ClassVar, Literal, cast
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

ADDRESSES_FILE = "addresses.json"

Port = Annotated[int, Field(ge=1, le=65535)]


class CannotStart(Exception):
    """A process cannot start with its configuration; the message says what is wrong and what to do."""


class SettingsRejected(CannotStart):
    """A setting is invalid or missing; the message names each variable and what is wrong with it."""


def run_or_explain(run: Callable[[], object]) -> int:
    """Run a command. Exit code 0; 1 with one sentence when it cannot start, 2 when a setting is invalid."""
    try:
        run()
    except CannotStart as reason:
        sys.stderr.write(f"drumbeat: {reason}\n")
        return 2 if isinstance(reason, SettingsRejected) else 1
    return 0


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kafka(Group):
    """The broker. `partitions` and `replication_factor` apply only when a topic is created."""

    bootstrap_servers: str | None = None
    partitions: int = Field(default=12, ge=1, le=1000)
    replication_factor: int = Field(default=-1, description="-1: the broker's default")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: str | None = None
    ssl_ca_file: Path | None = None


class Database(Group):
    """PostgreSQL. The URL names the server, where each service has its own database and role."""

    url: str | None = None
    pool_size: int = Field(default=8, ge=2, le=100)


class Clock(Group):
    """Service now = start + (real now - origin) x rate. Without start and origin: the real clock."""

    start: AwareDatetime | None = None
    rate: float = Field(default=1.0, gt=0, le=1_000_000)
    origin: AwareDatetime | None = None


class Http(Group):
    host: str = "127.0.0.1"
    port: Port


class Email(Group):
    """The mail relay. With `redirect_to` every mail goes to that address instead (staging)."""

    host: str | None = None
    port: Port = 25
    username: str | None = None
    password: str | None = None
    tls: Literal["none", "starttls", "implicit"] = "none"
    sender: str = "Drumbeat <drumbeat@localhost>"
    redirect_to: str | None = None
    sink: str | None = Field(default=None, description="host:port that stores mail and delivers nothing")

    @property
    def is_relay(self) -> bool:
        """Whether mail leaves the machine: the host is not the sink of `drumbeat run`."""
        return self.host is not None and f"{self.host}:{self.port}" != self.sink


class AddressesSource(PydanticBaseSettingsSource):
    """The source of lowest priority: the addresses of embedded parts that `drumbeat run` wrote."""

    def get_field_value(self, field: object, field_name: str) -> tuple[object, str, bool]:  # noqa: ARG002
        return None, field_name, False

    def __call__(self) -> dict[str, object]:
        data_dir = Path(str(self.current_state.get("data_dir", ".drumbeat")))
        try:
            document: object = json.loads((data_dir / ADDRESSES_FILE).read_bytes())
        except (OSError, ValueError):
            return {}
        values = cast("dict[str, object]", document) if isinstance(document, dict) else {}
        return {name: values[name] for name in ("kafka", "database", "clock", "email") if name in values}


class Settings(BaseSettings):
    """Every setting: `DRUMBEAT_NAME` or, inside a group, `DRUMBEAT_GROUP__NAME`."""

    reads_addresses: ClassVar[bool] = True

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
    rates: Path | None = Field(default=None, description="a file of exchange rates")
    sample: bool = Field(default=True, description="`make run` posts the sample accounts to an empty store")
    mode: Literal["live", "hold", "observe"] = "live"
    webhook_allow_private: bool = False
    public_url: str | None = Field(default=None, description="the address of links in messages and events")
    api_key_file: Path | None = Field(default=None, description="default: api-key in the data directory")
    address_key_file: Path | None = Field(
        default=None, description="default: address-key in the data directory"
    )
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
        addresses = (AddressesSource(settings_cls),) if cls.reads_addresses else ()
        return init_settings, env_settings, dotenv_settings, *addresses

    @property
    def key_file(self) -> Path:
        return self.api_key_file or self.data_dir / "api-key"

    @property
    def address_key_path(self) -> Path:
        return self.address_key_file or self.data_dir / "address-key"

    def mail_hold(self) -> str | None:
        """Why customers get no mail: a relay would deliver it, but they could not open its links. None: they get it."""
        if not self.email.is_relay or self.email.redirect_to is not None:
            return None
        advice = "set DRUMBEAT_PUBLIC_URL to the notifier's address on the internet"
        if self.public_url is None:
            return f"links in mail would lead to {self.url_of('notifier')}; {advice}"
        if not leads_outside(self.public_url):
            return (
                f"links in mail would lead to {self.public_url}; {advice}, like https://drumbeat.example.com"
            )
        return None

    def url_of(self, service: Literal["console", "rules_engine", "scheduler", "notifier"]) -> str:
        """The URL of a service of this deployment on this machine."""
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


def leads_outside(url: str) -> bool:
    """Whether this is an http or https URL of another host than the reader's own machine."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host:
        return False
    return host != "localhost" and not host.endswith(".localhost") and not _is_own_machine(host)


def _is_own_machine(host: str) -> bool:
    """Whether the address is a loopback or the unspecified one, in any notation that browsers read."""
    with suppress(OSError):
        host = inet_ntoa(inet_aton(host))  # 127.1, 0x7f000001 and 2130706433 are 127.0.0.1
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any(one.is_loopback or one.is_unspecified for one in (address, mapped) if one is not None)


def _no_address(what: str, variable: str, data_dir: Path) -> str:
    return (
        f"No address of {what}: set {variable}, or start `drumbeat run` on the data directory {data_dir}, "
        f"which writes the addresses of its embedded parts there."
    )


def load_settings(**overrides: object) -> Settings:
    """Read the settings. Raises `SettingsRejected`, which names every invalid variable."""
    try:
        return Settings(**overrides)  # pyright: ignore[reportArgumentType]
    except ValidationError as invalid:
        lines = [
            f"{_variable(error['loc'])}: {error['msg']} (the value is {error['input']!r})"
            for error in invalid.errors()
        ]
        if len(lines) == 1:
            raise SettingsRejected(f"Invalid setting: {lines[0]}") from invalid
        raise SettingsRejected("Invalid settings:\n  " + "\n  ".join(lines)) from invalid


def _variable(location: tuple[int | str, ...]) -> str:
    return "DRUMBEAT_" + "__".join(str(part).upper() for part in location)
