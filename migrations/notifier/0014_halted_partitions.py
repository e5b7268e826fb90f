"""Too many dead letters halt a partition: the halt is stored with its offset."""

from migrations.chassis_tables import add_halts, drop_halts

revision = "notifier_0014"
down_revision = "notifier_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_halts()


def downgrade() -> None:
    drop_halts()
