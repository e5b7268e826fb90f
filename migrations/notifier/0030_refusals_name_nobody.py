"""What a mail server wrote when it refused an address may repeat the address: of a refusal the codes are kept."""

from alembic import op

revision = "notifier_0030"
down_revision = "notifier_0029"
branch_labels = None
depends_on = None
expands = True

CODE, STATUS = r"^[245]\d\d", r"\y[245]\.\d{1,3}\.\d{1,3}\y"


def upgrade() -> None:
    op.execute(
        f"UPDATE refused_address SET detail = concat_ws(' ', substring(detail, '{CODE}'), substring(detail, '{STATUS}'))"
        f" WHERE detail ~ '{CODE}' OR detail LIKE '%@%'"
    )


def downgrade() -> None:
    """What was dropped does not come back."""
