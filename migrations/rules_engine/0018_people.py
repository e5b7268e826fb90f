"""Users with their roles, throttled attempts to sign in, spent sign-ins of a provider; when a key was last used."""

from alembic import op

revision = "rules_0018"
down_revision = "rules_0017"
branch_labels = None
depends_on = None
expands = False  # from here on large states and plans are stored compressed, which code of before cannot read

UPGRADE = (
    # `password_hash`: Argon2id in the PHC string format. `issuer` and `subject`: who they are at the OIDC provider.
    """
    CREATE TABLE console_user (
        user_id text PRIMARY KEY, login text NOT NULL UNIQUE, name text NOT NULL, email text UNIQUE,
        role text NOT NULL, password_hash text, issuer text, subject text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(), disabled_at timestamptz, last_used_at timestamptz,
        UNIQUE (issuer, subject)
    )
    """,
    # `name_sha256`: of the name that was typed, whether there is such a user or not.
    """
    CREATE TABLE sign_in_attempt (
        name_sha256 bytea PRIMARY KEY, attempts int NOT NULL, last_at timestamptz NOT NULL, next_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX sign_in_attempt_last_at ON sign_in_attempt (last_at)",
    "CREATE TABLE spent_sign_in (state_sha256 bytea PRIMARY KEY, spent_at timestamptz NOT NULL)",
    "CREATE INDEX spent_sign_in_spent_at ON spent_sign_in (spent_at)",
    # `replaced_by`: the key that was made beside this one, which ends.
    "ALTER TABLE api_key ADD COLUMN last_used_at timestamptz, ADD COLUMN replaced_by text",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE api_key DROP COLUMN last_used_at, DROP COLUMN replaced_by")
    op.execute("DROP TABLE spent_sign_in, sign_in_attempt, console_user")
