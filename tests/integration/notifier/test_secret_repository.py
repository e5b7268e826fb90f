"""Secrets in the database are sealed under the key file, from the first start after an upgrade on."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.chassis.database import Database, real_now
from services.chassis.keys import KeyFileUnreadable
from services.chassis.secret_box import SecretBox
from services.chassis.settings import Settings
from services.notifier.adapters.secret_repository import (
    LINK_KEY_CURRENT,
    LINK_KEY_KEPT,
    SETTLES,
    SecretsKeyRejected,
    load_link_keys,
    open_secret_box,
)
from services.notifier.domain.link_token import LinkKeys
from tests.integration.notifier.conftest import BOX, Notifier
from tests.integration.notifier.receivers import Receiver
from tests.integration.notifier.test_deliver_webhooks import subscribe

pytestmark = pytest.mark.integration
RAW, PREVIOUS, LINK = b"r" * 32, b"p" * 32, b"l" * 32
NEW = "cd" * 32


@pytest.fixture
async def clean(database: Database) -> AsyncGenerator[Database]:
    await database.pool.execute("TRUNCATE secret")
    yield database
    await database.pool.execute("TRUNCATE secret")


async def open_box(database: Database, folder: Path) -> SecretBox:
    async with database.transaction() as connection:
        return await open_secret_box(connection, Settings(data_dir=folder))


async def stored(database: Database) -> list[bytes]:
    rows = await database.pool.fetch(
        "SELECT secret FROM subscription UNION ALL SELECT previous_secret FROM subscription UNION ALL"
        " SELECT value FROM secret WHERE name <> 'secrets_key'"
    )
    return [row[0] for row in rows if row[0] is not None]


async def test_rows_of_an_earlier_release_are_sealed_at_the_first_start(
    clean: Database, tmp_path: Path
) -> None:
    await clean.pool.execute(
        "INSERT INTO subscription (id, url, types, filter, secret, previous_secret)"
        " VALUES ('s1', 'https://example.com/', '{}', '{}', $1, $2)",
        RAW,
        PREVIOUS,
    )
    await clean.pool.execute("INSERT INTO secret (name, value) VALUES ('unsubscribe', $1)", LINK)

    box = await open_box(clean, tmp_path)

    current, previous, link = await stored(clean)
    assert {RAW, PREVIOUS, LINK}.isdisjoint({current, previous, link})
    assert all(map(box.is_current, (current, previous, link)))
    assert (box.open(current, "s1"), box.open(previous, "s1")) == (RAW, PREVIOUS)
    async with clean.transaction() as connection:
        keys = await load_link_keys(connection, box, await real_now(connection))
    assert keys.earlier == LINK
    assert keys.current == 1
    await open_box(clean, tmp_path)
    assert await stored(clean) == [current, previous, link, *(await stored(clean))[3:]]


async def test_a_rotated_key_file_seals_everything_again_and_the_earlier_key_can_go(
    clean: Database, tmp_path: Path
) -> None:
    box, path = await open_box(clean, tmp_path), tmp_path / "secrets-key"
    await clean.pool.execute(
        "INSERT INTO subscription (id, url, types, filter, secret) VALUES ('s1', 'https://e/', '{}', '{}', $1)",
        box.seal(RAW, "s1"),
    )
    path.write_text(f"{NEW}\n{path.read_text()}")

    await open_box(clean, tmp_path)
    path.write_text(NEW)
    rotated = await open_box(clean, tmp_path)

    (current,) = await stored(clean)
    assert rotated.open(current, "s1") == RAW


async def test_a_wrong_or_missing_key_file_stops_the_start_with_the_remedy(
    clean: Database, tmp_path: Path
) -> None:
    await open_box(clean, tmp_path)
    path = tmp_path / "secrets-key"

    path.write_text(NEW)
    with pytest.raises(SecretsKeyRejected, match="Put the file of this deployment back"):
        await open_box(clean, tmp_path)
    path.unlink()
    with pytest.raises(KeyFileUnreadable, match="Put back the file"):
        await open_box(clean, tmp_path)
    assert not path.exists()


async def test_a_webhook_is_signed_with_a_secret_that_the_database_has_only_sealed(
    notifier: Notifier, receiver: Receiver
) -> None:
    made = await subscribe(notifier, receiver.url)
    await notifier.http.post(f"/v1/subscriptions/{made['id']}/rotate-secret")

    values = await stored(notifier.database)

    assert len(values) >= 2
    assert all(map(BOX.is_current, values))


async def test_the_keys_of_links_rotate_and_are_kept_for_as_long_as_links_work(clean: Database) -> None:
    async def load(at: datetime) -> LinkKeys:
        async with clean.transaction() as connection:
            return await load_link_keys(connection, BOX, at)

    async with clean.transaction() as connection:
        began = await real_now(connection)
    first = await load(began)
    assert (first.current, sorted(first.keys)) == (1, [1])
    assert (await load(began + LINK_KEY_CURRENT - timedelta(seconds=1))).keys == first.keys

    due = began + LINK_KEY_CURRENT
    rotated = await load(due)
    assert (rotated.current, sorted(rotated.keys)) == (1, [1, 2])
    assert (await load(due + SETTLES)).current == 2
    assert rotated.keys[1] == first.keys[1]

    last = await load(began + LINK_KEY_KEPT)
    assert 1 not in last.keys
    assert last.current in last.keys
