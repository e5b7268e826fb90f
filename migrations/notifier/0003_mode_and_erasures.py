"""The mode that the rules engine published, and deliveries that are erased as soon as they are final."""

from alembic import op

revision = "notifier_0003"
down_revision = "notifier_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    # One row. Without a version the setting of this service counts until the rules engine publishes the mode.
    """
    CREATE TABLE mode (
        one boolean PRIMARY KEY DEFAULT true CHECK (one), mode text NOT NULL,
        hold_from timestamptz, hold_until timestamptz, version bigint NOT NULL
    )
    """,
    "ALTER TABLE delivery ADD COLUMN erase_when_final boolean NOT NULL DEFAULT false",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE delivery DROP COLUMN erase_when_final")
    op.execute("DROP TABLE mode")
