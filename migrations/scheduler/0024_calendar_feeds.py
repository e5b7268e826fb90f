"""The addresses of calendar feeds: of each only a digest of its token, and whose calendar it is."""

from alembic import op

revision = "scheduler_0024"
down_revision = "scheduler_0022"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE calendar_feed (
        id uuid PRIMARY KEY, token_sha256 bytea NOT NULL UNIQUE, account_id text, csm_id text,
        made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CHECK (num_nonnulls(account_id, csm_id) = 1)
    )
    """,
    "CREATE INDEX calendar_feed_account ON calendar_feed (account_id) WHERE account_id IS NOT NULL",
    "CREATE INDEX calendar_feed_csm ON calendar_feed (csm_id) WHERE csm_id IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
