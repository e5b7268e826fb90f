"""The plan and the content of touchpoints become JSON documents, as the models of the schemas write them.

Content was stored as the members of a JSON object without its braces. A text in JSON may hold an escaped NUL, which
jsonb cannot; it becomes the replacement character.
"""

from alembic import op

revision = "scheduler_0003"
down_revision = "scheduler_0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    r"ALTER TABLE rhythm ALTER COLUMN face TYPE jsonb USING replace('{' || face || '}', '\u0000', '\ufffd')::jsonb",
    r"ALTER TABLE touchpoint ALTER COLUMN face TYPE jsonb"
    r" USING replace('{' || face || '}', '\u0000', '\ufffd')::jsonb",
    r"ALTER TABLE account_calendar ALTER COLUMN plan TYPE jsonb"
    r" USING replace(convert_from(plan, 'UTF8'), '\u0000', '\ufffd')::jsonb",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
