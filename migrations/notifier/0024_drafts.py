"""Messages that wait for an approval, and subscriptions that take messages over."""

from alembic import op

revision = "notifier_0024"
down_revision = "notifier_0023"
branch_labels = None
depends_on = None

STATEMENTS = (
    # One for each touchpoint, channel and language. `csm_id`: who is asked; null: the mailbox of the deployment.
    # `approver`: their name.
    # `written_at`, `approve_until` and `finished_at` are service time, `created_at` and `mail_at` real time. `mail_at`:
    # when the next mail about it goes to who is asked; null: none.
    """
    CREATE TABLE draft (
        id uuid PRIMARY KEY, seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE, touchpoint_id text NOT NULL,
        sequence bigint NOT NULL, touchpoint_type text NOT NULL, account_id text NOT NULL, channel text NOT NULL,
        language text NOT NULL, csm_id text, approver text NOT NULL,
        state text NOT NULL DEFAULT 'pending', reason text, actor text,
        version integer NOT NULL DEFAULT 1, content text NOT NULL, facts jsonb NOT NULL, event_id text NOT NULL,
        event_type text NOT NULL, event_at timestamptz NOT NULL, event_data bytea NOT NULL,
        written_at timestamptz NOT NULL, approve_until timestamptz NOT NULL, finished_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(), mail_at timestamptz,
        mail_attempts integer NOT NULL DEFAULT 0, UNIQUE (touchpoint_id, sequence, channel, language)
    )
    """,
    "CREATE INDEX draft_account ON draft (account_id)",
    "CREATE INDEX draft_state ON draft (state, seq)",
    "CREATE INDEX draft_age ON draft (created_at)",
    "CREATE INDEX draft_mail ON draft (mail_at) WHERE mail_at IS NOT NULL",
    # The message as this contact gets it, without the layout around it.
    """
    CREATE TABLE draft_recipient (
        delivery_id uuid PRIMARY KEY, draft_id uuid NOT NULL REFERENCES draft ON DELETE CASCADE,
        contact_id text NOT NULL, subject text NOT NULL, preheader text NOT NULL, html text NOT NULL, text text NOT NULL
    )
    """,
    "CREATE INDEX draft_recipient_draft ON draft_recipient (draft_id)",
    "CREATE INDEX draft_recipient_contact ON draft_recipient (contact_id)",
    # `name`: the platform that the policy hands messages off to. `content`: it gets those of every platform.
    "ALTER TABLE subscription ADD COLUMN name text, ADD COLUMN content boolean NOT NULL DEFAULT false",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE subscription DROP COLUMN name, DROP COLUMN content")
    op.execute("DROP TABLE draft_recipient")
    op.execute("DROP TABLE draft")
