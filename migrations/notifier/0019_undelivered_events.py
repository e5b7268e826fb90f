"""Events whose webhook failed, kept apart from the feed: a recovery has them when the feed was pruned."""

from alembic import op

from migrations.partitions import create_former_partition

revision = "notifier_0019"
down_revision = "notifier_0018"
branch_labels = None
depends_on = None

# One row of each event, however many endpoints did not get it. The key and the time are those of the feed.
EVENTS = (
    """
    CREATE TABLE undelivered_event (
        key uuid NOT NULL, event_at timestamptz NOT NULL, event_id text NOT NULL, type text NOT NULL,
        account_id text NOT NULL, data bytea NOT NULL, PRIMARY KEY (key, event_at)
    ) PARTITION BY RANGE (event_at)
    """,
    "CREATE TABLE undelivered_event_default PARTITION OF undelivered_event DEFAULT",
)
_FAILED = """
FROM delivery_unsent u JOIN delivery d ON d.id = u.delivery_id AND d.caused_at = u.caused_at
JOIN feed f ON f.key = d.event_key
WHERE u.state = 'failed' AND u.channel = 'webhook'
"""
# What failed before now and still has its event.
FILL = (
    f"""
    INSERT INTO undelivered_event (key, event_at, event_id, type, account_id, data)
    SELECT f.key, f.said_at, f.event_id, f.type, f.account_id, f.data {_FAILED} ON CONFLICT DO NOTHING
    """,
    "CREATE INDEX undelivered_event_account ON undelivered_event (account_id)",
)


def upgrade() -> None:
    for statement in EVENTS:
        op.execute(statement)
    create_former_partition("undelivered_event", f"SELECT max(f.said_at) {_FAILED}")
    for statement in FILL:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE undelivered_event")
