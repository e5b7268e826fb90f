"""The embedded PostgreSQL starts, keeps committed rows over a crash, and explains errors in sentences."""

import os
import shutil
import signal
from collections.abc import Generator
from pathlib import Path

import asyncpg
import pytest

from services.devstack.embedded.failures import CannotRun
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.devstack.embedded.processes import scratch

pytestmark = pytest.mark.integration
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")


@pytest.fixture
def own_folder() -> Generator[Path]:
    made = scratch()
    yield made
    shutil.rmtree(made)


async def test_committed_rows_survive_a_kill_and_the_address_stays(own_folder: Path) -> None:
    async with EmbeddedPostgres(own_folder / "pg") as server:
        url = server.url
        session = await asyncpg.connect(url)
        await session.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        server.kill()
        session.terminate()
        assert not server.alive()
        assert await server.start() == url
        session = await asyncpg.connect(url)
        assert await session.fetchval("SELECT count(*) FROM kept") == 1000
        await session.close()


async def test_data_outlives_the_server_object(own_folder: Path) -> None:
    async with EmbeddedPostgres(own_folder / "pg") as first:
        session = await asyncpg.connect(first.url)
        await session.execute("CREATE TABLE kept AS SELECT 7 AS n")
        await session.close()
    async with EmbeddedPostgres(own_folder / "pg", port=first.port) as second:
        session = await asyncpg.connect(second.url)
        assert await session.fetchval("SELECT n FROM kept") == 7
        await session.close()


async def test_it_has_the_version_and_the_settings_of_the_documentation(own_folder: Path) -> None:
    async with EmbeddedPostgres(own_folder / "pg", durable=False) as server:
        session = await asyncpg.connect(server.url)
        assert str(await session.fetchval("SHOW server_version")).startswith("18.")
        assert await session.fetchval("SHOW server_encoding") == "UTF8"
        assert await session.fetchval("SHOW TimeZone") == "UTC"
        assert await session.fetchval("SHOW synchronous_commit") == "on"
        assert await session.fetchval("SELECT upper('ä')") == "Ä"
        await session.close()


async def test_an_incomplete_cluster_is_created_again(own_folder: Path) -> None:
    (own_folder / "pg" / "cluster.new").mkdir(parents=True)
    (own_folder / "pg" / "cluster.new" / "PG_VERSION").write_text("18")
    async with EmbeddedPostgres(own_folder / "pg", durable=False) as server:
        assert server.alive()


@as_root
async def test_a_folder_its_user_cannot_enter_keeps_a_pointer_to_an_open_one(own_folder: Path) -> None:
    own_folder.chmod(0o700)
    server = EmbeddedPostgres(own_folder / "pg", durable=False)
    await server.start()
    try:
        session = await asyncpg.connect(server.url)
        await session.execute("CREATE TABLE kept AS SELECT 7 AS n")
        await session.close()
        await server.stop()
        again = EmbeddedPostgres(own_folder / "pg", durable=False)
        session = await asyncpg.connect(await again.start())
        assert await session.fetchval("SELECT n FROM kept") == 7
        await session.close()
        await again.stop()
    finally:
        shutil.rmtree((own_folder / "pg" / "kept-elsewhere").read_text().strip())


async def test_the_error_about_a_folder_that_is_a_file_is_one_sentence(own_folder: Path) -> None:
    (own_folder / "file").write_text("")
    with pytest.raises(CannotRun, match="cannot be written"):
        await EmbeddedPostgres(own_folder / "file" / "pg").start()


async def test_it_stops_while_a_session_idles_in_a_transaction(own_folder: Path) -> None:
    server = EmbeddedPostgres(own_folder / "pg", durable=False)
    await server.start()
    pid = server.pid
    assert pid is not None
    session = await asyncpg.connect(server.url)
    await session.execute("BEGIN")
    await server.stop()
    session.terminate()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)
