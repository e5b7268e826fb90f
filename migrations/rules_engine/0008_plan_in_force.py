"""The plan in force has a row of its own, and decisions are partitioned by month, so that old ones can be dropped."""

from alembic import op
from sqlalchemy import text

revision = "rules_0008"
down_revision = "rules_0007"
branch_labels = None
depends_on = None

STORAGE = "toast_tuple_target = 8160"
MONTHS = 4
# Not in the row of the account: the state there is written with every event, and a plan seldom changes.
PLANS = (
    f"""
    CREATE TABLE account_plan (
        account_id text PRIMARY KEY, version bigint NOT NULL, policy text NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(), plan bytea NOT NULL
    ) WITH (fillfactor = 80, {STORAGE})
    """,
    # Decisions of an account that was merged belong to the other one, and may have equal versions: the newest counts.
    """
    INSERT INTO account_plan (account_id, version, policy, recorded_at, plan)
    SELECT a.account_id, d.version, d.policy, d.recorded_at, d.plan
    FROM account AS a CROSS JOIN LATERAL (
        SELECT version, policy, recorded_at, plan FROM decision
        WHERE account_id = a.account_id AND version = a.plan_version ORDER BY recorded_at DESC LIMIT 1
    ) AS d WHERE a.state IS NOT NULL
    """,
)
# The former table becomes a partition as it is: none of its rows is written. An id is never looked up without its
# account and version, from which it follows, so it needs no index.
DECISIONS = (
    "ALTER TABLE decision RENAME TO decision_former",
    "ALTER TABLE decision_former DROP CONSTRAINT decision_pkey",
    "ALTER INDEX decision_account RENAME TO decision_former_account",
    """
    CREATE TABLE decision (
        id uuid NOT NULL, account_id text NOT NULL, version bigint NOT NULL,
        decided_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        policy text NOT NULL, events jsonb NOT NULL, changes jsonb NOT NULL, suppressed jsonb NOT NULL,
        plan bytea NOT NULL, state bytea NOT NULL, fired text NOT NULL
    ) PARTITION BY RANGE (recorded_at)
    """,
    "CREATE INDEX decision_account ON decision (account_id, version DESC)",
    f"CREATE TABLE decision_default PARTITION OF decision DEFAULT WITH ({STORAGE})",
)
# Until the end of next month, so that a row of a clock that was ahead fits.
ATTACH = "ALTER TABLE decision ATTACH PARTITION decision_former FOR VALUES FROM (MINVALUE) TO ('{end}')"
MONTH_STARTS = """
SELECT to_char(month, 'YYYY_MM') AS name, month || '+00' AS start, month + interval '1 month' || '+00' AS finish
FROM generate_series(0, :months) AS n,
    LATERAL (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month') AS m (month)
ORDER BY n
"""


def upgrade() -> None:
    bind = op.get_bind()
    for statement in (*PLANS, *DECISIONS):
        op.execute(statement)
    months = [tuple(row) for row in bind.execute(text(MONTH_STARTS), {"months": MONTHS})]
    if bind.scalar(text("SELECT EXISTS (SELECT FROM decision_former)")):
        op.execute(ATTACH.format(end=months[2][1]))
        months = months[2:]
    else:
        op.execute("DROP TABLE decision_former")
    for name, start, end in months:
        op.execute(
            f"CREATE TABLE decision_{name} PARTITION OF decision"
            f" FOR VALUES FROM ('{start}') TO ('{end}') WITH ({STORAGE})"
        )


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
