"""Where a service clock with rate 0 stands."""

from migrations.chassis_tables import add_standing_clock, drop_standing_clock

revision = "rules_0013"
down_revision = "rules_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_standing_clock()


def downgrade() -> None:
    drop_standing_clock()
