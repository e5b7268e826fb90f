"""Too many dead letters halt a partition: the halt is stored with its offset."""

from migrations.chassis_tables import add_halts, drop_halts

revision = "rules_0010"
down_revision = "rules_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_halts()


def downgrade() -> None:
    drop_halts()
