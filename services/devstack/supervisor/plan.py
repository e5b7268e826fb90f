"""What a run is to be, settled before anything starts: settings without remembered addresses, free ports."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from services.chassis.clock import real_now
from services.chassis.settings import Clock, Http, Settings, load_settings
from services.devstack.embedded.failures import PortTaken
from services.devstack.embedded.ports import free_port, obstacle
from services.devstack.supervisor.clock_origin import clock_values, settle_clock
from services.devstack.supervisor.folder import DataFolder

ServiceName = Literal["rules_engine", "scheduler", "notifier", "console"]
SERVICES: Final[tuple[ServiceName, ...]] = ("rules_engine", "scheduler", "notifier", "console")


class AskedSettings(Settings):
    """The settings as they were asked for: an address an earlier run left is no wish of anybody's."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        *asked, _left_by_a_run = super().settings_customise_sources(
            settings_cls, init_settings, env_settings, dotenv_settings, file_secret_settings
        )
        return tuple(asked)


@dataclass(frozen=True, slots=True)
class Ports:
    """The loopback ports of the embedded parts: wishes, until the parts have taken them."""

    kafka: int
    postgres: int
    smtp: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run needs to know before its first process."""

    settings: AskedSettings
    folder: DataFolder
    clock: dict[str, object]
    key: str
    key_file: Path
    ports: Ports


def settle() -> Plan:
    """Read the settings, take the data directory, check the ports; raises `CannotRun`, `SettingsRejected`."""
    load_settings()  # its messages name every variable that is wrong
    settings = AskedSettings()
    folder = DataFolder(settings.data_dir).hold()
    _check_ports(settings)
    remembered = folder.remembered()
    held = remembered.get("clock")
    clock = settle_clock(
        settings.clock, cast("dict[str, object]", held) if isinstance(held, dict) else None, real_now()
    )
    key_file = settings.key_file.absolute()
    return Plan(
        settings=settings,
        folder=folder,
        clock=clock_values(Clock.model_validate(clock.model_dump())),
        key=folder.first_key(key_file),
        key_file=key_file,
        ports=_wished_ports(remembered.get("ports")),
    )


def endpoints(settings: Settings) -> Iterator[tuple[ServiceName, Http]]:
    """Where each service listens."""
    for name in SERVICES:
        yield name, cast("Http", getattr(settings, name))


def _check_ports(settings: Settings) -> None:
    for name, http in endpoints(settings):
        trouble = obstacle(http.port, http.host)
        if trouble is not None:
            raise PortTaken(
                f"Port {http.port} on {http.host}, which {name} listens on, cannot be used ({trouble}): stop "
                f"what uses it, or set DRUMBEAT_{name.upper()}__PORT to a free one."
            )


def _wished_ports(remembered: object) -> Ports:
    held = cast("dict[str, object]", remembered) if isinstance(remembered, dict) else {}

    def wish(name: str) -> int | None:
        port = held.get(name)
        return port if isinstance(port, int) else None

    kafka = free_port(wish("kafka"))
    postgres = free_port(wish("postgres"), avoid=frozenset({kafka}))
    return Ports(kafka, postgres, free_port(wish("smtp"), avoid=frozenset({kafka, postgres})))
