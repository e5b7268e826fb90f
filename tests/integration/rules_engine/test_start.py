"""What keeps the service from starting, and the message with which it ends, with code 1."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from services.cadence.policy.load import SHIPPED, policy_texts
from services.chassis.database import database_url
from services.chassis.migrations import migrate
from services.chassis.schema_versions import DATABASES
from services.devstack.embedded.kafka import EmbeddedKafka
from services.devstack.embedded.postgres import EmbeddedPostgres
from tests.conftest import PATIENCE
from tests.integration.rules_engine.policy_requests import policy_files
from tests.stack import KEY, ROOT, free_port, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

NAME = DATABASES["rules_engine"]


@dataclass
class Start:
    """What a start of the service needs; a test breaks one thing."""

    folder: Path
    environment: dict[str, str]

    async def refused(self, **changes: str) -> str:
        """Start the service, which must end with code 1; returns its message, without the log."""
        async with self.started(**changes) as child:
            async with asyncio.timeout(90 * PATIENCE):
                output, errors = await child.communicate()
        message = errors.decode()
        assert child.returncode == 1, (message, output.decode()[-2000:])
        assert "Traceback" not in message, message
        assert message.startswith("rules_engine cannot start: "), message
        return message.removeprefix("rules_engine cannot start: ")

    @asynccontextmanager
    async def started(self, **changes: str) -> AsyncGenerator[asyncio.subprocess.Process]:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.rules_engine",
            "serve",
            env={**self.environment, **changes},
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield child
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()

    async def wait_until_ready(self) -> None:
        port = int(self.environment["DRUMBEAT_RULES_ENGINE__PORT"])

        async def ready() -> bool:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return False
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer.startswith(b"HTTP/1.1 200")

        await until(ready, 120, "ready")


@pytest.fixture(scope="module")
def _migrated(postgres: EmbeddedPostgres) -> None:
    asyncio.run(migrate(postgres.url, ["rules_engine"]))


@pytest.fixture
def start(tmp_path: Path, postgres: EmbeddedPostgres, kafka: EmbeddedKafka, _migrated: None) -> Start:
    (tmp_path / "api-key").write_text(KEY)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DRUMBEAT_")}
    return Start(
        tmp_path,
        {
            **inherited,
            "PYTHONPATH": str(ROOT),
            "DRUMBEAT_DATA_DIR": str(tmp_path),
            "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap,
            "DRUMBEAT_DATABASE__URL": postgres.url,
            "DRUMBEAT_RULES_ENGINE__PORT": str(free_port()),
        },
    )


class TestPolicy:
    async def test_a_wrong_condition_is_named_with_file_line_and_column(self, start: Start) -> None:
        shipped = "\n".join(policy_texts(SHIPPED).values())
        text = shipped.replace(
            "when: arr is not null and arr >= 100_000", "when: arr is not null and arrr >= 1", 1
        )
        path = start.folder / "mine.yaml"
        path.write_text(text)
        line = next(number for number, content in enumerate(text.splitlines(), 1) if "arrr" in content)
        column = text.splitlines()[line - 1].index("arrr") + 1

        message = await start.refused(DRUMBEAT_POLICY=str(path))

        assert f"{path}:{line}:{column}" in message
        assert "arrr" in message

    async def test_invalid_yaml_is_named_with_its_place(self, start: Start) -> None:
        path = start.folder / "mine.yaml"
        path.write_text("rhythms:\n  - rule: a\n   every: 7d\n")
        assert f"{path}:3:" in await start.refused(DRUMBEAT_POLICY=str(path))

    @pytest.mark.parametrize(
        "content", [b"", b"\xff\xfe\x00", b"7", b"- a", b"a: &a [*a]", b"a: \x01", b"---\na: 1\n---\nb: 1"]
    )
    async def test_a_file_that_is_no_policy_is_refused(self, start: Start, content: bytes) -> None:
        path = start.folder / "mine.yaml"
        path.write_bytes(content)
        assert str(path) in await start.refused(DRUMBEAT_POLICY=str(path))

    async def test_files_whose_own_tests_fail_do_not_come_into_force(self, start: Start) -> None:
        """Issue 11 C: a start publishes, too, when somebody edited the files."""
        folder = start.folder / "policy"
        folder.mkdir()
        for name, text in policy_files(43).items():
            (folder / name).write_text(text)
        test = "tests:\n  - test: Calls every {days} days\n    account: {{arr: 50_000}}\n    expect:\n"
        test += "      rhythms: {{check_in: {{every: {days}d}}}}\n"
        (folder / "mine_test.yaml").write_text(test.format(days=42))

        message = await start.refused(DRUMBEAT_POLICY=str(folder))

        assert f"the policy {folder} is refused" in message
        assert "mine_test.yaml:2: the test 'Calls every 42 days' fails" in message
        assert "1 of 1 tests of the policy fail: correct the policy or its tests" in message
        (folder / "mine_test.yaml").write_text(test.format(days=43))
        async with start.started(DRUMBEAT_POLICY=str(folder)):
            await start.wait_until_ready()

    async def test_a_path_without_a_policy_is_refused(self, start: Start) -> None:
        assert "nowhere.yaml" in await start.refused(DRUMBEAT_POLICY=str(start.folder / "nowhere.yaml"))
        (start.folder / "empty").mkdir()
        assert "empty" in await start.refused(DRUMBEAT_POLICY=str(start.folder / "empty"))


class TestEnvironment:
    async def test_a_port_in_use(self, start: Start) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            message = await start.refused(DRUMBEAT_RULES_ENGINE__PORT=port)
        assert f"port {port} on 127.0.0.1 cannot be used" in message
        assert len(message.strip().splitlines()) == 1

    async def test_a_key_file_that_is_missing_or_invalid(self, start: Start) -> None:
        missing = start.folder / "no-key"
        assert str(missing) in await start.refused(DRUMBEAT_API_KEY_FILE=str(missing))
        for content in (b"nonsense", b"", b"\xff\xfe"):
            (start.folder / "bad-key").write_bytes(content)
            assert "bad-key" in await start.refused(DRUMBEAT_API_KEY_FILE=str(start.folder / "bad-key"))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DRUMBEAT_RULES_ENGINE__PORT", "0"),
            ("DRUMBEAT_RULES_ENGINE__PORT", "http"),
            ("DRUMBEAT_CLOCK__RATE", "-1"),
            ("DRUMBEAT_CLOCK__START", "yesterday"),
            ("DRUMBEAT_MODE", "dry"),
            ("DRUMBEAT_FAULTS", "consumer.nowhere=kill"),
            ("DRUMBEAT_FAULTS", "consumer.before_commit=kill@soon"),
        ],
    )
    async def test_an_invalid_setting_is_named(self, start: Start, name: str, value: str) -> None:
        assert name in await start.refused(**{name: value})

    async def test_a_missing_database_address(self, start: Start) -> None:
        del start.environment["DRUMBEAT_DATABASE__URL"]
        assert "DRUMBEAT_DATABASE__URL" in await start.refused()

    async def test_the_service_waits_for_a_database_that_does_not_answer_until_it_is_stopped(
        self, start: Start
    ) -> None:
        url = f"postgresql://nobody@127.0.0.1:{free_port()}/postgres"
        async with start.started(DRUMBEAT_DATABASE__URL=url) as child:
            assert child.stdout is not None
            async with asyncio.timeout(60 * PATIENCE):
                while b"outage.began" not in await child.stdout.readline():
                    pass
            child.send_signal(signal.SIGTERM)
            async with asyncio.timeout(30 * PATIENCE):
                await child.communicate()
            assert child.returncode == 0


class TestSchema:
    async def test_a_database_of_another_version(self, start: Start, postgres: EmbeddedPostgres) -> None:
        connection = await asyncpg.connect(database_url(postgres.url, NAME))
        revision = await connection.fetchval("SELECT version_num FROM alembic_version")
        try:
            await connection.execute("UPDATE alembic_version SET version_num = 'rules_9999'")
            await connection.execute("DELETE FROM schema_compatible WHERE revision = $1", revision)
            newer = await start.refused()
            assert "rules_9999" in newer
            assert "a newer one made it" in newer
            await connection.execute("ALTER TABLE alembic_version RENAME TO elsewhere")
            absent = await start.refused()
            assert "drumbeat migrate" in absent
            await connection.execute("ALTER TABLE elsewhere RENAME TO alembic_version")
            await connection.execute("DELETE FROM alembic_version")
            older = await start.refused()
            assert f"the code needs {revision}" in older
            assert "drumbeat migrate" in older
            assert all(len(message.strip().splitlines()) == 1 for message in (newer, absent, older))
        finally:
            await connection.execute("DELETE FROM alembic_version")
            await connection.execute("INSERT INTO alembic_version VALUES ($1)", revision)
            await connection.execute("INSERT INTO schema_compatible VALUES ($1)", revision)
            await connection.close()

    async def test_one_that_a_newer_version_expanded_during_a_rolling_upgrade(
        self, start: Start, postgres: EmbeddedPostgres
    ) -> None:
        """Issue 16.2: what the newer version named as compatible starts again beside it."""
        connection = await asyncpg.connect(database_url(postgres.url, NAME))
        revision = await connection.fetchval("SELECT version_num FROM alembic_version")
        try:
            assert await connection.fetchval(
                "SELECT count(*) FROM schema_compatible WHERE revision = $1", revision
            )
            await connection.execute("UPDATE alembic_version SET version_num = 'rules_9999'")
            await connection.execute("ALTER TABLE account ADD COLUMN of_the_next_version text")
            async with start.started():
                await start.wait_until_ready()
        finally:
            await connection.execute("ALTER TABLE account DROP COLUMN of_the_next_version")
            await connection.execute("UPDATE alembic_version SET version_num = $1", revision)
            await connection.close()

    async def test_a_server_without_the_database(self, start: Start, postgres: EmbeddedPostgres) -> None:
        connection = await asyncpg.connect(postgres.url)
        await connection.execute(f'ALTER DATABASE "{NAME}" RENAME TO elsewhere')
        try:
            message = await start.refused()
            assert "drumbeat migrate" in message
        finally:
            await connection.execute(f'ALTER DATABASE elsewhere RENAME TO "{NAME}"')
            await connection.close()


async def test_the_service_starts_and_stops(start: Start) -> None:
    async with start.started() as child:
        await start.wait_until_ready()
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60 * PATIENCE):
            await child.communicate()
        assert child.returncode == 0
