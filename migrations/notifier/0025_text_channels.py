"""Text messages and Slack: where contacts and people of ours are reached over them."""

from alembic import op

revision = "notifier_0025"
down_revision = "notifier_0024"
branch_labels = None
depends_on = None

# As `international_number` of the domain does it. An answer by text message is found by its number.
_DIGITS = r"""
regexp_replace(regexp_replace(replace(phone, '(0)', ''), U&'[ ()./\00a0-]', '', 'g'), '^00', '+')"""
STATEMENTS = (
    "ALTER TABLE contact ADD COLUMN slack text",
    "ALTER TABLE person ADD COLUMN slack text, ADD COLUMN news_by text",
    f"""
    ALTER TABLE contact ADD COLUMN number text GENERATED ALWAYS AS
        (CASE WHEN {_DIGITS} ~ '^[+][1-9][0-9]{{6,14}}$' THEN {_DIGITS} END) STORED
    """,
    "CREATE INDEX contact_number ON contact (number) WHERE number IS NOT NULL",
    # The directories say where people are in Slack: they are read again, from their beginning. The lease rows stay: their
    # epoch fences older replicas.
    "UPDATE account SET version = version - 1",
    "UPDATE person SET version = version - 1",
    "DELETE FROM consumer_offset WHERE topic IN ('directory.accounts', 'directory.csms')",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX contact_number")
    op.execute("ALTER TABLE contact DROP COLUMN number, DROP COLUMN slack")
    op.execute("ALTER TABLE person DROP COLUMN slack, DROP COLUMN news_by")
