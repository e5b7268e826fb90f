"""Sessions of the console: who signed in with which key, until when. Their tokens are in `api_key`, as SHA-256."""

from alembic import op

revision = "rules_0011"
down_revision = "rules_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # `key_sha256`: the key that signed in. The first key is in a file, and may be replaced there under the same id.
    op.execute("""
        CREATE TABLE session (
            session_id text PRIMARY KEY, key_id text NOT NULL, key_sha256 text NOT NULL, client text NOT NULL,
            began_at timestamptz NOT NULL DEFAULT clock_timestamp(), expires_at timestamptz NOT NULL,
            ended_at timestamptz
        )
    """)
    op.execute("CREATE INDEX session_key ON session (key_id)")


def downgrade() -> None:
    op.execute("DROP TABLE session")
