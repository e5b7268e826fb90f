"""Mails as they were written, for ninety days, so that anybody can see what a person was told."""

from alembic import op

revision = "notifier_0009"
down_revision = "notifier_0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    # By message and not by delivery: several deliveries may share one mail.
    """
    CREATE TABLE written_message (
        message_id uuid PRIMARY KEY, content bytea NOT NULL,
        written_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX written_message_age ON written_message USING brin (written_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE written_message")
