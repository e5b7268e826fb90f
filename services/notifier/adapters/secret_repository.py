"""The secrets in the database, sealed under the key file: those of subscriptions, and the keys of links.

At each start what is not sealed under the first key of the file is sealed again: rows of earlier releases, and those of
before a rotation of the file.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final, cast

import structlog

from services.chassis.database import Connection, Database, real_now
from services.chassis.keys import read_or_create_secrets
from services.chassis.loops import Loop
from services.chassis.secret_box import SecretBox
from services.chassis.settings import CannotStart, Settings
from services.notifier.domain.link_token import CUSTOMER_LINKS_LAST, EARLIER, LinkKeys

log = structlog.get_logger(__name__)

KEY_NAME: Final = "secrets_key"
ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended('secrets key', 0))"
FINGERPRINT: Final = "SELECT value FROM secret WHERE name = $1"
SAVE_FINGERPRINT: Final = """
INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
SUBSCRIPTIONS: Final = "SELECT id, secret, previous_secret FROM subscription ORDER BY id FOR UPDATE"
SEAL_SUBSCRIPTION: Final = "UPDATE subscription SET secret = $2, previous_secret = $3 WHERE id = $1"
SECRETS: Final = "SELECT name, value FROM secret WHERE name = $1 OR name LIKE $2 ORDER BY name FOR UPDATE"
SEAL_ROW: Final = "UPDATE secret SET value = $2 WHERE name = $1"

EARLIER_NAME: Final = "unsubscribe"
LINK_KEY: Final = "link_key:"
LINK_KEYS: Final = "SELECT name, value, made_at FROM secret WHERE name = $1 OR name LIKE $2"
ADD_LINK_KEY: Final = (
    "INSERT INTO secret (name, value, made_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING"
)
DELETE_SECRETS: Final = "DELETE FROM secret WHERE name = ANY($1::text[])"
LINK_KEY_CURRENT: Final = timedelta(days=180)
"""Real time for which one key makes the new links."""
LINK_KEY_KEPT: Final = LINK_KEY_CURRENT + CUSTOMER_LINKS_LAST + timedelta(days=1)
SETTLES: Final = timedelta(minutes=5)
"""Real time until a new key makes links: by then every replica knows it."""
REFRESH_SECONDS: Final = 60.0


class SecretsKeyRejected(CannotStart):
    """The key file is not the one under which the secrets are stored; the message says what to do."""


async def open_secrets(connection: Connection, settings: Settings) -> tuple[SecretBox, LinkKeys]:
    """The box and the keys of links; see `open_secret_box`."""
    box = await open_secret_box(connection, settings)
    return box, await load_link_keys(connection, box, await real_now(connection))


async def open_secret_box(connection: Connection, settings: Settings) -> SecretBox:
    """The box of this deployment, whose key file is created at the first start.

    Raises `SecretsKeyRejected` or `KeyFileUnreadable`.
    """
    await connection.execute(ONE_AT_A_TIME)
    stored = cast("bytes | None", await connection.fetchval(FINGERPRINT, KEY_NAME))
    path = settings.secrets_key_path
    box = SecretBox(read_or_create_secrets(path, must_exist=stored is not None))
    if stored is not None and stored not in box.fingerprints:
        raise SecretsKeyRejected(
            f"{path} is not the key under which the secrets of the notifier's database are encrypted: no webhook could"
            " be signed and no link could be read. Put the file of this deployment back, or name it with"
            " DRUMBEAT_SECRETS_KEY_FILE."
        )
    await _seal_again(connection, box)
    await connection.execute(SAVE_FINGERPRINT, KEY_NAME, box.fingerprints[0])
    return box


async def _seal_again(connection: Connection, box: SecretBox) -> None:
    """Seal under the first key what is not."""
    sealed = 0
    for id_, *values in await connection.fetch(SUBSCRIPTIONS):
        if not all(value is None or box.is_current(value) for value in values):
            sealed += 1
            again = [None if value is None else _seal(box, value, id_) for value in values]
            await connection.execute(SEAL_SUBSCRIPTION, id_, *again)
    for name, value in await connection.fetch(SECRETS, EARLIER_NAME, f"{LINK_KEY}%"):
        if not box.is_current(value):
            sealed += 1
            await connection.execute(SEAL_ROW, name, _seal(box, value, name))
    if sealed:
        log.info("secrets.sealed", rows=sealed)


def _seal(box: SecretBox, stored: bytes, about: str) -> bytes:
    return box.seal(box.open(stored, about), about)


async def load_link_keys(connection: Connection, box: SecretBox, real: datetime) -> LinkKeys:
    """The keys at this real moment, after a rotation if one is due."""
    made = await _link_keys(connection, box)
    newest = max((version for version in made if version != EARLIER), default=EARLIER)
    if newest == EARLIER or made[newest][1] <= real - LINK_KEY_CURRENT:
        name = f"{LINK_KEY}{newest + 1}"
        await connection.execute(ADD_LINK_KEY, name, box.seal(secrets.token_bytes(32), name), real)
        made = await _link_keys(connection, box)
    old = [_name(version) for version, (_, made_at) in made.items() if made_at <= real - LINK_KEY_KEPT]
    if old:
        await connection.execute(DELETE_SECRETS, old)
    versions = sorted(version for version in made if version != EARLIER)
    settled = [version for version in versions if made[version][1] <= real - SETTLES]
    kept = {version: key for version, (key, _) in made.items() if _name(version) not in old}
    return LinkKeys(kept, settled[-1] if settled else versions[0])


async def _link_keys(connection: Connection, box: SecretBox) -> dict[int, tuple[bytes, datetime]]:
    rows = await connection.fetch(LINK_KEYS, EARLIER_NAME, f"{LINK_KEY}%")
    return {
        EARLIER if name == EARLIER_NAME else int(name.removeprefix(LINK_KEY)): (
            box.open(value, name),
            made_at,
        )
        for name, value, made_at in rows
    }


def _name(version: int) -> str:
    return EARLIER_NAME if version == EARLIER else f"{LINK_KEY}{version}"


def link_key_loop(database: Database, box: SecretBox, keys: LinkKeys) -> Loop:
    """Rotates the keys of links and tells this replica of new ones."""

    async def run_once() -> float | None:
        async with database.transaction() as connection:
            keys.use(await load_link_keys(connection, box, await real_now(connection)))
        return None

    return Loop("link keys", interval=REFRESH_SECONDS, run_once=run_once)
