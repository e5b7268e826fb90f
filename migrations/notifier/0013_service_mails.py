"""Mails of the service itself: a fresh link that a contact asked for, and warnings about an endpoint."""

from alembic import op

revision = "notifier_0013"
down_revision = "notifier_0012"
branch_labels = None
depends_on = None

# The address is sealed under the key file, and deleted when the mail is final. Its hash limits how often one is wanted.
STATEMENTS = (
    """
    CREATE TABLE service_mail (
        id uuid PRIMARY KEY, kind text NOT NULL, address bytea, address_hash bytea NOT NULL,
        data jsonb NOT NULL DEFAULT '{}', requested_at timestamptz NOT NULL, next_at timestamptz,
        attempts int NOT NULL DEFAULT 0, state text NOT NULL DEFAULT 'pending', detail text, finished_at timestamptz
    )
    """,
    "CREATE INDEX service_mail_due ON service_mail (next_at) WHERE state = 'pending'",
    "CREATE INDEX service_mail_address ON service_mail (address_hash, requested_at)",
    "CREATE INDEX contact_address_hash ON contact (address_hash)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX contact_address_hash")
    op.execute("DROP TABLE service_mail")
