"""Promises: by when each touchpoint with a deadline is to be done, what endangers it, and what became of it."""

from alembic import op

revision = "scheduler_0025"
down_revision = "scheduler_0024"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `look_at`: when it is looked at again, on the service clock; NULL: its touchpoint is closed, or its time has passed.
    # `found_at`: when it was first looked at, `since`: when its cause was found, `warned_at`: when a cause was announced
    # for the first time.
    """
    CREATE TABLE promise (
        touchpoint_id uuid PRIMARY KEY, account_id text NOT NULL, type text NOT NULL, owner text NOT NULL,
        csm_id text, policy text NOT NULL, promised_at timestamptz NOT NULL, state text NOT NULL, is_due boolean NOT NULL,
        cause text, detail text, since timestamptz, warned_at timestamptz, look_at timestamptz, found_at timestamptz,
        written_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX promise_look ON promise (look_at) WHERE look_at IS NOT NULL",
    "CREATE INDEX promise_csm ON promise (csm_id, promised_at)",
    "CREATE INDEX promise_promised ON promise (promised_at, touchpoint_id)",
    "CREATE INDEX promise_account ON promise (account_id)",
    "CREATE INDEX promise_written ON promise (written_at) WHERE look_at IS NULL",
    # Up to where the change feed has been read; whoever writes promises holds this row.
    """
    CREATE TABLE promise_position (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), xid xid8 NOT NULL, id uuid NOT NULL
    )
    """,
    "INSERT INTO promise_position (xid, id) VALUES ('0', '00000000-0000-0000-0000-000000000000')",
    # People whose hours or weeks have changed: their promises are looked at again.
    """
    CREATE TABLE promise_mark (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, csm_id text NOT NULL)
    WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
    """,
    # What has no room in somebody's weeks, by touchpoint, as the leveller found it.
    "ALTER TABLE csm_book ADD COLUMN without_room jsonb NOT NULL DEFAULT '{}'",
    # Open touchpoints whose last change has left the feed.
    """
    INSERT INTO promise (touchpoint_id, account_id, type, owner, csm_id, policy, promised_at, state, is_due, look_at)
    SELECT id, account_id, type, owner, csm_id, '', coalesce(deadline, end_at), 'open', status <> 'planned', '-infinity'
    FROM touchpoint WHERE status IN ('planned', 'due', 'overdue') AND origin <> 'calendar'
        AND (deadline IS NOT NULL OR (origin = 'one_off' AND end_at > start_at))
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
