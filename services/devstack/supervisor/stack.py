"""The processes of a run, in order: parts, schema, mail sink, services; stopped in reverse within thirty seconds."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path

from services.chassis.clock import real_now, service_clock
from services.chassis.settings import Clock
from services.devstack.embedded.failures import PartFailed
from services.devstack.embedded.kafka import EmbeddedKafka
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.devstack.embedded.processes import print_line, tail
from services.devstack.supervisor.child import Child, keep_part_running
from services.devstack.supervisor.in_force import read_standing_time
from services.devstack.supervisor.log_tail import LogReader, show_logs
from services.devstack.supervisor.options import SERVICES, RunOptions, endpoints

SERVICE_STOP_SECONDS = 15.0
READY_SECONDS = 120.0


class Stack:
    """All processes below one supervisor."""

    def __init__(self, options: RunOptions) -> None:
        settings, path, ports = options.settings, options.folder.path, options.ports
        self.options = options
        self.clock = options.clock
        self._tasks: list[asyncio.Task[None]] = []
        self._kafka = self._postgres = None
        if not settings.kafka.bootstrap_servers:
            partitions = settings.kafka.partitions
            self._kafka = EmbeddedKafka(
                path / "kafka", ports=(ports.kafka,), partitions=partitions, progress=print_line
            )
        if not settings.database.url:
            self._postgres = EmbeddedPostgres(path / "postgres", port=ports.postgres)
        self.bootstrap = settings.kafka.bootstrap_servers or ""
        self.database_url = settings.database.url or ""
        self._sink: Child | None = None
        self._services: list[Child] = []

    async def start(self) -> None:
        """Start everything and wait until every service is ready. Raises `CannotRun` or `CannotMigrate`."""
        await asyncio.gather(self._start_kafka(), self._start_database())
        if self._has_sink:
            self._start_sink()
        await self._start_services()
        logs = [LogReader(service.name, service.log) for service in self._services]
        self._tasks.append(asyncio.create_task(show_logs(logs)))

    async def stop(self) -> None:
        """Stop the services first, so that they finish their work; then the sink, Kafka and PostgreSQL."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stop_services()
        stops: list[Coroutine[object, object, None]] = [self._sink.stop(3)] if self._sink else []
        stops += [part.stop() for part in (self._kafka, self._postgres) if part is not None]
        await asyncio.gather(*stops)

    async def change_rate(self, rate: float) -> None:
        """Restart the services on a clock that goes on from here at another rate."""
        await self._stop_services()
        now = real_now()
        start = await read_standing_time(self.database_url) or service_clock(self.clock).at(now)
        self.clock = Clock(start=start, origin=now, rate=rate)
        await self._start_services()

    async def _start_kafka(self) -> None:
        if self._kafka is not None:
            self.bootstrap = await self._kafka.start()
            self._tasks.append(asyncio.create_task(keep_part_running("Kafka", self._kafka)))

    async def _start_database(self) -> None:
        # Imported here, while Kafka boots: the schema tools are the slowest import of a run.
        from services.chassis.migrations import migrate  # noqa: PLC0415

        if self._postgres is not None:
            self.database_url = await self._postgres.start()
            self._tasks.append(asyncio.create_task(keep_part_running("PostgreSQL", self._postgres)))
        await migrate(self.database_url)
        standing = await read_standing_time(self.database_url)
        if standing is not None and standing > service_clock(self.clock).at(now := real_now()):
            # The last run stood still and was advanced: service time goes on from there, at whatever rate.
            self.clock = Clock(start=standing, origin=now, rate=self.clock.rate)

    def _remember(self) -> None:
        """Write the addresses and the clock for `drumbeat serve`, the command line and the next run."""
        ports, (host, port) = self.options.ports, self._mail_server()
        self.options.folder.remember(
            {
                "kafka": {"bootstrap_servers": self.bootstrap},
                "database": {"url": self.database_url},
                "clock": self.clock.model_dump(mode="json"),
                "email": {"host": host, "port": port, "sink": f"{host}:{port}" if self._has_sink else None},
                "ports": {
                    "kafka": self._kafka.ports[0] if self._kafka else ports.kafka,
                    "postgres": self._postgres.port if self._postgres else ports.postgres,
                    "smtp": ports.smtp,
                },
            }
        )

    def _mail_server(self) -> tuple[str, int]:
        email = self.options.settings.email
        return (email.host, email.port) if email.host is not None else ("127.0.0.1", self.options.ports.smtp)

    @property
    def _has_sink(self) -> bool:
        return self.options.settings.email.host is None

    def environment(self) -> dict[str, str]:
        """The settings of every service: addresses, clock, key file."""
        clock, (host, port) = service_clock(self.clock), self._mail_server()
        return {
            "DRUMBEAT_DATA_DIR": str(self.options.folder.path),
            "DRUMBEAT_API_KEY_FILE": str(self.options.key_file),
            "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap,
            "DRUMBEAT_DATABASE__URL": self.database_url,
            "DRUMBEAT_CLOCK__START": clock.start.isoformat(),
            "DRUMBEAT_CLOCK__RATE": str(clock.rate),
            "DRUMBEAT_CLOCK__ORIGIN": clock.origin.isoformat(),
            "DRUMBEAT_EMAIL__HOST": host,
            "DRUMBEAT_EMAIL__PORT": str(port),
            **({"DRUMBEAT_EMAIL__SINK": f"{host}:{port}"} if self._has_sink else {}),
        }

    def _start_sink(self) -> None:
        folder, port = self.options.folder, str(self.options.ports.smtp)
        command = [sys.executable, "-m", "services.devstack.embedded.smtp", "--port", port]
        command += ["--folder", str(folder.mail_folder)]
        self._sink = Child("mail sink", command, env={}, log=folder.log_folder / "smtp.log")
        self._sink.start()

    async def _start_services(self) -> None:
        self._remember()
        logs, env = self.options.folder.log_folder, self.environment()
        self._services = [
            Child(
                name, [sys.executable, "-m", f"services.{name}", "serve"], env=env, log=logs / f"{name}.log"
            )
            for name in SERVICES
        ]
        for service in self._services:
            service.start()
        await self._until_ready()

    async def _stop_services(self) -> None:
        await asyncio.gather(*(service.stop(SERVICE_STOP_SECONDS) for service in self._services))

    async def _until_ready(self) -> None:
        """Raises `PartFailed` when a service ends twice before it is ready, or is not ready in time."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                for service, (_, http) in zip(self._services, endpoints(self.options.settings), strict=True):
                    while await status_of(http.host, http.port, "/readyz") != 200:
                        if service.refusals >= 2:
                            raise PartFailed(last_message(service.name, service.log))
                        await asyncio.sleep(0.1)
        except TimeoutError:
            raise PartFailed(
                f"Not every service is ready after {READY_SECONDS:.0f} s: see {self.options.folder.log_folder}"
            ) from None


async def status_of(host: str, port: int, path: str, *, seconds: float = 2.0) -> int | None:
    """The status code of a GET, or None without an answer in time; needs no HTTP library, which starts slowly."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                words = (await reader.readline()).split()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None


def last_message(name: str, log: Path) -> str:
    """Why a service did not start: its last message in the log, or else the end of the log."""
    text, message = tail(log, 40), f"{name} cannot start: "
    position = text.rfind(message)
    return f"{name} does not start:\n{tail(log, 3)}" if position < 0 else text[position:]
