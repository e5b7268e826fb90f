"""The key of refused addresses: made once, never exchanged in silence; what earlier versions stored goes on binding."""

from hashlib import sha256
from pathlib import Path

import pytest

from services.chassis.keys import KeyFileUnreadable
from services.chassis.settings import Settings
from services.notifier.adapters.address_repository import AddressKeyRejected, open_address_key
from services.notifier.domain.addresses import AddressKey
from tests.integration.notifier.conftest import ADDRESSES, Notifier

pytestmark = pytest.mark.integration

OPT_OUT = """
INSERT INTO preference (contact_id, topic, channel, aspect, opted_in, said_at, source, word_id)
VALUES ('ann', '', '', 'own_consent', false, now(), '/drumbeat/notifier', '1')
"""
CONTACTS = """
INSERT INTO contact (contact_id, account_id, email) VALUES ('ann', 'acme', 'Ann@acme.example'),
    ('ben', 'acme', 'ben@acme.example'), ('cat', 'acme', NULL)
"""


async def open_key(notifier: Notifier, folder: Path) -> AddressKey:
    async with notifier.database.transaction() as connection:
        return await open_address_key(connection, Settings(data_dir=folder))


@pytest.fixture(autouse=True)
async def _first_start(notifier: Notifier) -> None:
    await notifier.database.pool.execute("DELETE FROM secret WHERE name = 'address_key'")


async def test_the_key_is_made_once_and_another_one_stops_the_start(
    notifier: Notifier, tmp_path: Path
) -> None:
    """Row 8: with another key everybody who opted out would be written to again."""
    key = await open_key(notifier, tmp_path)

    assert await open_key(notifier, tmp_path) == key
    path = tmp_path / "address-key"
    content = path.read_text()
    path.write_text("ab" * 32)
    with pytest.raises(AddressKeyRejected, match="DRUMBEAT_ADDRESS_KEY_FILE"):
        await open_key(notifier, tmp_path)
    path.unlink()
    with pytest.raises(KeyFileUnreadable, match="Put back the file"):
        await open_key(notifier, tmp_path)
    path.write_text(content)
    assert await open_key(notifier, tmp_path) == key


async def test_what_an_earlier_version_stored_binds_under_the_key(notifier: Notifier, tmp_path: Path) -> None:
    """Row 8: plain hashes of refused addresses become keyed ones, and opt-outs bind their address."""
    pool = notifier.database.pool
    await pool.execute(CONTACTS)
    await pool.execute(OPT_OUT)
    plain = sha256(b"ben@acme.example").digest()
    await pool.execute("INSERT INTO refused_address (address_hash, detail) VALUES ($1, '550')", plain)
    (tmp_path / "address-key").write_text(ADDRESSES.key.hex())

    key = await open_key(notifier, tmp_path)

    assert key == ADDRESSES
    assert [row[0] for row in await pool.fetch("SELECT address_hash FROM refused_address")] == [
        key.hash_address("ben@acme.example")
    ]
    twins = [
        {"contact_id": "x", "email": "ann@acme.example"},
        {"contact_id": "y", "email": "Ben@acme.example"},
    ]
    await notifier.add_acme(contacts=twins)
    await notifier.due()
    await notifier.send_messages()
    assert notifier.mailer.mails == []
    reasons = {row["recipient"]["id"]: row["reason"] for row in await notifier.deliveries()}
    assert reasons["x"].startswith("the contact opted out")
    assert reasons["y"] == "an earlier message was refused: unknown email address"
