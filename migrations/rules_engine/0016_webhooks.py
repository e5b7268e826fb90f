"""What came in by webhooks, counted for each source: requests, facts, refused items, and what no mapping reads."""

from alembic import op

revision = "rules_0016"
down_revision = "rules_0014"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `kind`: received, fact, refused or unmapped; `name`: the type of event, or what is not mapped.
    """
    CREATE TABLE webhook_count (
        source text NOT NULL, kind text NOT NULL, name text NOT NULL,
        count bigint NOT NULL, first_at timestamptz NOT NULL, last_at timestamptz NOT NULL,
        PRIMARY KEY (source, kind, name)
    ) WITH (fillfactor = 80)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
