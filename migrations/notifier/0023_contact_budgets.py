"""What counts against contact budgets: messages to people at the customer, and calls and meetings with them."""

from alembic import op

revision = "notifier_0023"
down_revision = "notifier_0022"
branch_labels = None
depends_on = None

STATEMENTS = (
    # A mail counts once, under the first of its deliveries and the lease under which it was sent. `person`: the keyed
    # hash of the address, or the contact id; null once the contact is erased. `occasion`: what the account has as one
    # contact. `state`: waiting (for room until `at`), reserved (while it is sent) or made. Service time.
    """
    CREATE TABLE counted_message (
        delivery_id uuid NOT NULL, token uuid NOT NULL, account_id text NOT NULL, contact_id text, person text,
        occasion text NOT NULL, channel text NOT NULL, at timestamptz NOT NULL, state text NOT NULL,
        precedence_rank smallint NOT NULL, due_at timestamptz NOT NULL, PRIMARY KEY (delivery_id, token)
    )
    """,
    "CREATE INDEX counted_message_account ON counted_message (account_id, at)",
    "CREATE INDEX counted_message_person ON counted_message (person, at)",
    "CREATE INDEX counted_message_contact ON counted_message (contact_id)",
    "CREATE INDEX counted_message_age ON counted_message (at)",
    # `at`: when it takes place, service time. `audience`: roles of whom it is with; empty: all. `sequence`: of the
    # touchpoint.
    """
    CREATE TABLE counted_talk (
        touchpoint_id text PRIMARY KEY, account_id text NOT NULL, touchpoint_type text NOT NULL, channel text NOT NULL,
        audience text[] NOT NULL, at timestamptz NOT NULL, sequence bigint NOT NULL
    )
    """,
    "CREATE INDEX counted_talk_account ON counted_talk (account_id, at)",
    "CREATE INDEX counted_talk_age ON counted_talk (at)",
    # What went in one mail with others, by the mail.
    "CREATE INDEX delivery_folded ON delivery (message_id) WHERE message_id <> id",
    # A record is stored when its version is higher than that of the row: the record in force, which has the budgets, is
    # stored once more.
    "UPDATE catalogue SET version = version - 1",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX delivery_folded")
    op.execute("DROP TABLE counted_talk")
    op.execute("DROP TABLE counted_message")
