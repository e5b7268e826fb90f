"""Opens and clicks of mails to customers that are measured here, and the contacts who object to it."""

from alembic import op

revision = "notifier_0026"
down_revision = "notifier_0025"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Kept for minutes: whether a person made a request shows by those around it. Real time.
    """
    CREATE TABLE engagement_request (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, delivery_id uuid NOT NULL, kind text NOT NULL, link text,
        is_head boolean NOT NULL, agent text NOT NULL, requested_at timestamptz NOT NULL,
        is_reported boolean NOT NULL DEFAULT false
    )
    """,
    "CREATE INDEX engagement_request_delivery ON engagement_request (delivery_id)",
    "CREATE INDEX engagement_request_age ON engagement_request (requested_at)",
    # A row: nothing is measured of this contact. Real time.
    "CREATE TABLE measuring_objection (contact_id text PRIMARY KEY, objected_at timestamptz NOT NULL)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE measuring_objection")
    op.execute("DROP TABLE engagement_request")
