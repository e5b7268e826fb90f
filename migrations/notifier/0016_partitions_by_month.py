"""Events, in-app messages and mails as they were written, partitioned by month."""

from alembic import op

from migrations.partitions import create_former_partition

revision = "notifier_0016"
down_revision = "notifier_0011"
branch_labels = None
depends_on = None

# The time of an event (service clock) is the same each time it is repeated.
FEED = (
    "ALTER TABLE feed RENAME TO former_feed",
    "ALTER INDEX feed_pkey RENAME TO former_feed_pkey",
    "DROP INDEX feed_order",
    "DROP INDEX feed_heard",
    "CREATE SEQUENCE feed_position",
    """
    CREATE TABLE feed (
        key uuid NOT NULL, event_id text NOT NULL, type text NOT NULL, said_at timestamptz NOT NULL,
        account_id text NOT NULL, data bytea NOT NULL, seq bigint NOT NULL DEFAULT nextval('feed_position'),
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(), heard_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (key, said_at)
    ) PARTITION BY RANGE (said_at)
    """,
    "ALTER SEQUENCE feed_position OWNED BY feed.seq",
    "CREATE TABLE feed_default PARTITION OF feed DEFAULT",
    "SELECT setval('feed_position', coalesce((SELECT max(seq) FROM former_feed), 0) + 1, false)",
)
FILL_FEED = (
    """
    INSERT INTO feed (key, event_id, type, said_at, account_id, data, seq, xid, heard_at)
    SELECT key, event_id, type, said_at, account_id, data, seq, xid, heard_at FROM former_feed ORDER BY seq
    """,
    "DROP TABLE former_feed",
    "CREATE INDEX feed_order ON feed (xid, seq)",
    "CREATE INDEX feed_account ON feed (account_id)",
)
IN_APP = (
    "ALTER TABLE in_app RENAME TO former_in_app",
    "ALTER INDEX in_app_pkey RENAME TO former_in_app_pkey",
    "DROP INDEX in_app_recipient",
    "CREATE SEQUENCE in_app_order",
    """
    CREATE TABLE in_app (
        id uuid NOT NULL, seq bigint NOT NULL DEFAULT nextval('in_app_order'), recipient_kind text NOT NULL,
        recipient_id text NOT NULL, account_id text NOT NULL, touchpoint_id text, touchpoint_type text,
        title text NOT NULL, body text NOT NULL, due_at timestamptz, at timestamptz NOT NULL, read_at timestamptz,
        PRIMARY KEY (id, at)
    ) PARTITION BY RANGE (at)
    """,
    "ALTER SEQUENCE in_app_order OWNED BY in_app.seq",
    "CREATE TABLE in_app_default PARTITION OF in_app DEFAULT",
    "SELECT setval('in_app_order', coalesce((SELECT max(seq) FROM former_in_app), 0) + 1, false)",
)
FILL_IN_APP = (
    """
    INSERT INTO in_app (id, seq, recipient_kind, recipient_id, account_id, touchpoint_id, touchpoint_type, title, body,
        due_at, at, read_at)
    SELECT id, seq, recipient_kind, recipient_id, account_id, touchpoint_id, touchpoint_type, title, body, due_at, at,
        read_at
    FROM former_in_app ORDER BY seq
    """,
    "DROP TABLE former_in_app",
    "CREATE INDEX in_app_recipient ON in_app (recipient_kind, recipient_id, seq)",
    "CREATE INDEX in_app_account ON in_app (account_id)",
)
# A mail that is tried again is stored once more; the latest one counts. The real clock.
WRITTEN = (
    "ALTER TABLE written_message RENAME TO former_written_message",
    "ALTER INDEX written_message_pkey RENAME TO former_written_message_pkey",
    "DROP INDEX written_message_age",
    """
    CREATE TABLE written_message (
        message_id uuid NOT NULL, content bytea NOT NULL, written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (message_id, written_at)
    ) PARTITION BY RANGE (written_at)
    """,
    "CREATE TABLE written_message_default PARTITION OF written_message DEFAULT",
)
FILL_WRITTEN = (
    """
    INSERT INTO written_message (message_id, content, written_at)
    SELECT message_id, content, written_at FROM former_written_message ORDER BY written_at
    """,
    "DROP TABLE former_written_message",
)


def upgrade() -> None:
    _execute(FEED)
    create_former_partition("feed", "SELECT max(said_at) FROM former_feed")
    _execute(FILL_FEED)
    _execute(IN_APP)
    create_former_partition("in_app", "SELECT max(at) FROM former_in_app")
    _execute(FILL_IN_APP)
    _execute(WRITTEN)
    create_former_partition("written_message", "SELECT max(written_at) FROM former_written_message")
    _execute(FILL_WRITTEN)


def _execute(statements: tuple[str, ...]) -> None:
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
