"""A complete Drumbeat for a test: a real broker, a real database, the services as processes on free ports.

Tests kill, freeze and restart them; nothing is simulated.
"""

import asyncio
import atexit
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Self

import httpx
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from services.chassis.migrations import migrate
from services.chassis.settings import Settings
from services.console import clock_commands
from services.console.client import ApiClient
from services.devstack.embedded.ports import free_ports
from services.devstack.embedded.postgres import EmbeddedPostgres
from tests.brokers import BROKERS
from tests.conftest import PATIENCE
from tests.service_host import ForkedProcess, ServiceHost, run_command

host_of = cache(ServiceHost)
"""One host for each module and test process."""
KEY = "db_0123abcd_" + "k" * 43
ROOT = Path(__file__).resolve().parents[1]
SERVICES = ("rules_engine", "scheduler", "notifier")
PARTS = (*SERVICES, "console")
QUARTER_DAY = timedelta(hours=6)
FEW, AS_SHIPPED = 4, 12
"""Partitions of a topic: as many as a replica has transactions at once, which is enough for most tests, and by default.

Each costs processor time at the start, at rest and with every record.
"""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
"""Seconds between two looks at what a test waits for: a look is a request, and many tests wait at the same time."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stopped(pid: int) -> bool:
    """Whether every thread of that process is stopped: SIGSTOP reaches them one after the other."""
    states = [
        task.read_text().rpartition(")")[2].split()[0] for task in Path(f"/proc/{pid}/task").glob("*/stat")
    ]
    return bool(states) and set(states) == {"T"}


_migrated: list[Path] = []


async def migrated_databases() -> Path:
    """The folder of a stopped PostgreSQL with the databases of all services, made once in a test process.

    Making and migrating them costs two seconds of a processor, a copy a tenth of one.
    """
    if not _migrated:
        folder = Path(tempfile.mkdtemp(prefix="drumbeat-migrated-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        async with EmbeddedPostgres(folder / "postgres", durable=False) as postgres:
            await migrate(postgres.url)
        _migrated.append(folder / "postgres")
    return _migrated[0]


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder with its owners: the database runs as a user of its own."""
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)


class Mail:
    """A mail server that keeps every message it accepted."""

    def __init__(self) -> None:
        self.messages: list[tuple[list[str], bytes]] = []

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.messages.append(([str(recipient) for recipient in envelope.rcpt_tos], content))
        return "250 accepted"


@dataclass
class Process:
    """One replica of a service."""

    service: str
    port: int
    child: ForkedProcess
    log: Path
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Stack:
    """All parts and services. `rate` is the speed of the service clock, which starts at `start`."""

    folder: Path
    rate: float = 1.0
    start: datetime | None = None
    nodes: int = 1
    partitions: int = FEW  # of each topic
    durable: bool = False  # whether the database syncs to disk: a kill -9 of processes does not need it
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    processes: dict[str, Process] = field(default_factory=dict[str, Process])

    code: Path = ROOT
    """Whose services `spawn` starts: this repository's, or another version's."""

    async def __aenter__(self) -> Self:
        copy_folder(await migrated_databases(), self.folder / "postgres")
        self.postgres = EmbeddedPostgres(self.folder / "postgres", durable=self.durable)
        _, self.kafka = await asyncio.gather(
            self.postgres.start(), BROKERS.lend(self.folder / "kafka", self.nodes)
        )
        (self.folder / "api-key").write_text(KEY)
        self.mail = Mail()
        self.smtp = Controller(self.mail, hostname="127.0.0.1", port=free_port())
        self.smtp.start()
        self.ports: dict[str, int] = dict(zip(PARTS, free_ports(len(PARTS)), strict=True))
        origin = datetime.now(UTC)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DRUMBEAT_")},
            "PYTHONPATH": str(ROOT),
            "DRUMBEAT_DATA_DIR": str(self.folder),
            "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS": self.kafka.bootstrap,
            "DRUMBEAT_KAFKA__PARTITIONS": str(self.partitions),
            "DRUMBEAT_DATABASE__URL": self.postgres.url,
            "DRUMBEAT_CLOCK__ORIGIN": origin.isoformat(),
            "DRUMBEAT_CLOCK__START": (self.start or origin).isoformat(),
            "DRUMBEAT_CLOCK__RATE": str(self.rate),
            "DRUMBEAT_WEBHOOK_ALLOW_PRIVATE": "1",
            "DRUMBEAT_RULES_ENGINE__URL": f"http://127.0.0.1:{self.ports['rules_engine']}",
            "DRUMBEAT_SCHEDULER__URL": f"http://127.0.0.1:{self.ports['scheduler']}",
            "DRUMBEAT_NOTIFIER__URL": f"http://127.0.0.1:{self.ports['notifier']}",
            "DRUMBEAT_EMAIL__HOST": "127.0.0.1",
            "DRUMBEAT_EMAIL__PORT": str(self.smtp.port),
            "DRUMBEAT_PUBLIC_URL": "https://drumbeat.example",
            "DRUMBEAT_ORGANIZATION__NAME": "Northwind",
            "DRUMBEAT_ORGANIZATION__POSTAL_ADDRESS": "1 Long Road, Springfield",
            "DRUMBEAT_EMAIL__FROM": "success@northwind.example",
            "DRUMBEAT_EMAIL__REPLY_TO": "Northwind Success <answers@northwind.example>",
            **self.settings,
        }
        self.client = httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, timeout=180)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()
        for process in self.processes.values():
            if process.child.poll() is None:
                process.child.send_signal(signal.SIGCONT)
        try:
            await self._end_all(20)
        except TimeoutError:
            for process in self.processes.values():
                process.child.kill()
        self.smtp.stop()
        await asyncio.gather(self.postgres.stop(), BROKERS.take_back(self.kafka))

    async def run(self, *names: str) -> "Stack":
        """Start services (all three by default) and wait until they are ready."""
        for name in names or SERVICES:
            self.spawn(name)
        await asyncio.gather(*(self.ready(name) for name in names or SERVICES))
        return self

    def spawn(self, name: str, *, faults: str = "", port: int | None = None) -> Process:
        """Start a replica; `name` is the service, or `service#2` for a further one."""
        service = name.partition("#")[0]
        previous = self.processes.get(name)
        if port is None and name == service:
            port = self.ports[service]
        port = port or (previous.port if previous else free_port())
        log = self.folder / f"{name}.log"
        environment = {
            **self.environment,
            "PYTHONPATH": str(self.code),
            f"DRUMBEAT_{service.upper()}__PORT": str(port),
            "DRUMBEAT_FAULTS": faults,
        }
        child = host_of(f"services.{service}.main", self.code).start(environment, self.folder, log)
        self.processes[name] = Process(service, port, child, log, environment)
        return self.processes[name]

    async def ready(self, name: str, seconds: float = 90) -> None:
        process = self.processes[name]

        async def answers() -> bool:
            if process.child.poll() is not None:
                raise AssertionError(f"{name} ended: {process.log.read_text()[-3000:]}")
            try:
                return (await self.client.get(f"{process.url}/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await until(answers, seconds, f"{name} ready; its log: {process.log}")

    async def _end_all(self, seconds: float) -> None:
        """Stop every service. What they talk to meanwhile may be in this process, so it goes on. Raises TimeoutError."""
        for process in self.processes.values():
            process.child.terminate()
        async with asyncio.timeout(seconds):
            while any(process.child.poll() is None for process in self.processes.values()):
                await asyncio.sleep(0.01)

    async def hurry(self, rate: float) -> None:
        """Stop every service and start it again on a clock that continues from here at another rate."""
        before, now = datetime.now(UTC), await self.now()
        await self._end_all(60)
        origin = datetime.now(UTC)
        self.environment |= {
            "DRUMBEAT_CLOCK__ORIGIN": origin.isoformat(),
            "DRUMBEAT_CLOCK__START": (now + (origin - before) * self.rate).isoformat(),
            "DRUMBEAT_CLOCK__RATE": str(rate),
        }
        self.rate = rate
        await self.run(*self.processes)

    async def advance(self, span: timedelta, step: timedelta = QUARTER_DAY) -> datetime:
        """Advance a clock that stands (rate 0) as `drumbeat clock advance` does: each step ends when all is at rest."""
        ports = {name: {"port": self.processes[name].port} for name in SERVICES}
        settings = Settings.model_validate({"data_dir": self.folder, **ports})
        with ApiClient(settings, PATIENCE * 30) as api:
            return await asyncio.to_thread(clock_commands.advance, api, span, step, PATIENCE * 120)

    async def drumbeat(self, *arguments: str, answers: str = "", **settings: str) -> "CompletedProcess[str]":
        """The command line in the folder and with the addresses of the stack. `answers`: to what it asks."""
        ports = {f"DRUMBEAT_{name.upper()}__PORT": str(each.port) for name, each in self.processes.items()}
        environment = {**self.environment, **ports, **settings}
        host = host_of("services.console.cli")
        return await asyncio.to_thread(
            run_command, host, environment, self.folder, *arguments, answers=answers
        )

    def kill(self, name: str) -> None:
        self.processes[name].child.kill()
        self.processes[name].child.wait()

    def freeze(self, name: str) -> None:
        self.processes[name].child.send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self.processes[name].child.send_signal(signal.SIGCONT)

    async def get(self, service: str, path: str, **params: object) -> Any:
        answer = await self.client.get(self.processes[service].url + path, params=params)  # pyright: ignore[reportArgumentType]
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def find(self, service: str, path: str, **params: object) -> Any | None:
        """What is there, None while it is not: what was posted is accepted before it is applied."""
        answer = await self.client.get(self.processes[service].url + path, params=params)  # pyright: ignore[reportArgumentType]
        assert answer.status_code in (200, 404), answer.text
        return answer.json() if answer.status_code == 200 else None

    async def post(self, service: str, path: str, body: object) -> Any:
        answer = await self.client.post(self.processes[service].url + path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def tell(self, *events: Mapping[str, object]) -> None:
        """Post events until each was acknowledged, as a careful sender does."""
        waiting = list(events)
        while waiting:
            batch, waiting = waiting[:500], waiting[500:]
            try:
                answer = await self.client.post(
                    self.processes["rules_engine"].url + "/v1/events",
                    content=json.dumps(batch),
                    headers={"content-type": "application/cloudevents-batch+json"},
                )
            except httpx.TransportError:
                waiting = batch + waiting
                await asyncio.sleep(0.2)
                continue
            has_results = answer.status_code in (202, 207, 422, 503)
            results: list[dict[str, Any]] = answer.json()["results"] if has_results else []
            refused = [result for result in results if result["status"] == "refused"]
            assert not refused, refused
            unknown = [result["index"] for result in results if result["status"] == "unknown"]
            if not results:
                unknown = list(range(len(batch)))
            if unknown:
                waiting = [batch[index] for index in unknown] + waiting
                await asyncio.sleep(0.2)

    async def now(self) -> datetime:
        clock = await self.get("rules_engine", "/v1/clock")
        return datetime.fromisoformat(clock["now"])


async def until(holds: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until `holds()` (or its awaited value) is true; fail with `what` after PATIENCE times `seconds`."""
    deadline = asyncio.get_running_loop().time() + PATIENCE * seconds
    pause = SHORTEST_PAUSE
    while True:
        value = holds()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"not within {PATIENCE * seconds:g} s: {what}")
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 1.3)


def event(
    kind: str, account: str, data: Mapping[str, object], *, id: str, time: datetime, source: str = "/test"
) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "type": f"drumbeat.{kind}.v1",
        "source": source,
        "id": id,
        "subject": account,
        "time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": data,
    }


@dataclass
class Receiver:
    """A webhook receiver that remembers every request it got."""

    url: str = ""
    hits: list[tuple[dict[str, str], bytes]] = field(default_factory=list[tuple[dict[str, str], bytes]])

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The bodies of one kind, one per webhook-id."""
        bodies = {headers["webhook-id"]: json.loads(body) for headers, body in self.hits}
        return [body for body in bodies.values() if body["type"] == f"drumbeat.touchpoint.{kind}.v1"]


@contextlib.asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    receiver = Receiver()

    async def hook(request: web.Request) -> web.Response:
        body = await request.read()
        receiver.hits.append(({name.lower(): value for name, value in request.headers.items()}, body))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    receiver.url = f"http://127.0.0.1:{port}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()
