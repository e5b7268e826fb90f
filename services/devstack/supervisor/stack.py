"""The order of things: parts, schema, mail sink, services; stopped in reverse, all within thirty seconds."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path

import asyncpg

from services.devstack.embedded.failures import CannotRun, PartFailed
from services.devstack.embedded.kafka import EmbeddedKafka
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.devstack.embedded.processes import tail
from services.devstack.supervisor.child import Child, tell
from services.devstack.supervisor.log_tail import Follower, echo
from services.devstack.supervisor.parts import keep
from services.devstack.supervisor.plan import SERVICES, Plan, endpoints
from services.devstack.supervisor.probe import status_of

SERVICE_STOP_SECONDS = 15.0
READY_SECONDS = 120.0


class House:
    """All that runs below one supervisor."""

    def __init__(self, plan: Plan) -> None:
        settings, path = plan.settings, plan.folder.path
        self._plan = plan
        self._watch: list[asyncio.Task[None]] = []
        self.kafka = (
            None
            if settings.kafka.bootstrap_servers
            else EmbeddedKafka(
                path / "kafka", ports=(plan.ports.kafka,), partitions=settings.kafka.partitions, progress=tell
            )
        )
        self.postgres = (
            None if settings.database.url else EmbeddedPostgres(path / "postgres", port=plan.ports.postgres)
        )
        self.bootstrap = settings.kafka.bootstrap_servers or ""
        self.database_url = settings.database.url or ""
        self.sink: Child | None = None
        self.services: list[Child] = []

    async def start(self) -> None:
        """Bring everything up and wait until every service is ready; `CannotRun` says what did not."""
        await asyncio.gather(self._start_kafka(), self._start_database())
        self._remember()
        self._start_sink()
        self._start_services()
        await self._until_ready()

    async def stop(self) -> None:
        """Services first, so that they can finish what they hold; then the sink, Kafka and PostgreSQL."""
        for task in self._watch:
            task.cancel()
        await asyncio.gather(*self._watch, return_exceptions=True)
        await asyncio.gather(*(child.stop(SERVICE_STOP_SECONDS) for child in self.services))
        stops: list[Coroutine[object, object, None]] = [self.sink.stop(3)] if self.sink else []
        stops += [part.stop() for part in (self.kafka, self.postgres) if part is not None]
        await asyncio.gather(*stops)

    async def _start_kafka(self) -> None:
        if self.kafka is not None:
            self.bootstrap = await self.kafka.start()
            self._watch.append(asyncio.create_task(keep("Kafka", self.kafka)))

    async def _start_database(self) -> None:
        if self.postgres is not None:
            self.database_url = await self.postgres.start()
            self._watch.append(asyncio.create_task(keep("PostgreSQL", self.postgres)))
        await migrate_schema(self.database_url)

    def _remember(self) -> None:
        """Leave the addresses for `drumbeat serve`, the command line and the next run."""
        ports = self._plan.ports
        self._plan.folder.remember(
            {
                "kafka": {"bootstrap_servers": self.bootstrap},
                "database": {"url": self.database_url},
                "clock": self._plan.clock,
                "email": self._mail_address(),
                "ports": {
                    "kafka": self.kafka.ports[0] if self.kafka else ports.kafka,
                    "postgres": self.postgres.port if self.postgres else ports.postgres,
                    "smtp": ports.smtp,
                },
            }
        )

    def _mail_address(self) -> dict[str, object]:
        email = self._plan.settings.email
        own = email.host is not None
        return {
            "host": email.host if own else "127.0.0.1",
            "port": email.port if own else self._plan.ports.smtp,
        }

    def environment(self) -> dict[str, str]:
        """What every service is told: addresses, clock, key."""
        clock, mail = self._plan.clock, self._mail_address()
        return {
            "DRUMBEAT_DATA_DIR": str(self._plan.folder.path),
            "DRUMBEAT_API_KEY_FILE": str(self._plan.key_file),
            "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap,
            "DRUMBEAT_DATABASE__URL": self.database_url,
            "DRUMBEAT_CLOCK__START": str(clock["start"]),
            "DRUMBEAT_CLOCK__RATE": str(clock["rate"]),
            "DRUMBEAT_CLOCK__ORIGIN": str(clock["origin"]),
            "DRUMBEAT_EMAIL__HOST": str(mail["host"]),
            "DRUMBEAT_EMAIL__PORT": str(mail["port"]),
        }

    def _start_sink(self) -> None:
        if self._plan.settings.email.host is not None:
            return
        folder = self._plan.folder
        command = [
            sys.executable,
            "-m",
            "services.devstack.embedded.smtp",
            "--port",
            str(self._plan.ports.smtp),
        ]
        self.sink = Child(
            "mail sink",
            [*command, "--folder", str(folder.mail_folder)],
            env={},
            log=folder.log_folder / "smtp.log",
        )
        self.sink.start()

    def _start_services(self) -> None:
        logs, env = self._plan.folder.log_folder, self.environment()
        self.services = [
            Child(
                name, [sys.executable, "-m", f"services.{name}", "serve"], env=env, log=logs / f"{name}.log"
            )
            for name in SERVICES
        ]
        followers = [Follower(child.name, child.log) for child in self.services]
        self._watch.append(asyncio.create_task(echo(followers)))
        for child in self.services:
            child.start()

    async def _until_ready(self) -> None:
        """A service that refuses to start twice before it was ever ready is not waited for."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                for child, (_, http) in zip(self.services, endpoints(self._plan.settings), strict=True):
                    while await status_of(http.host, http.port, "/readyz") != 200:
                        if child.refusals >= 2:
                            raise PartFailed(last_words(child.name, child.log))
                        await asyncio.sleep(0.1)
        except TimeoutError:
            raise PartFailed(
                f"Not every service became ready within {READY_SECONDS:.0f} s: see {self._plan.folder.log_folder}"
            ) from None


def last_words(name: str, log: Path) -> str:
    """What a service said when it last refused to start, or else the end of its log."""
    said = tail(log, 40)
    refusal = f"{name} cannot start: "
    place = said.rfind(refusal)
    return f"{name} does not start:\n{tail(log, 3)}" if place < 0 else said[place:]


async def migrate_schema(url: str) -> None:
    """Bring the databases up to date; `CannotRun` when the server cannot be reached or changed."""
    # Imported here, while Kafka boots: the schema tools are the slowest import of a run.
    from services.chassis.migrations import SchemaMismatch, migrate  # noqa: PLC0415

    try:
        await migrate(url)
    except SchemaMismatch as mismatch:
        raise CannotRun(str(mismatch)) from mismatch
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as trouble:
        raise CannotRun(
            f"The databases on {without_password(url)} could not be prepared ({trouble}): check "
            f"DRUMBEAT_DATABASE__URL, and that its user may create roles and databases."
        ) from trouble


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    scheme, _, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    return f"{scheme}://{user.split(':')[0]}{at}{place}"
