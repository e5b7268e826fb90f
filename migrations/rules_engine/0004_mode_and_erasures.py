"""The mode is switched at runtime: what the setting last said, since when it holds; and what was erased."""

from alembic import op

revision = "rules_0004"
down_revision = "rules_0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `mode_setting` is DRUMBEAT_MODE as it was last read: only when it changes does it switch the mode.
    "ALTER TABLE epoch ADD COLUMN mode_setting text, ADD COLUMN mode_since timestamptz",
    # The last period in which nothing reached customers, in service time; what came due in it is not sent later.
    "ALTER TABLE epoch ADD COLUMN hold_from timestamptz, ADD COLUMN hold_until timestamptz",
    "UPDATE epoch SET mode_setting = mode",
    # A digest of what was erased, so that the receipt can be read again and late announcements are not stored.
    "CREATE TABLE erasure (key bytea PRIMARY KEY, erased_at timestamptz NOT NULL)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
