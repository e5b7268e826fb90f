"""Mail that came in, and events of mail providers: what each was about, and whether it counted."""

from alembic import op

revision = "notifier_0022"
down_revision = "notifier_0021"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `id`: derived from what came in, so that it counts once. The recipient is that of the delivery. Real time.
    # `provider_id`: under which a mail provider sent the mail, and which replies to it name.
    """
    CREATE TABLE inbound_mail (
        id uuid PRIMARY KEY, kind text NOT NULL, delivery_id uuid, account_id text, recipient_kind text,
        recipient_id text, counted boolean NOT NULL, reason text, provider_id text,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX inbound_mail_age ON inbound_mail (received_at)",
    "CREATE INDEX inbound_mail_account ON inbound_mail (account_id)",
    "CREATE INDEX inbound_mail_recipient ON inbound_mail (recipient_id)",
    "CREATE INDEX inbound_mail_provider ON inbound_mail (provider_id) WHERE provider_id IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE inbound_mail")
