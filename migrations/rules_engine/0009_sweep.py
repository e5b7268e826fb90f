"""How far the sweep has come stands in one row: an account for which a new policy changes nothing is not written."""

from alembic import op

revision = "rules_0009"
down_revision = "rules_0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `generation`: the newest whose sweep has begun; accounts up to `position` are evaluated under it, all when
    # `completed` is equal to it. `policy`, `completed_policy`: hashes of the policies of these generations.
    """
    CREATE TABLE sweep (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        generation bigint NOT NULL DEFAULT 0, policy text, position text NOT NULL DEFAULT '',
        completed bigint NOT NULL DEFAULT 0, completed_policy text
    ) WITH (fillfactor = 10)
    """,
    "INSERT INTO sweep DEFAULT VALUES",
    # Every account names its generation up to now: only when one is behind, the sweep begins anew.
    """
    UPDATE sweep SET generation = e.number, policy = e.policy_hash, completed = e.number, completed_policy = e.policy_hash
    FROM epoch AS e
    WHERE NOT EXISTS (
        SELECT FROM account WHERE state IS NOT NULL AND decided_under BETWEEN 1 - e.number AND e.number - 1
    )
    """,
    "DROP INDEX account_epoch",
    "CREATE INDEX account_waiting ON account (decided_under) WHERE decided_under < 0",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
