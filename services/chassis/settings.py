"""Settings, read once from the environment and `.env` at the start of a process.

Addresses that are not set are those of the embedded parts, which `drumbeat run` writes to `addresses.json` in
the data directory.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, Literal, cast

from pydantic import AfterValidator, AwareDatetime, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from services.chassis import access_settings as access
from services.chassis import private_targets
from services.chassis.addresses_file import AddressesSource
from services.chassis.gateway_settings import Phone, Slack, Sms
from services.chassis.mail_settings import DEFAULT_SENDER, NO_RELAY, Email, Port
from services.chassis.mailbox import AddressLines, Line
from services.chassis.retention_settings import Retention
from services.chassis.setting_group import Group
from services.chassis.setting_names import describe_error
from services.chassis.tracing_settings import Tracing
from services.chassis.tracking_settings import Tracking
from services.chassis.urls import check_service_url, leads_outside, with_database, without_user
from services.chassis.webhook_settings import Webhooks


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
    """Service now = start + (real now - origin) x rate. Without start and origin: the real clock.

    With rate 0 it stands at the start until `POST :8001/v1/clock/advance`.
    """

    start: AwareDatetime | None = None
    rate: float = Field(default=1.0, ge=0, le=1_000_000)
    origin: AwareDatetime | None = None


class Http(Group):
    """Where a service listens. `url`: where the others reach it, when that is not this machine and port."""

    host: str = "127.0.0.1"
    port: Port
    url: Annotated[str, AfterValidator(check_service_url)] | None = None


class EngineHttp(Http):
    """The rules engine. `role`: `ingest` takes events in and answers, `engine` works at the events, `all` does both."""

    role: Literal["all", "ingest", "engine"] = "all"


class DeadLetters(Group):
    """More than `most` dead letters among `among` consecutive records of a partition halt it."""

    most: int = Field(default=100, ge=1, le=1_000_000)
    among: int = Field(default=1000, ge=1, le=10_000_000)


class Organization(Group):
    """Who writes to the customers: every mail to one says so."""

    name: Line | None = None
    postal_address: AddressLines | None = None


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
    organization: Organization = Organization()
    inbound: access.Inbound = access.Inbound()
    tracking: Tracking = Tracking()
    tracing: Tracing = Tracing()
    sms: Sms = Sms()
    slack: Slack = Slack()
    phone: Phone = Phone()
    webhooks: Webhooks = {}
    rate_limit: access.RateLimit = access.RateLimit()
    key_rate_limits: access.KeyRateLimits = {}
    sessions: access.Sessions = access.Sessions()
    oidc: access.Oidc = access.Oidc()
    busy_calendars: access.BusyCalendars = access.BusyCalendars()
    policy_checks: access.PolicyChecks = access.PolicyChecks()
    simulations: access.Simulations = access.Simulations()
    trusted_proxies: str = Field(
        default="127.0.0.1,::1",
        description="addresses and networks, with commas, whose X-Forwarded-Proto the console believes",
    )
    dead_letters: DeadLetters = DeadLetters()
    retention: Retention = Retention()
    console: Http = Http(port=8000)
    rules_engine: EngineHttp = EngineHttp(port=8001)
    scheduler: Http = Http(port=8002)
    notifier: Http = Http(port=8003)
    policy: Path | None = Field(default=None, description="a policy file or a flat folder of them")
    rates: Path | None = Field(default=None, description="a file of exchange rates")
    sample: bool = Field(default=True, description="`make run` posts the sample accounts to an empty store")
    mode: Literal["live", "hold", "observe"] = "live"
    webhook_allow_private: private_targets.Setting = private_targets.NONE
    webhook_disable_after_days: float = Field(default=5, gt=0, le=365)
    public_url: str | None = Field(default=None, description="the address of links in messages and events")
    api_key_file: Path | None = Field(default=None, description="default: api-key in the data directory")
    address_key_file: Path | None = Field(
        default=None, description="default: address-key in the data directory"
    )
    secrets_key_file: Path | None = Field(
        default=None, description="default: secrets-key in the data directory"
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

    @property
    def secrets_key_path(self) -> Path:
        return self.secrets_key_file or self.data_dir / "secrets-key"

    def mail_hold(self) -> str | None:
        """Why customers get no mail: nothing takes it, it would not say who writes, or its links would not work.

        None: they get it.
        """
        if self.email.host is None:
            return NO_RELAY
        if not self.email.is_relay or self.email.redirect_to is not None:
            return None
        return "; ".join(filter(None, (self.link_problem(), self._sender_problem()))) or None

    def link_problem(self) -> str | None:
        advice = "set DRUMBEAT_PUBLIC_URL to the notifier's address on the internet"
        if self.public_url is None:
            return f"links in messages would lead to {self.url_of('notifier')}; {advice}"
        if not leads_outside(self.public_url):
            return f"links in messages would lead to {without_user(self.public_url)}; {advice}, like https://drumbeat.example.com"
        return None

    def _sender_problem(self) -> str | None:
        missing = {
            "DRUMBEAT_ORGANIZATION__NAME": self.organization.name is None,
            "DRUMBEAT_ORGANIZATION__POSTAL_ADDRESS": self.organization.postal_address is None,
            "DRUMBEAT_EMAIL__FROM": self.email.sender == DEFAULT_SENDER,
        }
        names = [name for name, is_missing in missing.items() if is_missing]
        return f"mail would not say who writes; set {' and '.join(names)}" if names else None

    def url_of(self, service: Literal["console", "rules_engine", "scheduler", "notifier"]) -> str:
        """Where a service of this deployment is reached: its `url`, else its port on this machine."""
        http = cast("Http", getattr(self, service))
        if http.url is not None:
            return http.url
        host = "127.0.0.1" if http.host in ("0.0.0.0", "::") else http.host  # noqa: S104
        return f"http://{host}:{http.port}"

    def broker(self) -> str:
        if self.kafka.bootstrap_servers is None:
            raise SettingsRejected(_no_address("Kafka", "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS", self.data_dir))
        return self.kafka.bootstrap_servers

    def database_url(self) -> str:
        if self.database.url is None:
            raise SettingsRejected(_no_address("PostgreSQL", "DRUMBEAT_DATABASE__URL", self.data_dir))
        return with_database(self.database.url)


def _no_address(what: str, variable: str, data_dir: Path) -> str:
    return (
        f"No address of {what}: set {variable}, or start `drumbeat run` on the data directory {data_dir}, "
        f"which writes the addresses of its embedded parts there."
    )


def load_settings(**overrides: object) -> Settings:
    """Read the settings. Raises `SettingsRejected`, which names every invalid variable."""
    try:
        return Settings(**overrides)  # pyright: ignore[reportArgumentType]
    except SettingsError as unreadable:  # its cause has the value
        raise SettingsRejected(
            f"Invalid setting: {unreadable}: a group is one JSON object, or set its members one by one"
        ) from None
    except ValidationError as invalid:
        lines = [describe_error(variable_name(error["loc"]), error, Settings) for error in invalid.errors()]
        if len(lines) == 1:
            raise SettingsRejected(f"Invalid setting: {lines[0]}") from invalid
        raise SettingsRejected("Invalid settings:\n  " + "\n  ".join(lines)) from invalid


def variable_name(location: tuple[int | str, ...]) -> str:
    """The variable that sets a field: `("email", "host")` -> `DRUMBEAT_EMAIL__HOST`."""
    if location in (("email", "sender"), ("sms", "sender")):
        location = (location[0], "from")
    return "DRUMBEAT_" + "__".join(str(part).upper() for part in location)
