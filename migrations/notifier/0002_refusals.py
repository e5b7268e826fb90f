"""Refusals bind the mail address: consent by keyed hash of the address, the contact's own beside that of tools."""

from alembic import op

revision = "notifier_0002"
down_revision = "notifier_0001"
branch_labels = None
depends_on = None

# The service computes the hashes with its key when it first starts on this schema.
UPGRADE = (
    "ALTER TABLE contact ADD COLUMN address_hash bytea",
    "ALTER TABLE delivery ADD COLUMN address_hash bytea",
    "ALTER TABLE refused_address ADD COLUMN is_keyed boolean NOT NULL DEFAULT false",
    """
    CREATE TABLE address_consent (
        address_hash bytea NOT NULL, contact_id text NOT NULL, topic text NOT NULL, channel text NOT NULL,
        aspect text NOT NULL, opted_in boolean NOT NULL, said_at timestamptz NOT NULL, source text NOT NULL,
        word_id text NOT NULL, PRIMARY KEY (address_hash, contact_id, topic, channel, aspect)
    )
    """,
    "CREATE INDEX address_consent_contact ON address_consent (contact_id)",
    # Until now the notifier's own source meant the link in a mail, or a change by hand in the API.
    """
    UPDATE preference SET aspect = 'own_consent'
    WHERE aspect = 'consent' AND NOT opted_in AND source = '/drumbeat/notifier'
    """,
)
DOWNGRADE = (
    """
    DELETE FROM preference p USING preference own WHERE p.aspect = 'consent' AND own.aspect = 'own_consent'
        AND (own.contact_id, own.topic, own.channel) = (p.contact_id, p.topic, p.channel)
    """,
    "UPDATE preference SET aspect = 'consent' WHERE aspect = 'own_consent'",
    "DROP TABLE address_consent",
    "ALTER TABLE refused_address DROP COLUMN is_keyed",
    "ALTER TABLE delivery DROP COLUMN address_hash",
    "ALTER TABLE contact DROP COLUMN address_hash",
    "DELETE FROM secret WHERE name = 'address_key'",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
