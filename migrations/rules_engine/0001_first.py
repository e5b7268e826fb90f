"""The rules engine's first schema: accounts, decisions, receipts, parked events, the portfolio."""

from alembic import op

from migrations.chassis_tables import create_chassis_tables

revision = "rules_0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    # One row for each account. Its state is always read and written completely, so it stays in the row
    # (toast_tuple_target) and uncompressed: a jsonb or a compressed column doubles the cost of an event.
    """
    CREATE TABLE account (
        account_id text PRIMARY KEY,
        state bytea, plan_key bytea, published_key bytea, directory_key bytea,
        plan_version bigint NOT NULL DEFAULT 0, directory_version bigint NOT NULL DEFAULT 0,
        decided_under bigint NOT NULL DEFAULT 0,
        decided_at timestamptz, next_evaluation_at timestamptz, undecided text,
        name text, segment text, stage text, color text, csm_id text
    ) WITH (fillfactor = 70, toast_tuple_target = 8160)
    """,
    "ALTER TABLE account ALTER COLUMN state SET STORAGE EXTERNAL",
    "CREATE INDEX account_next ON account (next_evaluation_at) WHERE next_evaluation_at IS NOT NULL",
    "CREATE INDEX account_epoch ON account (decided_under)",
    "CREATE INDEX account_csm ON account (csm_id, account_id)",
    """
    CREATE TABLE decision (
        id uuid PRIMARY KEY, account_id text NOT NULL, version bigint NOT NULL,
        decided_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        policy text NOT NULL, events jsonb NOT NULL, changes jsonb NOT NULL, suppressed jsonb NOT NULL,
        plan bytea NOT NULL, state bytea NOT NULL, fired text NOT NULL
    ) WITH (toast_tuple_target = 8160)
    """,
    "CREATE INDEX decision_account ON decision (account_id, version DESC)",
    # The inbox of events. `identity` is a digest of (source, id), `content` one of the data: two contents
    # under one identity are two rows, and ingestion decides which one counts.
    """
    CREATE TABLE receipt (
        identity bytea NOT NULL, content bytea NOT NULL, state smallint NOT NULL,
        decision uuid, reason text, seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (identity, content)
    )
    """,
    "CREATE INDEX receipt_seen ON receipt USING brin (seen_at)",
    """
    CREATE TABLE parked (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        account_id text NOT NULL, type text NOT NULL, source text NOT NULL, event_id text NOT NULL,
        topic text NOT NULL, headers bytea[] NOT NULL, value bytea, reason text NOT NULL,
        identity bytea NOT NULL, content bytea NOT NULL,
        parked_at timestamptz NOT NULL DEFAULT clock_timestamp(), replayed_at timestamptz,
        UNIQUE (identity, content)
    )
    """,
    "CREATE TABLE csm (csm_id text PRIMARY KEY, state bytea NOT NULL, version bigint NOT NULL)",
    "CREATE TABLE program (program_id text PRIMARY KEY, state bytea NOT NULL)",
    """
    CREATE TABLE policy (
        hash text PRIMARY KEY, name text NOT NULL, files jsonb NOT NULL,
        loaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "ALTER TABLE api_key ADD COLUMN name text",
    # The one row with the policy, mode and portfolio under which accounts are evaluated. A change raises its
    # number, and the sweep evaluates every account with a smaller number again.
    """
    CREATE TABLE epoch (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        number bigint NOT NULL, policy_hash text NOT NULL, mode text NOT NULL
    )
    """,
)


def upgrade() -> None:
    create_chassis_tables()
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("restore a backup from before the upgrade")
