"""Accounts that ended in another one, and which event says where a contact is."""

from alembic import op

revision = "notifier_0005"
down_revision = "notifier_0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    "CREATE TABLE account_alias (ended text PRIMARY KEY, stays text NOT NULL)",
    "CREATE INDEX account_alias_stays ON account_alias (stays)",
    "ALTER TABLE contact ADD COLUMN said_at timestamptz, ADD COLUMN source text, ADD COLUMN word_id text",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE contact DROP COLUMN said_at, DROP COLUMN source, DROP COLUMN word_id")
    op.execute("DROP TABLE account_alias")
