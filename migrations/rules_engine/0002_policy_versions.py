"""Versions of the policy, ranks in the portfolio, and the revenue of an account, by which it is ranked."""

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
    # Before this version every policy came from a file; the active one is the newest version.
    """
    INSERT INTO policy_version (number, hash, name, origin, published_at)
    SELECT row_number() OVER (ORDER BY p.hash = e.policy_hash, p.loaded_at), p.hash, p.name, 'file', p.loaded_at
    FROM policy AS p CROSS JOIN epoch AS e
    """,
    "ALTER TABLE epoch ADD COLUMN version bigint NOT NULL DEFAULT 1",
    "UPDATE epoch SET version = (SELECT max(number) FROM policy_version)",
    # What each replica last read from DRUMBEAT_POLICY: the files become active only when somebody edits them.
    "CREATE TABLE policy_offer (owner text PRIMARY KEY, fingerprint text NOT NULL)",
    """
    CREATE TABLE book (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        arr_percentiles float8[] NOT NULL DEFAULT '{}', ranked bigint NOT NULL DEFAULT 0, ranked_at timestamptz
    )
    """,
    "INSERT INTO book DEFAULT VALUES",
    "ALTER TABLE account ADD COLUMN arr float8",
    # Only changes of revenue or stage change this index; ranking a million accounts reads it, not the table.
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
