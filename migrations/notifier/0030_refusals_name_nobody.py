"""What a mail server wrote when it refused an address may repeat the address: of a refusal the codes are kept."""

from alembic import op

revision = "notifier_0030"
down_revision = "notifier_0029"
branch_labels = None
depends_on = None
expands = True

CODES = r"^([245]\d\d)[ -](?:.*?\y([245]\.\d{1,3}\.\d{1,3})\y)?"


def upgrade() -> None:
    op.execute(
        "UPDATE refused_address SET detail = concat_ws(' ', found[1], found[2])"
        f" FROM (SELECT address_hash AS of, regexp_match(detail, '{CODES}') AS found FROM refused_address) m"
        " WHERE address_hash = m.of AND found IS NOT NULL"
    )


def downgrade() -> None:
    """What was dropped does not come back."""
