"""The scheduler's first schema: the calendar, its rhythms, and the people of the calendar."""

from alembic import op

from migrations.chassis_tables import create_chassis_tables

revision = "scheduler_0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    # One row for each account: its lock, its plan, its entry of the directory. `extend_at` is when the next
    # occurrence comes within the horizon; '-infinity' means at once (hours or zone have changed).
    """
    CREATE TABLE account_calendar (
        account_id text PRIMARY KEY,
        version bigint NOT NULL DEFAULT -1, plan bytea, shape bytea,
        directory_version bigint NOT NULL DEFAULT -1, name text, csm_id text, timezone text, doubt text,
        extend_at timestamptz
    ) WITH (fillfactor = 70)
    """,
    """
    CREATE INDEX account_calendar_extend ON account_calendar (extend_at, account_id)
    WHERE extend_at IS NOT NULL
    """,
    # A rhythm has the content of its planned occurrences (face); `last_number` is never used again.
    """
    CREATE TABLE rhythm (
        account_id text NOT NULL, type text NOT NULL,
        every_days int NOT NULL, anchor_at timestamptz NOT NULL, until_at timestamptz,
        last_number int NOT NULL, active boolean NOT NULL,
        owner text NOT NULL, csm_id text, minutes int NOT NULL, face text NOT NULL,
        PRIMARY KEY (account_id, type)
    )
    """,
    # `face` is the content of a touchpoint, as members of a JSON object without its braces; NULL while it has
    # that of its rhythm. No index contains a column that the release changes, and pages keep free space: a
    # release rewrites one row on its page and changes no index (HOT update), however many rows there are.
    """
    CREATE TABLE touchpoint (
        id uuid PRIMARY KEY, account_id text NOT NULL, type text NOT NULL, origin text NOT NULL, number int,
        status text NOT NULL, due_at timestamptz NOT NULL, released_at timestamptz,
        start_at timestamptz NOT NULL, end_at timestamptz NOT NULL, deadline timestamptz, lapses_at timestamptz,
        owner text NOT NULL, csm_id text, minutes int NOT NULL, pinned boolean NOT NULL, sequence int NOT NULL,
        closure text, verdict text,
        outcome text, outcome_time timestamptz, outcome_source text, outcome_id text, outcome_notes text,
        follows uuid, face text,
        changed_at timestamptz NOT NULL, change_xid xid8 NOT NULL DEFAULT pg_current_xact_id()
    ) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000,
            autovacuum_vacuum_cost_limit = 2000)
    """,
    "CREATE INDEX touchpoint_account ON touchpoint (account_id, due_at)",
    "CREATE INDEX touchpoint_csm ON touchpoint (csm_id, due_at) WHERE csm_id IS NOT NULL",
    "CREATE INDEX touchpoint_due ON touchpoint (due_at, id)",
    # Two queues: planned touchpoints by due time; open ones of people by the time at which they become overdue.
    """
    CREATE TABLE agenda (at timestamptz NOT NULL, id uuid NOT NULL, PRIMARY KEY (at, id))
    WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000,
          autovacuum_vacuum_cost_limit = 2000)
    """,
    "CREATE TABLE lapsing (at timestamptz NOT NULL, id uuid NOT NULL, PRIMARY KEY (at, id))",
    # The change feed in the order of commits: readers stop before the oldest running transaction, and return
    # only the latest change of a touchpoint.
    """
    CREATE TABLE change (
        xid xid8 NOT NULL, id uuid NOT NULL, changed_at timestamptz NOT NULL,
        written_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (xid, id)
    )
    """,
    "CREATE INDEX change_changed ON change USING brin (changed_at)",
    """
    CREATE TABLE person (
        csm_id text PRIMARY KEY, version bigint NOT NULL, name text, email text, timezone text,
        weekly_minutes int, working_days int[], day_start time, day_end time,
        away daterange[] NOT NULL DEFAULT '{}', pool text, doubt text
    )
    """,
    # An outcome that arrived before its touchpoint.
    """
    CREATE TABLE early_outcome (
        touchpoint_id uuid PRIMARY KEY, account_id text NOT NULL,
        outcome text NOT NULL, outcome_time timestamptz NOT NULL, outcome_source text NOT NULL,
        outcome_id text NOT NULL, outcome_notes text
    )
    """,
)


def upgrade() -> None:
    create_chassis_tables()
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("there is no schema before the first one; restore a backup instead")
