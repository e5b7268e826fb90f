"""Versions of the policy, the ranks of the book, and an account's revenue, so that it can be ranked."""

from alembic import op

revision = "rules_0002"
down_revision = "rules_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE policy_version (
        number bigint PRIMARY KEY, hash text NOT NULL REFERENCES policy (hash), name text NOT NULL,
        author text, note text NOT NULL DEFAULT '',
        origin text NOT NULL CHECK (origin IN ('file', 'api', 'rollback')),
        published_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX policy_version_hash ON policy_version (hash, number)",
    # Until now every policy came from a file; the one in force is the newest version.
    """
    INSERT INTO policy_version (number, hash, name, origin, published_at)
    SELECT row_number() OVER (ORDER BY p.hash = e.policy_hash, p.loaded_at), p.hash, p.name, 'file', p.loaded_at
    FROM policy AS p CROSS JOIN epoch AS e
    """,
    "ALTER TABLE epoch ADD COLUMN version bigint NOT NULL DEFAULT 1",
    "UPDATE epoch SET version = (SELECT max(number) FROM policy_version)",
    # What each replica last found under DRUMBEAT_POLICY: only somebody who edits the files puts them in force.
    "CREATE TABLE policy_offer (owner text PRIMARY KEY, fingerprint text NOT NULL)",
    """
    CREATE TABLE book (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        arr_percentiles float8[] NOT NULL DEFAULT '{}', ranked bigint NOT NULL DEFAULT 0, ranked_at timestamptz
    )
    """,
    "INSERT INTO book DEFAULT VALUES",
    "ALTER TABLE account ADD COLUMN arr float8",
    # Only changes of revenue or stage touch this index; ranking a million accounts reads it and not the accounts.
    "CREATE INDEX account_arr ON account (arr) WHERE arr IS NOT NULL AND stage <> 'churned'",
    "CREATE INDEX account_undecided ON account (account_id) WHERE undecided IS NOT NULL",
    "ALTER TABLE program ADD COLUMN at timestamptz NOT NULL DEFAULT 'epoch'",
    """
    UPDATE program SET at = coalesce(
        (SELECT ((said.value ->> 'at')::jsonb #>> '{}')::timestamptz
         FROM jsonb_each(convert_from(state, 'UTF8')::jsonb) AS said WHERE said.value ->> 'at' <> 'null' LIMIT 1),
        (SELECT to_timestamp(max(left(said.key, 18)::numeric) / 1000000)
         FROM jsonb_each(convert_from(state, 'UTF8')::jsonb) AS said),
        'epoch')
    """,
    "CREATE INDEX program_at ON program (at, program_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
