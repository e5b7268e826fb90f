"""The audit log of all services: one chain of entries, and the ends of the chain."""

from alembic import op

revision = "rules_0012"
down_revision = "rules_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # `before` and `after` are JSON as it was hashed. `hash`: SHA-256 over the hash before and the entry.
    op.execute("""
        CREATE TABLE audit_entry (
            seq bigint PRIMARY KEY, id text NOT NULL UNIQUE, at timestamptz NOT NULL, service text NOT NULL,
            actor text NOT NULL, action text NOT NULL, object text NOT NULL, before text, after text,
            detail text NOT NULL, hash bytea NOT NULL
        )
    """)
    op.execute("CREATE INDEX audit_entry_at ON audit_entry (at)")
    op.execute("CREATE INDEX audit_entry_actor ON audit_entry (actor text_pattern_ops)")
    op.execute("CREATE INDEX audit_entry_object ON audit_entry (object text_pattern_ops)")
    # `dropped_*`: the last entry that retention dropped; the chain goes on from its hash.
    op.execute("""
        CREATE TABLE audit_chain (
            one boolean PRIMARY KEY DEFAULT true CHECK (one), last_seq bigint NOT NULL, last_hash bytea NOT NULL,
            dropped_seq bigint NOT NULL, dropped_hash bytea NOT NULL
        )
    """)
    op.execute("INSERT INTO audit_chain VALUES (true, 0, '', 0, '')")


def downgrade() -> None:
    op.execute("DROP TABLE audit_chain")
    op.execute("DROP TABLE audit_entry")
