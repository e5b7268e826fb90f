"""The tables of the chassis, as every service's first revision creates them."""

from alembic import op

TABLES = (
    """
    CREATE TABLE consumer_offset (
        cluster text NOT NULL, grp text NOT NULL, topic text NOT NULL, part int NOT NULL,
        next_offset bigint NOT NULL, epoch bigint NOT NULL DEFAULT 0,
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (cluster, grp, topic, part)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE consumer_lease (
        cluster text NOT NULL, grp text NOT NULL, topic text NOT NULL, part int NOT NULL,
        owner text, epoch bigint NOT NULL DEFAULT 0, leased_until timestamptz NOT NULL DEFAULT '-infinity',
        PRIMARY KEY (cluster, grp, topic, part)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE consumer_member (
        grp text NOT NULL, owner text NOT NULL, seen_at timestamptz NOT NULL, PRIMARY KEY (grp, owner)
    )
    """,
    """
    CREATE TABLE inbox (
        key bytea PRIMARY KEY, seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX inbox_seen ON inbox USING brin (seen_at)",
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL, key text NOT NULL, headers text NOT NULL, payload bytea,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
            autovacuum_vacuum_cost_limit = 2000)
    """,
    """
    CREATE TABLE dead_letter (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL, part int NOT NULL, record_offset bigint NOT NULL,
        key bytea, headers bytea[] NOT NULL, value bytea, reason text NOT NULL,
        buried_at timestamptz NOT NULL DEFAULT clock_timestamp(), replayed_at timestamptz,
        record_time bigint NOT NULL,
        UNIQUE (topic, part, record_offset, record_time)
    )
    """,
    """
    CREATE TABLE api_key (
        key_id text PRIMARY KEY, sha256 text NOT NULL, scopes text[] NOT NULL,
        expires_at timestamptz, revoked boolean NOT NULL DEFAULT false, version bigint NOT NULL
    )
    """,
)


def create_chassis_tables() -> None:
    for statement in TABLES:
        op.execute(statement)


# Why a partition is halted, and from which offset on its dead letters are counted.
HALTS = """
ALTER TABLE consumer_offset ADD COLUMN halted text, ADD COLUMN counts_from bigint NOT NULL DEFAULT 0
"""


def add_halts() -> None:
    op.execute(HALTS)


def drop_halts() -> None:
    op.execute("ALTER TABLE consumer_offset DROP COLUMN halted, DROP COLUMN counts_from")


# The newest dead letter of before a cluster was read: the offsets of older ones belong to another cluster.
LETTERS_OF_CLUSTERS = "ALTER TABLE consumer_offset ADD COLUMN letters_after bigint NOT NULL DEFAULT 0"


def add_letters_of_clusters() -> None:
    op.execute(LETTERS_OF_CLUSTERS)


def drop_letters_of_clusters() -> None:
    op.execute("ALTER TABLE consumer_offset DROP COLUMN letters_after")


STANDING_CLOCK = """
CREATE TABLE standing_clock (one boolean PRIMARY KEY DEFAULT true CHECK (one), now timestamptz NOT NULL)
"""
"""Where a service clock with rate 0 stands."""


def add_standing_clock() -> None:
    op.execute(STANDING_CLOCK)


def drop_standing_clock() -> None:
    op.execute("DROP TABLE standing_clock")
