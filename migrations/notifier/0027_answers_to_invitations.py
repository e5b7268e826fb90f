"""What contacts answered to invitations: of all who are invited it follows whether anybody comes."""

from alembic import op

revision = "notifier_0027"
down_revision = "notifier_0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # `answered_sequence`: the version of the invitation that was answered.
    op.execute("ALTER TABLE invitation ADD COLUMN answer text, ADD COLUMN answered_sequence bigint")


def downgrade() -> None:
    op.execute("ALTER TABLE invitation DROP COLUMN answer, DROP COLUMN answered_sequence")
