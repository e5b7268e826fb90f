"""Lists by status have narrow tables, and what was closed long ago moves to an archive that is dropped by months.

`due_touchpoint` has what has come due and is not closed, `closed_touchpoint` what is closed and not archived: a list by
status reads these, never the whole calendar. `archived_touchpoint` has the columns of `touchpoint` and the real time
at which the row moved. What was closed before this version and has left the change feed is due to be archived at once.
"""

from alembic import op

revision = "scheduler_0012"
down_revision = "scheduler_0011"
branch_labels = None
depends_on = None

NARROW = """WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_limit = 2000)"""
STATEMENTS = (
    f"""
    CREATE TABLE due_touchpoint (
        due_at timestamptz NOT NULL, id uuid NOT NULL, csm_id text, type text NOT NULL, PRIMARY KEY (due_at, id)
    ) {NARROW}
    """,
    f"""
    CREATE TABLE closed_touchpoint (
        status text NOT NULL, due_at timestamptz NOT NULL, id uuid NOT NULL, type text NOT NULL,
        PRIMARY KEY (status, due_at, id)
    ) {NARROW}
    """,
    """
    INSERT INTO due_touchpoint SELECT due_at, id, csm_id, type FROM touchpoint WHERE status IN ('due', 'overdue')
    """,
    """
    INSERT INTO closed_touchpoint SELECT status, due_at, id, type FROM touchpoint
    WHERE status IN ('settled', 'cancelled')
    """,
    "CREATE INDEX due_touchpoint_csm ON due_touchpoint (csm_id, due_at, id) WHERE csm_id IS NOT NULL",
    # No column of it changes when a touchpoint comes due, so that a release still rewrites a row on its page.
    "CREATE INDEX touchpoint_type ON touchpoint (type, due_at, id)",
    # The beginning of the changes since a moment.
    "DROP INDEX change_changed",
    "CREATE INDEX change_changed ON change (changed_at, xid)",
    """
    CREATE TABLE archived_touchpoint (
        LIKE touchpoint, archived_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) PARTITION BY RANGE (archived_at)
    """,
    "CREATE TABLE archived_touchpoint_default PARTITION OF archived_touchpoint DEFAULT",
    # The service makes the months ahead; this one is there before the first row moves.
    """
    DO $$
    DECLARE month timestamptz := date_trunc('month', now(), 'UTC');
    BEGIN
        EXECUTE format(
            'CREATE TABLE archived_touchpoint_%s PARTITION OF archived_touchpoint FOR VALUES FROM (%L) TO (%L)',
            to_char(month AT TIME ZONE 'UTC', 'YYYY_MM'), month,
            (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
    END $$
    """,
    "CREATE INDEX archived_touchpoint_id ON archived_touchpoint (id)",
    "CREATE INDEX archived_touchpoint_account ON archived_touchpoint (account_id, due_at, id)",
    "CREATE INDEX archived_touchpoint_csm ON archived_touchpoint (csm_id, due_at, id) WHERE csm_id IS NOT NULL",
    "CREATE INDEX archived_touchpoint_type ON archived_touchpoint (type, due_at, id)",
    "CREATE INDEX archived_touchpoint_status ON archived_touchpoint (status, due_at, id)",
    """
    CREATE INDEX archived_touchpoint_unowned ON archived_touchpoint (due_at, id)
    WHERE csm_id IS NULL AND owner IN ('csm', 'pooled_csm', 'sales')
    """,
    # When each type last came due for an account, as far as the archive has it.
    """
    CREATE TABLE archived_contact (
        account_id text NOT NULL, type text NOT NULL, due_at timestamptz NOT NULL, PRIMARY KEY (account_id, type)
    )
    """,
    """
    INSERT INTO change (xid, id, changed_at, written_at)
    SELECT t.change_xid, t.id, t.changed_at, clock_timestamp() - interval '10 years' FROM touchpoint t
    WHERE t.status IN ('settled', 'cancelled')
        AND NOT EXISTS (SELECT 1 FROM change c WHERE c.id = t.id AND c.xid = t.change_xid)
    """,
    "ALTER TABLE early_outcome ADD COLUMN written_at timestamptz NOT NULL DEFAULT clock_timestamp()",
    "CREATE INDEX early_outcome_written ON early_outcome (written_at)",
    # Whether an account names a person is asked when work is given to them.
    "CREATE INDEX account_calendar_csm ON account_calendar (csm_id) WHERE csm_id IS NOT NULL",
    "CREATE INDEX account_calendar_sales ON account_calendar (sales_id) WHERE sales_id IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
