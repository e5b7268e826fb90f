"""Which delivery presents a program to a contact while it is sent, so that two replicas do not send one twice."""

from alembic import op

revision = "notifier_0010"
down_revision = "notifier_0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE program_reservation (
        contact_id text NOT NULL, program_id text NOT NULL,
        delivery_id uuid NOT NULL REFERENCES delivery ON DELETE CASCADE,
        PRIMARY KEY (contact_id, program_id)
    )
    """,
    "CREATE INDEX program_reservation_delivery ON program_reservation (delivery_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE program_reservation")
