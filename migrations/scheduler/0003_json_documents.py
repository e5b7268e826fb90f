"""Plans and the content of touchpoints become JSON documents, as the models of the schemas write them.

Content was stored as the members of a JSON object without its braces. A plan is stored as it was received: json, whose
text is only checked, costs a tenth less for each plan than jsonb. JSON text may hold an escaped NUL, which jsonb
cannot; it becomes the replacement character.
"""

from alembic import op

revision = "scheduler_0003"
down_revision = "scheduler_0002"
branch_labels = None
depends_on = None

CONTENT = r"ALTER COLUMN face TYPE jsonb USING replace('{' || face || '}', '\u0000', '\ufffd')::jsonb"
PLAN = r"ALTER COLUMN plan TYPE json USING replace(convert_from(plan, 'UTF8'), '\u0000', '\ufffd')::json"


def upgrade() -> None:
    op.execute(f"ALTER TABLE rhythm {CONTENT}")
    op.execute(f"ALTER TABLE touchpoint {CONTENT}")
    op.execute(f"ALTER TABLE account_calendar {PLAN}")


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
