"""The country and region of a person, whose public holidays take from the capacity of a week."""

from alembic import op

revision = "scheduler_0005"
down_revision = "scheduler_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE person ADD COLUMN country text, ADD COLUMN region text")


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
