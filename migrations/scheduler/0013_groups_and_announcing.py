"""What belongs together has one group; a person's reason for a new date is stored; far occurrences are announced later.

`announcement.announce_from` is on the service clock: until then a touchpoint that readers of events do not know makes
no event. NULL: it is announced as soon as its account is quiet.
"""

from alembic import op

revision = "scheduler_0013"
down_revision = "scheduler_0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE touchpoint ADD COLUMN group_id uuid, ADD COLUMN move_reason text",
    "ALTER TABLE archived_touchpoint ADD COLUMN group_id uuid, ADD COLUMN move_reason text",
    # Neither column changes when a touchpoint comes due, so that a release still rewrites a row on its page.
    "CREATE INDEX touchpoint_group ON touchpoint (group_id) WHERE group_id IS NOT NULL",
    "ALTER TABLE announcement ADD COLUMN announce_from timestamptz",
    """
    CREATE INDEX announcement_from ON announcement (announce_from, account_id) WHERE announce_from IS NOT NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
