"""How long an endpoint has been failing and whom that concerns, and when a secret was made."""

from alembic import op

revision = "notifier_0012"
down_revision = "notifier_0011"
branch_labels = None
depends_on = None

# Real time. `warnings`: how many were given since `failing_since`.
SUBSCRIPTION = {
    "contact": "text",
    "failing_since": "timestamptz",
    "failed_at": "timestamptz",
    "last_problem": "text",
    "warnings": "int NOT NULL DEFAULT 0",
    "warned_at": "timestamptz",
    "disabled_at": "timestamptz",
}


def upgrade() -> None:
    for column, kind in SUBSCRIPTION.items():
        op.execute(f"ALTER TABLE subscription ADD COLUMN {column} {kind}")
    # Whom that concerns knows of those that were disabled before.
    op.execute("UPDATE subscription SET disabled_at = clock_timestamp() WHERE NOT active AND NOT deleted")
    op.execute("ALTER TABLE secret ADD COLUMN made_at timestamptz NOT NULL DEFAULT clock_timestamp()")


def downgrade() -> None:
    op.execute("ALTER TABLE secret DROP COLUMN made_at")
    for column in SUBSCRIPTION:
        op.execute(f"ALTER TABLE subscription DROP COLUMN {column}")
