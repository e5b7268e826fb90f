"""What messages say of people, and the content files in force."""

from alembic import op

revision = "notifier_0006"
down_revision = "notifier_0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE account ADD COLUMN language text, ADD COLUMN csm_id text, ADD COLUMN sales_id text,
        ADD COLUMN pool text
    """,
    "ALTER TABLE contact ADD COLUMN phone text",
    """
    ALTER TABLE person ADD COLUMN pool text, ADD COLUMN phone text, ADD COLUMN language text,
        ADD COLUMN role text, ADD COLUMN manager_id text, ADD COLUMN booking_url text,
        ADD COLUMN working_days text[]
    """,
    """
    CREATE TABLE content (
        key text PRIMARY KEY, language text NOT NULL, touchpoint_type text NOT NULL, reader text NOT NULL,
        body text NOT NULL, policy text NOT NULL, version bigint NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE content")
    op.execute(
        "ALTER TABLE person DROP COLUMN pool, DROP COLUMN phone, DROP COLUMN language, DROP COLUMN role"
    )
    op.execute("ALTER TABLE person DROP COLUMN manager_id, DROP COLUMN booking_url, DROP COLUMN working_days")
    op.execute("ALTER TABLE contact DROP COLUMN phone")
    op.execute("ALTER TABLE account DROP COLUMN language, DROP COLUMN csm_id, DROP COLUMN sales_id")
    op.execute("ALTER TABLE account DROP COLUMN pool")
