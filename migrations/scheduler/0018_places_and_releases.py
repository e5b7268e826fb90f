"""Country and region of accounts, and the releases of zone rules and public holidays that calendars follow.

`data_release.details` of `tzdata`: what the clocks of each zone show, and showed before, where a release changed it.
`account_calendar.rules_changed`: the release of `tzdata` whose changes its calendar does not follow yet.
"""

from alembic import op

revision = "scheduler_0018"
down_revision = "scheduler_0017"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE account_calendar ADD COLUMN country text, ADD COLUMN region text, ADD COLUMN rules_changed text",
    "CREATE TABLE data_release (name text PRIMARY KEY, release text NOT NULL, details jsonb NOT NULL)",
    # Calendars were made without public holidays and time off: all of them are made again.
    "UPDATE account_calendar SET extend_at = '-infinity' WHERE plan IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
