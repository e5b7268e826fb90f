"""The options of a run, complete before anything starts: settings, data directory, clock, key, ports."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Literal, cast

from services.chassis.clock import real_now
from services.chassis.settings import Clock, Http, Settings, load_settings
from services.devstack.embedded.failures import CannotRun
from services.devstack.embedded.ports import free_ports, obstacle
from services.devstack.supervisor.clock_origin import resume_clock
from services.devstack.supervisor.folder import DataFolder
from services.rules_engine.settings import read_files

ServiceName = Literal["rules_engine", "scheduler", "notifier", "console"]
SERVICES: Final[tuple[ServiceName, ...]] = ("rules_engine", "scheduler", "notifier", "console")


class RunSettings(Settings):
    """The settings without the addresses that an earlier run wrote."""

    reads_addresses: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Ports:
    """The loopback ports of the embedded parts."""

    kafka: int
    postgres: int
    smtp: int


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run needs before it starts its first process."""

    settings: RunSettings
    folder: DataFolder
    clock: Clock
    key_file: Path
    ports: Ports


def prepare_run() -> RunOptions:
    """Read the settings and the policy, lock the data directory, check the ports.

    Raises `CannotStart`, for invalid settings `SettingsRejected`.
    """
    load_settings()  # its message names every invalid variable
    settings = RunSettings()
    read_files(settings)
    folder = DataFolder(settings.data_dir).lock()
    _check_ports(settings)
    remembered = folder.remembered()
    clock, key_file = (
        resume_clock(settings.clock, remembered.get("clock"), real_now()),
        settings.key_file.absolute(),
    )
    folder.create_key(key_file)
    return RunOptions(settings, folder, clock, key_file, _free_ports(remembered.get("ports")))


def endpoints(settings: Settings) -> Iterator[tuple[ServiceName, Http]]:
    """Where each service listens."""
    for name in SERVICES:
        yield name, cast("Http", getattr(settings, name))


def _check_ports(settings: Settings) -> None:
    for name, http in endpoints(settings):
        reason = obstacle(http.port, http.host)
        if reason is not None:
            raise CannotRun(
                f"Port {http.port} on {http.host}, which {name} listens on, cannot be used ({reason}): stop "
                f"what uses it, or set DRUMBEAT_{name.upper()}__PORT to a free one."
            )


def _free_ports(remembered: object) -> Ports:
    ports = cast("dict[str, object]", remembered) if isinstance(remembered, dict) else {}
    preferred = [ports.get(name) for name in ("kafka", "postgres", "smtp")]
    return Ports(*free_ports(3, preferred=[port if isinstance(port, int) else None for port in preferred]))
