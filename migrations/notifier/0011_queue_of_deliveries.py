"""Pending deliveries in a queue of their own, their record partitioned by month, and what was not sent listed apart."""

from alembic import op

from migrations.partitions import create_former_partition

revision = "notifier_0011"
down_revision = "notifier_0010"
branch_labels = None
depends_on = None

# `caused_at` is the service time of the cause, the same each time it is repeated: with the id it is the key of a
# partitioned table. No index has a column that the end of a delivery changes, so that the row stays on its page (HOT),
# which has room for it. `tries` has the attempts that failed; the one that succeeded is `tried_at`, with the reason as
# its detail.
RECORD = (
    "CREATE SEQUENCE delivery_order",
    """
    CREATE TABLE delivery (
        id uuid NOT NULL, caused_at timestamptz NOT NULL, seq bigint NOT NULL DEFAULT nextval('delivery_order'),
        event_key uuid NOT NULL, message_id uuid NOT NULL, recovery int NOT NULL DEFAULT 0,
        attempts int NOT NULL DEFAULT 0, touchpoint_id text, touchpoint_type text, account_id text NOT NULL,
        channel text NOT NULL, recipient_kind text NOT NULL, recipient_id text, state text NOT NULL, reason text,
        tried_at timestamptz, tries jsonb, finished_at timestamptz, address_hash bytea,
        ambiguous boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (id, caused_at)
    ) PARTITION BY RANGE (caused_at)
    """,
    "ALTER SEQUENCE delivery_order OWNED BY delivery.seq",
    "CREATE TABLE delivery_default PARTITION OF delivery DEFAULT WITH (fillfactor = 50)",
)
# A claim changes only columns without an index, so that the row stays on its page. `event_at` is the time of the event
# in the feed. `is_begun`: its mail may have been handed to the relay.
QUEUE = (
    """
    CREATE TABLE delivery_queue (
        delivery_id uuid PRIMARY KEY, caused_at timestamptz NOT NULL, event_key uuid NOT NULL,
        event_at timestamptz NOT NULL, seq bigint NOT NULL, message_id uuid NOT NULL, account_id text NOT NULL,
        channel text NOT NULL, recipient_kind text NOT NULL, recipient_id text, touchpoint_id text,
        touchpoint_type text, reason text, attempts int NOT NULL DEFAULT 0, first_at timestamptz,
        next_at timestamptz, rouse_at timestamptz, waits_until timestamptz, deadline timestamptz,
        fold_key text, planned_at timestamptz, lease_token uuid, lease_until timestamptz, lease_owner text,
        is_begun boolean NOT NULL DEFAULT false, ambiguous boolean NOT NULL DEFAULT false,
        erase_when_final boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02)
    """,
)
# What ended without being sent, for the lists by state.
UNSENT = (
    """
    CREATE TABLE delivery_unsent (
        delivery_id uuid NOT NULL, caused_at timestamptz NOT NULL, seq bigint NOT NULL, state text NOT NULL,
        account_id text NOT NULL, channel text NOT NULL, recipient_kind text NOT NULL, recipient_id text,
        created_at timestamptz NOT NULL, PRIMARY KEY (delivery_id, caused_at)
    ) PARTITION BY RANGE (caused_at)
    """,
    "CREATE TABLE delivery_unsent_default PARTITION OF delivery_unsent DEFAULT",
    # Which programs a contact got: none is presented twice.
    """
    CREATE TABLE presented_program (
        contact_id text NOT NULL, program_id text NOT NULL, presented_at timestamptz NOT NULL,
        PRIMARY KEY (contact_id, program_id)
    )
    """,
)
# Made when the rows are there.
INDEXES = (
    "CREATE INDEX delivery_seq ON delivery (seq)",
    "CREATE INDEX delivery_touchpoint ON delivery (touchpoint_id, seq)",
    "CREATE INDEX delivery_account ON delivery (account_id, seq)",
    "CREATE INDEX delivery_recipient ON delivery (recipient_id, seq)",
    "CREATE INDEX delivery_channel ON delivery (channel, seq)",
    # For recoveries alone; what is recovered keeps the message of the first delivery.
    "CREATE INDEX delivery_recovered ON delivery (event_key, recipient_id) WHERE recovery > 0",
    "CREATE INDEX queue_webhook ON delivery_queue (recipient_id, next_at) WHERE channel = 'webhook'",
    "CREATE INDEX queue_person ON delivery_queue (next_at) WHERE channel <> 'webhook'",
    "CREATE INDEX queue_rouse ON delivery_queue (rouse_at) WHERE rouse_at IS NOT NULL",
    "CREATE INDEX queue_fold ON delivery_queue (fold_key) WHERE fold_key IS NOT NULL",
    "CREATE INDEX queue_touchpoint ON delivery_queue (touchpoint_id) WHERE channel <> 'webhook'",
    "CREATE INDEX queue_account ON delivery_queue (account_id, seq)",
    "CREATE INDEX queue_recipient ON delivery_queue (recipient_id, seq)",
    "CREATE INDEX queue_seq ON delivery_queue (seq)",
    "CREATE INDEX unsent_state ON delivery_unsent (state, seq)",
    "CREATE INDEX unsent_account ON delivery_unsent (account_id, state, seq)",
    "CREATE INDEX unsent_recipient ON delivery_unsent (recipient_id, state, seq)",
    "CREATE INDEX unsent_channel ON delivery_unsent (channel, state, seq)",
    "CREATE INDEX presented_program_age ON presented_program USING brin (presented_at)",
)
FORMER_INDEXES = (
    *("delivery_seq", "delivery_touchpoint", "delivery_account", "delivery_recipient", "delivery_recovered"),
)
# What was announced before the feed was pruned has the time at which it ended.
CAUSED_AT = "coalesce(f.said_at, d.finished_at, d.created_at)"
LATEST = f"SELECT max({CAUSED_AT}) FROM former_delivery d LEFT JOIN feed f ON f.key = d.event_key"
FILL_RECORD = f"""
INSERT INTO delivery (id, caused_at, seq, event_key, message_id, recovery, attempts, touchpoint_id, touchpoint_type,
    account_id, channel, recipient_kind, recipient_id, state, reason, tried_at, tries, finished_at, address_hash,
    ambiguous, created_at)
SELECT d.id, {CAUSED_AT}, d.seq, d.event_key, d.message_id, d.recovery, d.attempts, d.touchpoint_id, d.touchpoint_type,
    d.account_id, d.channel, d.recipient_kind, d.recipient_id, d.state, d.reason, a.tried_at, a.tries, d.finished_at,
    d.address_hash, d.ambiguous, d.created_at
FROM former_delivery d LEFT JOIN feed f ON f.key = d.event_key LEFT JOIN (
    SELECT delivery_id, max(at) AS tried_at,
        jsonb_agg(jsonb_build_object('at', at, 'outcome', outcome, 'detail', detail) ORDER BY number)
            FILTER (WHERE outcome <> 'delivered') AS tries
    FROM attempt GROUP BY delivery_id
) a ON a.delivery_id = d.id ORDER BY d.seq
"""
FILL_QUEUE = f"""
INSERT INTO delivery_queue (delivery_id, caused_at, event_key, event_at, seq, message_id, account_id, channel,
    recipient_kind, recipient_id, touchpoint_id, touchpoint_type, reason, attempts, first_at, next_at, rouse_at,
    waits_until, deadline, fold_key, planned_at, lease_token, lease_until, lease_owner, is_begun, ambiguous,
    erase_when_final, created_at)
SELECT d.id, {CAUSED_AT}, d.event_key, {CAUSED_AT}, d.seq, d.message_id, d.account_id, d.channel,
    d.recipient_kind, d.recipient_id, d.touchpoint_id, d.touchpoint_type, d.reason, d.attempts, d.first_at, d.next_at,
    d.rouse_at, d.waits_until, d.deadline, d.fold_key, d.planned_at, d.lease_token, d.lease_until, d.lease_owner,
    d.lease_token IS NOT NULL, d.ambiguous, d.erase_when_final, d.created_at
FROM former_delivery d LEFT JOIN feed f ON f.key = d.event_key WHERE d.state = 'pending' ORDER BY d.seq
"""
FILL_UNSENT = """
INSERT INTO delivery_unsent (delivery_id, caused_at, seq, state, account_id, channel, recipient_kind, recipient_id,
    created_at)
SELECT id, caused_at, seq, state, account_id, channel, recipient_kind, recipient_id, created_at FROM delivery
WHERE state NOT IN ('pending', 'sent') ORDER BY seq
"""
FILL_PRESENTED = """
INSERT INTO presented_program (contact_id, program_id, presented_at)
SELECT recipient_id, program_id, max(finished_at) FROM former_delivery
WHERE program_id IS NOT NULL AND state = 'sent' AND recipient_kind = 'contact' GROUP BY 1, 2
"""
FILL = (
    "SELECT setval('delivery_order', coalesce((SELECT max(seq) FROM former_delivery), 0) + 1, false)",
    FILL_RECORD,
    FILL_QUEUE,
    FILL_UNSENT,
    FILL_PRESENTED,
    "DROP TABLE former_delivery",
    "DROP TABLE attempt",
)


def upgrade() -> None:
    # A reservation of what ended is removed by whoever reserves next: a foreign key costs the end of each delivery.
    op.execute("ALTER TABLE program_reservation DROP CONSTRAINT program_reservation_delivery_id_fkey")
    op.execute("ALTER TABLE delivery RENAME TO former_delivery")
    op.execute("ALTER INDEX delivery_pkey RENAME TO former_delivery_pkey")
    for index in FORMER_INDEXES:
        op.execute(f"DROP INDEX {index}")
    for statement in (*RECORD, *QUEUE, *UNSENT):
        op.execute(statement)
    create_former_partition("delivery", LATEST, "fillfactor = 90")
    create_former_partition("delivery_unsent", LATEST)
    for statement in (*FILL, *INDEXES):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
