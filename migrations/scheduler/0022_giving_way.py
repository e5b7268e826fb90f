"""What gives way when a person's weeks do not fit, and when somebody is levelled again because of it."""

from alembic import op

revision = "scheduler_0022"
down_revision = "scheduler_0021"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE csm_book ADD COLUMN review_at timestamptz",
    "CREATE INDEX csm_book_review ON csm_book (review_at) WHERE review_at IS NOT NULL",
    # What gave way is read with each plan of its account and with each book of its person, also when it is closed.
    """
    CREATE INDEX touchpoint_yielded ON touchpoint (account_id)
    WHERE closure = 'withdrawn' AND verdict LIKE 'gave way: %'
    """,
    """
    CREATE INDEX touchpoint_yielded_csm ON touchpoint (csm_id)
    WHERE closure = 'withdrawn' AND verdict LIKE 'gave way: %'
    """,
    """
    INSERT INTO csm_mark (csm_id, cause)
    SELECT csm_id, 'what does not fit gives way' FROM csm_book WHERE conflicts <> '[]'
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
