"""Tables that become partitioned by month: the rows of before are one partition, dropped when its last month is old."""

from alembic import op


def create_former_partition(table: str, latest: str, storage: str = "") -> None:
    """Create the partition `<table>_former` up to the end of the month of `latest`, a query of one timestamptz.

    Without rows there is none. `storage`: storage parameters, like `fillfactor = 50`.
    """
    options = f" WITH ({storage})" if storage else ""
    op.execute(
        f"""
        DO $$
        DECLARE latest timestamptz := ({latest});
        BEGIN
            IF latest IS NOT NULL THEN
                EXECUTE format(
                    'CREATE TABLE {table}_former PARTITION OF {table} FOR VALUES FROM (MINVALUE) TO (%L){options}',
                    (date_trunc('month', latest AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC');
            END IF;
        END $$
        """
    )
