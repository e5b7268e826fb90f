"""Events wait until an account is quiet; a rhythm can go back to its former moments; the catalogue of the policy.

`announcement` has one row for each touchpoint with a change that readers of events do not know yet: what they know of
it, NULL in `status` when they do not know it at all. A touchpoint without a row is known as it is stored, which is
true of every touchpoint of the version before. The times are those of the real clock.
"""

from alembic import op

revision = "scheduler_0009"
down_revision = "scheduler_0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE announcement (
        touchpoint_id uuid PRIMARY KEY, account_id text NOT NULL, note text,
        status text, due_at timestamptz, start_at timestamptz, end_at timestamptz, deadline timestamptz, owner text,
        csm_id text
    )
    """,
    "CREATE INDEX announcement_account ON announcement (account_id)",
    "ALTER TABLE account_calendar ADD COLUMN announce_at timestamptz, ADD COLUMN changed_since timestamptz",
    """
    CREATE INDEX account_calendar_announce ON account_calendar (announce_at, account_id)
    WHERE announce_at IS NOT NULL
    """,
    "ALTER TABLE rhythm ADD COLUMN former jsonb NOT NULL DEFAULT '[]'",
    "CREATE TABLE policy_in_force (key text PRIMARY KEY, version bigint NOT NULL, record json NOT NULL)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
