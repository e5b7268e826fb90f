"""What deploy/ starts, without containers: encrypted connections, the commands of its files, backup and restore."""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import yaml
from aiosmtpd.controller import Controller

from services.chassis.schema_versions import DATABASES
from services.devstack.embedded.kafka import EmbeddedKafka
from services.devstack.embedded.ports import free_ports
from services.devstack.embedded.postgres import EmbeddedPostgres, binaries
from tests.integration.deploy.encryption import (
    PASSWORD,
    USER,
    Certificates,
    encrypt_kafka,
    encrypting_postgres,
)
from tests.stack import PARTS, ROOT, Mail, event, free_port, until

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(480)]

DRUMBEAT = Path(sys.executable).with_name("drumbeat")
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
UNIT = (ROOT / "deploy" / "systemd" / "drumbeat@.service").read_text()
BY_UNIT = {"notifier", "console"}
MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
LOGIN = "drumbeat_admin"


class Deployment:
    """The settings of the compose file with the addresses of this machine in place of those of its network."""

    def __init__(self, folder: Path, replacements: Mapping[str, str], more: Mapping[str, str]) -> None:
        self.folder = folder
        self._replacements = replacements
        self._more = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DRUMBEAT_")},
            "PYTHONPATH": str(ROOT),
            **more,
        }
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self.ports = dict(zip(PARTS, free_ports(len(PARTS)), strict=True))

    def environment(self, service: str) -> dict[str, str]:
        settings: dict[str, str] = COMPOSE["services"][service]["environment"]
        values = {name: self._substituted(str(value)) for name, value in settings.items()}
        ports = {f"DRUMBEAT_{name.upper()}__PORT": str(port) for name, port in self.ports.items()}
        return {**{name: value for name, value in values.items() if value}, **ports, **self._more}

    def _substituted(self, value: str) -> str:
        """As compose does it, then with the addresses of this machine."""
        value = re.sub(r"\$\{\w+:-(\w*)\}", r"\1", value)
        for part, replacement in self._replacements.items():
            value = value.replace(part, replacement)
        for name, port in self.ports.items():
            value = re.sub(rf"//{name}:\d+", f"//127.0.0.1:{port}", value)
        return value

    def arguments(self, service: str) -> list[str]:
        return [
            str(argument).replace("/keys", str(self.folder / "keys"))
            for argument in COMPOSE["services"][service]["command"]
        ]

    async def run_once(self, service: str) -> str:
        process = await asyncio.create_subprocess_exec(
            DRUMBEAT, *self.arguments(service), env=self.environment(service), cwd=self.folder,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        try:
            for service in PARTS:
                self._start(service)
            yield
        finally:
            for child in self._children.values():
                child.terminate()
            # Not waited for in this thread: they end over connections that it encrypts.
            codes = {
                service: await asyncio.to_thread(child.wait, 30) for service, child in self._children.items()
            }
            self._children.clear()
            assert set(codes.values()) == {0}, codes

    def _start(self, service: str) -> None:
        command = unit_command(service) if service in BY_UNIT else self.arguments(service)
        with (self.folder / f"{service}.log").open("ab") as log:
            self._children[service] = subprocess.Popen(
                [DRUMBEAT, *command], env=self.environment(service), cwd=self.folder, stdout=log, stderr=log
            )

    async def kill_and_restart(self, service: str) -> None:
        """As the machine may end it, and systemd or compose start it again."""
        self._children[service].kill()
        await asyncio.to_thread(self._children[service].wait, 30)
        self._start(service)

    async def stop(self, service: str) -> None:
        self._children[service].terminate()
        await asyncio.to_thread(self._children[service].wait, 30)

    async def ready(self) -> None:
        """Wait until every service answers that it is ready."""
        async with httpx.AsyncClient() as client:
            for service, port in self.ports.items():
                await until(
                    lambda port=port: _answers(client, port), 120, f"{service} is ready: {self.log(service)}"
                )

    def log(self, service: str) -> str:
        path = self.folder / f"{service}.log"
        return path.read_text()[-3000:] if path.exists() else ""

    def client(self) -> httpx.AsyncClient:
        key = (self.folder / "keys" / "api-key").read_text().strip()
        return httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60)


async def _answers(client: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
    except httpx.TransportError:
        return False


def unit_command(service: str) -> list[str]:
    """The arguments of the command that systemd runs for drumbeat@SERVICE."""
    (line,) = re.findall(r"^ExecStart=/opt/drumbeat/bin/drumbeat (.+)$", UNIT, re.MULTILINE)
    return line.replace("%i", service).split()


async def test_it_runs_encrypted_and_goes_on_from_a_backup(monkeypatch: pytest.MonkeyPatch) -> None:
    async with AsyncExitStack() as parts:
        folder = Path(
            parts.enter_context(
                tempfile.TemporaryDirectory(prefix="drumbeat-deploy-", ignore_cleanup_errors=True)
            )
        )
        folder.chmod(0o755)
        certificates = Certificates(folder / "certificates")
        kafka = encrypt_kafka(monkeypatch, certificates.server, free_port())
        await parts.enter_async_context(EmbeddedKafka(folder / "kafka"))
        postgres = await parts.enter_async_context(EmbeddedPostgres(folder / "postgres", durable=False))
        await _create_login(postgres.url)
        tls_port, ciphers = await parts.enter_async_context(
            encrypting_postgres(certificates, postgres.port or 0)
        )
        mail = Mail()
        smtp = Controller(mail, hostname="127.0.0.1", port=free_port())
        smtp.start()
        parts.callback(smtp.stop)
        deployment = _deployment(folder, certificates, kafka, tls_port, smtp.port)

        assert (await deployment.run_once("keys")).count("created") == 3
        await deployment.run_once("migrate")
        async with deployment.running():
            await deployment.ready()
            await _post(deployment, *_customer("before"))
            await until(
                lambda: _is_recorded(deployment, "before"),
                120,
                f"a welcome is sent: {deployment.log('notifier')}",
            )
            sent = len(mail.messages)
            dumps = await _dump(postgres.url, folder)
            await _post(deployment, *_customer("between"))
            for service in ("rules_engine", "scheduler", "notifier"):
                await deployment.kill_and_restart(service)
            await deployment.ready()
            await until(lambda: _is_recorded(deployment, "between"), 120, "the work goes on after the kills")
        assert ciphers

        restored = await parts.enter_async_context(EmbeddedPostgres(folder / "restored", durable=False))
        await _create_login(restored.url)
        tls_port, ciphers = await parts.enter_async_context(
            encrypting_postgres(certificates, restored.port or 0)
        )
        again = _deployment(folder, certificates, kafka, tls_port, smtp.port)
        await again.run_once("migrate")
        await _restore(restored.url, dumps)
        await _order_feeds_again(restored.url)
        async with again.running():
            await again.ready()
            await _post(again, *_customer("after"))
            await until(
                lambda: _is_recorded(again, "after"), 120, f"the next is sent: {again.log('notifier')}"
            )
            await until(
                lambda: _is_recorded(again, "between"), 120, "what came after the backup is read again"
            )
            assert await _changed(again) == {"before", "between", "after"}
            # Some of what it reads is measured each ten seconds, and may be of the moment before the services were ready.
            await until(lambda: _is_well(again), 60, "the doctor finds nothing wrong")
            await again.stop("notifier")
            assert "no answer" in (await _examined(again))["notifier"]
        assert ciphers
        read = [message_from_bytes(content) for _, content in mail.messages]
        ids = {
            account: [
                str(each["Message-ID"]) for each in read if _recipient(each) == f"{account}@customer.example"
            ]
            for account in ("before", "between", "after")
        }
        assert len(ids["before"]) == sent, "what the backup knows is not sent again"
        assert len(set(ids["between"])) == 1, (
            "what was sent after the backup may come again, as the same mail"
        )
        assert len(ids["after"]) == 1


def _deployment(folder: Path, certificates: Certificates, kafka: str, postgres: int, smtp: int) -> Deployment:
    server = (
        f"postgresql://{LOGIN}@localhost:{postgres}/?sslmode=verify-full&sslrootcert={certificates.authority}"
    )
    replacements = {
        "kafka:9092": kafka,
        COMPOSE["services"]["migrate"]["environment"]["DRUMBEAT_DATABASE__URL"]: server,
        "/keys": str(folder / "keys"),
    }
    more = {
        "DRUMBEAT_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "DRUMBEAT_KAFKA__SASL_MECHANISM": "PLAIN",
        "DRUMBEAT_KAFKA__SASL_USERNAME": USER,
        "DRUMBEAT_KAFKA__SASL_PASSWORD": PASSWORD,
        "DRUMBEAT_KAFKA__SSL_CA_FILE": str(certificates.authority),
        "DRUMBEAT_MODE": "live",
        "DRUMBEAT_PUBLIC_URL": "https://drumbeat.example",
        "DRUMBEAT_ORGANIZATION__NAME": "Northwind",
        "DRUMBEAT_ORGANIZATION__POSTAL_ADDRESS": "1 Long Road, Springfield",
        "DRUMBEAT_EMAIL__HOST": "127.0.0.1",
        "DRUMBEAT_EMAIL__PORT": str(smtp),
        "DRUMBEAT_EMAIL__FROM": "success@northwind.example",
        "DRUMBEAT_EMAIL__FALLBACK_TO": "team@northwind.example",
        "DRUMBEAT_CLOCK__START": MONDAY.isoformat(),
        "DRUMBEAT_CLOCK__ORIGIN": datetime.now(UTC).isoformat(),
    }
    return Deployment(folder, replacements, more)


def _customer(account: str) -> Sequence[Mapping[str, Any]]:
    person = {
        "contact_id": f"{account}-ann",
        "name": "Ann",
        "email": f"{account}@customer.example",
        "role": "admin",
        "timezone": "UTC",
    }
    contract = {
        "contract_id": f"{account}-1",
        "status": "active",
        "starts_on": "2026-03-02",
        "renews_on": "2027-03-02",
        "arr": 900,
    }
    return (
        event(
            "account.described",
            account,
            {"name": account, "arr": 900, "timezone": "UTC", "segment": "self_service"},
            id=f"{account}-a",
            time=MONDAY,
        ),
        event("contact.described", account, person, id=f"{account}-p", time=MONDAY),
        event("contract.changed", account, contract, id=f"{account}-c", time=MONDAY),
    )


async def _post(deployment: Deployment, *events: Mapping[str, Any]) -> None:
    async with deployment.client() as client:
        answer = await client.post(
            f"http://127.0.0.1:{deployment.ports['rules_engine']}/v1/events",
            content=json.dumps(events),
            headers={"content-type": "application/cloudevents-batch+json"},
        )
    assert answer.status_code == 202, answer.text


async def _is_recorded(deployment: Deployment, account: str) -> bool:
    async with deployment.client() as client:
        url = f"http://127.0.0.1:{deployment.ports['notifier']}/v1/deliveries"
        answer = await client.get(url, params={"account_id": account, "state": "sent"})
    assert answer.status_code == 200, answer.text
    return any(row["touchpoint_type"] == "welcome" for row in answer.json()["items"])


def _recipient(mail: Message) -> str:
    return str(mail["To"]).rpartition("<")[2].rstrip(">")


async def _create_login(server_url: str) -> None:
    """A login that is no superuser: it may create databases and roles, which is all that Drumbeat asks for."""
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(f"CREATE ROLE {LOGIN} LOGIN CREATEDB CREATEROLE")
    finally:
        await connection.close()


async def _dump(server_url: str, folder: Path) -> Mapping[str, Path]:
    """A dump of each database while the services run, with the commands of the runbook and the login that they have."""
    dumps = {name: folder / f"{name}.dump" for name in DATABASES.values()}
    for name, path in dumps.items():
        await _command("pg_dump", "--format=custom", f"--file={path}", f"{_as_login(server_url)}/{name}")
    return dumps


def _as_login(server_url: str) -> str:
    return server_url.rstrip("/").replace("//postgres@", f"//{LOGIN}@")


async def _restore(server_url: str, dumps: Mapping[str, Path]) -> None:
    """Each database as it was, in place of the empty one; `drumbeat migrate` has made the roles."""
    server = f"{_as_login(server_url)}/postgres"
    for name, path in dumps.items():
        await _command("dropdb", f"--maintenance-db={server}", name)
        await _command("pg_restore", "--create", "--exit-on-error", f"--dbname={server}", str(path))


async def _order_feeds_again(server_url: str) -> None:
    """The statements of the runbook: transaction ids of another server order nothing."""
    section = (ROOT / "docs" / "runbook.md").read_text().partition("## Backup and restore")[2]
    (statements,) = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)[:1]
    parts = re.split(r"^-- (drumbeat_\w+)$", statements, flags=re.MULTILINE)[1:]
    for name, sql in zip(parts[::2], parts[1::2], strict=True):
        connection = await asyncpg.connect(f"{server_url.rstrip('/')}/{name}")
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


async def _changed(deployment: Deployment) -> set[str]:
    """The accounts whose touchpoints the feed of changes names."""
    async with deployment.client() as client:
        url = f"http://127.0.0.1:{deployment.ports['scheduler']}/v1/touchpoints"
        answer = await client.get(url, params={"updated_since": "2020-01-01T00:00:00Z", "limit": 500})
    assert answer.status_code == 200, answer.text
    return {item["account_id"] for item in answer.json()["items"]}


async def _is_well(deployment: Deployment) -> bool:
    return not await _examined(deployment)


async def _examined(deployment: Deployment) -> dict[str, str]:
    """What `drumbeat doctor --remote` finds wrong, from another machine: it has the addresses and a key."""
    environment = {"DRUMBEAT_DATA_DIR": str(deployment.folder / "elsewhere")} | {
        f"DRUMBEAT_{name.upper()}__URL": f"http://127.0.0.1:{port}" for name, port in deployment.ports.items()
    }
    environment["DRUMBEAT_API_KEY_FILE"] = str(deployment.folder / "keys" / "api-key")
    process = await asyncio.create_subprocess_exec(
        DRUMBEAT, "doctor", "--remote", "--json", env=environment, cwd=deployment.folder,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    checks = json.loads(output)
    assert {each["name"] for each in checks} >= set(deployment.ports), output.decode()
    found = {each["name"]: each["result"] for each in checks if each["remedy"]}
    assert process.returncode == (1 if found else 0)
    return found


async def _command(program: str, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        binaries() / program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
