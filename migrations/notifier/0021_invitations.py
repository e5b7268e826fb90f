"""What the calendars of contacts and of people of ours have: the latest mail to each about a touchpoint."""

from alembic import op

revision = "notifier_0021"
down_revision = "notifier_0020"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `sequence`: of the touchpoint in that mail. `invited_at` (service time): when the first mail went.
    """
    CREATE TABLE invitation (
        touchpoint_id text NOT NULL, recipient_kind text NOT NULL, recipient_id text NOT NULL, account_id text NOT NULL,
        sequence bigint NOT NULL, starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, organizer_id text,
        is_cancelled boolean NOT NULL, invited_at timestamptz NOT NULL,
        PRIMARY KEY (touchpoint_id, recipient_kind, recipient_id)
    )
    """,
    "CREATE INDEX invitation_recipient ON invitation (recipient_id, invited_at)",
    "CREATE INDEX invitation_account ON invitation (account_id)",
    "CREATE INDEX invitation_end ON invitation (ends_at)",
    # The invitations of one reader by the time of their touchpoint, which is their deadline.
    "CREATE INDEX queue_calendar ON delivery_queue (recipient_id, deadline) WHERE channel = 'calendar'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX queue_calendar")
    op.execute("DROP TABLE invitation")
