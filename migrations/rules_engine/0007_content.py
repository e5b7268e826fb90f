"""Which content files were published on `directory.content`, so that each change is published once."""

from alembic import op

revision = "rules_0007"
down_revision = "rules_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # `fingerprint` is the SHA-256 of the published text; null: a tombstone was published.
    op.execute(
        "CREATE TABLE content_record (key text PRIMARY KEY, fingerprint bytea, version bigint NOT NULL)"
    )


def downgrade() -> None:
    op.execute("DROP TABLE content_record")
