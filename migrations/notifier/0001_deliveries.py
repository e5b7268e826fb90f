"""The notifier's first schema: people, subscriptions, announcements, deliveries and their outcomes."""

from alembic import op

from migrations.chassis_tables import create_chassis_tables

revision = "notifier_0001"
down_revision = None
branch_labels = None
depends_on = None

PEOPLE = (
    """
    CREATE TABLE account (
        account_id text PRIMARY KEY, name text, timezone text, pauses jsonb NOT NULL DEFAULT '[]',
        version bigint NOT NULL
    )
    """,
    """
    CREATE TABLE contact (
        contact_id text PRIMARY KEY, account_id text NOT NULL, name text, email text, role text,
        language text, timezone text, has_left boolean NOT NULL DEFAULT false
    )
    """,
    "CREATE INDEX contact_account ON contact (account_id)",
    "CREATE TABLE person (csm_id text PRIMARY KEY, name text, email text, timezone text, version bigint NOT NULL)",
    # Topic and channel '' mean all of them. One row for each aspect, so that a newer frequency does not
    # replace an opt-out.
    """
    CREATE TABLE preference (
        contact_id text NOT NULL, topic text NOT NULL, channel text NOT NULL, aspect text NOT NULL,
        opted_in boolean, frequency text, said_at timestamptz NOT NULL, source text NOT NULL,
        word_id text NOT NULL, PRIMARY KEY (contact_id, topic, channel, aspect)
    )
    """,
    """
    CREATE TABLE refused_address (
        address_hash bytea PRIMARY KEY, detail text NOT NULL,
        refused_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE TABLE secret (name text PRIMARY KEY, value bytea NOT NULL)",
)
ANNOUNCEMENTS = (
    """
    CREATE TABLE feed (
        key uuid PRIMARY KEY, event_id text NOT NULL, type text NOT NULL, said_at timestamptz NOT NULL,
        account_id text NOT NULL, data bytea NOT NULL,
        seq bigint GENERATED ALWAYS AS IDENTITY, xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        heard_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX feed_order ON feed (xid, seq)",
    "CREATE INDEX feed_heard ON feed USING brin (heard_at)",
    """
    CREATE TABLE withdrawn (
        touchpoint_id text PRIMARY KEY, sequence bigint NOT NULL, reason text NOT NULL,
        heard_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    """
    CREATE TABLE subscription (
        id text PRIMARY KEY, url text NOT NULL, types text[] NOT NULL, filter jsonb NOT NULL,
        secret bytea NOT NULL, previous_secret bytea, previous_until timestamptz,
        active boolean NOT NULL DEFAULT true, disabled_reason text,
        failures int NOT NULL DEFAULT 0, open_until timestamptz, deleted boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(), seq bigint GENERATED ALWAYS AS IDENTITY
    )
    """,
)
DELIVERIES = (
    # A claim changes only columns without an index, so that the row stays on its page (HOT update).
    """
    CREATE TABLE delivery (
        id uuid PRIMARY KEY, seq bigint GENERATED ALWAYS AS IDENTITY,
        event_key uuid NOT NULL, message_id uuid NOT NULL, recovery int NOT NULL DEFAULT 0,
        touchpoint_id text, touchpoint_type text, account_id text NOT NULL, channel text NOT NULL,
        recipient_kind text NOT NULL, recipient_id text,
        state text NOT NULL, reason text, attempts int NOT NULL DEFAULT 0,
        next_at timestamptz, rouse_at timestamptz, waits_until timestamptz, deadline timestamptz,
        first_at timestamptz, lease_token uuid, lease_until timestamptz, lease_owner text,
        ambiguous boolean NOT NULL DEFAULT false, finished_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)
    """,
    """
    CREATE INDEX delivery_webhook ON delivery (recipient_id, next_at)
    WHERE state = 'pending' AND channel = 'webhook'
    """,
    "CREATE INDEX delivery_person ON delivery (next_at) WHERE state = 'pending' AND channel <> 'webhook'",
    "CREATE INDEX delivery_rouse ON delivery (rouse_at) WHERE state = 'pending' AND rouse_at IS NOT NULL",
    """
    CREATE INDEX delivery_waits ON delivery (account_id) WHERE state = 'pending' AND waits_until IS NOT NULL
    """,
    "CREATE INDEX delivery_failed ON delivery (recipient_id, created_at) WHERE state = 'failed'",
    "CREATE INDEX delivery_recovered ON delivery (message_id) WHERE recovery > 0",
    "CREATE INDEX delivery_seq ON delivery (seq)",
    "CREATE INDEX delivery_touchpoint ON delivery (touchpoint_id)",
    "CREATE INDEX delivery_account ON delivery (account_id, seq)",
    "CREATE INDEX delivery_recipient ON delivery (recipient_id, seq)",
    """
    CREATE TABLE attempt (
        delivery_id uuid NOT NULL, number int NOT NULL, at timestamptz NOT NULL, outcome text NOT NULL,
        detail text NOT NULL, PRIMARY KEY (delivery_id, number)
    )
    """,
    """
    CREATE TABLE in_app (
        id uuid PRIMARY KEY, seq bigint GENERATED ALWAYS AS IDENTITY,
        recipient_kind text NOT NULL, recipient_id text NOT NULL, account_id text NOT NULL,
        touchpoint_id text, touchpoint_type text, title text NOT NULL, body text NOT NULL,
        due_at timestamptz, at timestamptz NOT NULL, read_at timestamptz
    )
    """,
    "CREATE INDEX in_app_recipient ON in_app (recipient_kind, recipient_id, seq)",
)
TABLES = (
    "attempt", "in_app", "delivery", "subscription", "withdrawn", "feed", "secret", "refused_address",
    "preference", "person", "contact", "account",
)  # fmt: skip


def upgrade() -> None:
    create_chassis_tables()
    for statement in (*PEOPLE, *ANNOUNCEMENTS, *DELIVERIES):
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
