"""Programs that contacts got, and the directory once more: rows of before have no language and no owner."""

from alembic import op

revision = "notifier_0008"
down_revision = "notifier_0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE delivery ADD COLUMN program_id text",
    """
    CREATE INDEX delivery_program ON delivery (recipient_id, program_id)
    WHERE program_id IS NOT NULL AND state = 'sent'
    """,
    """
    CREATE TABLE catalogue (
        one boolean PRIMARY KEY DEFAULT true CHECK (one), body text NOT NULL, version bigint NOT NULL
    )
    """,
    # A record is stored when its version is higher than that of the row: the record of the row's own version is read
    # again, older ones are not.
    "UPDATE account SET version = version - 1",
    "UPDATE person SET version = version - 1",
    # A topic without stored offsets is read from its beginning. The lease rows stay: their epoch fences older replicas.
    "DELETE FROM consumer_offset WHERE topic IN ('directory.accounts', 'directory.csms')",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE catalogue")
    op.execute("DROP INDEX delivery_program")
    op.execute("ALTER TABLE delivery DROP COLUMN program_id")
