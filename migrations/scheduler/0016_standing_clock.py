"""Where a service clock with rate 0 stands."""

from alembic import op

revision = "scheduler_0016"
down_revision = "scheduler_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE standing_clock (one boolean PRIMARY KEY DEFAULT true CHECK (one), now timestamptz NOT NULL)"
    )


def downgrade() -> None:
    op.execute("DROP TABLE standing_clock")
