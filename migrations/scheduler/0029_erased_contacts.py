"""Which erased contacts an account had, by digest: what people of ours wrote in its calendar is dropped once for each."""

from alembic import op

revision = "scheduler_0029"
down_revision = "scheduler_0028"
branch_labels = None
depends_on = None
expands = True


def upgrade() -> None:
    op.execute("ALTER TABLE account_calendar ADD COLUMN erased_contacts text[] NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    op.execute("ALTER TABLE account_calendar DROP COLUMN erased_contacts")
