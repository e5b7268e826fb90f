"""Deliveries that go in one mail, and the mail of a person's day."""

from alembic import op

revision = "notifier_0007"
down_revision = "notifier_0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Pending deliveries with one key go in one mail, at the service time for which it is planned (null: at once).
    "ALTER TABLE delivery ADD COLUMN fold_key text, ADD COLUMN planned_at timestamptz",
    "CREATE INDEX delivery_fold ON delivery (fold_key) WHERE state = 'pending' AND fold_key IS NOT NULL",
    # The service time of the next mail of the day; null: it is found out by the time zone and the working days.
    "ALTER TABLE person ADD COLUMN opens_at timestamptz",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE person DROP COLUMN opens_at")
    op.execute("DROP INDEX delivery_fold")
    op.execute("ALTER TABLE delivery DROP COLUMN fold_key, DROP COLUMN planned_at")
