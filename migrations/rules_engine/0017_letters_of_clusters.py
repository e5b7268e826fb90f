"""Dead letters of a former broker do not halt a partition of the new one."""

from migrations.chassis_tables import add_letters_of_clusters, drop_letters_of_clusters

revision = "rules_0017"
down_revision = "rules_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_letters_of_clusters()


def downgrade() -> None:
    drop_letters_of_clusters()
