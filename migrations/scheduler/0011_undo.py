"""Acts by hand can be undone for ten real minutes: each touchpoint as it was before the last one."""

from alembic import op

revision = "scheduler_0011"
down_revision = "scheduler_0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE hand_act (
        touchpoint_id uuid PRIMARY KEY, account_id text NOT NULL, acted_at timestamptz NOT NULL,
        sequence int NOT NULL, former jsonb NOT NULL, follow_up uuid
    )
    """,
    "CREATE INDEX hand_act_follow_up ON hand_act (follow_up) WHERE follow_up IS NOT NULL",
    "CREATE INDEX hand_act_account ON hand_act (account_id)",
    "CREATE INDEX hand_act_acted ON hand_act (acted_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE hand_act")
