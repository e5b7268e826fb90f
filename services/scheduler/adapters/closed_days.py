"""Where an account is and who leads it, for the days on which they are away."""

from services.calendar.public_holidays import choose_calendar
from services.chassis.database import Database
from services.scheduler.adapters.directory_repository import load_holidays, read_person_days
from services.scheduler.adapters.rows import read_account
from services.scheduler.application.read_closed_days import AccountDays

ACCOUNT = """
SELECT account_id, version, shape, timezone, zones, csm_id, sales_id, pool, country, region, rules_changed,
    holidays_changed, handovers,
    (SELECT csm_id FROM assignment s WHERE s.account_id = a.account_id AND s.line = 'pooled_csm') AS pooled
FROM account_calendar a WHERE account_id = $1
"""
PERSON = "SELECT name, country, region, away FROM person WHERE csm_id = $1"


async def read_account_days(database: Database, account_id: str) -> AccountDays:
    """Of an account that the calendar does not know, nothing."""
    async with database.transaction() as connection:
        row = await connection.fetchrow(ACCOUNT, account_id)
        if row is None:
            return AccountDays()
        account = read_account(row)
        csm_id = account.owners.csm_id or row["pooled"]
        person = await connection.fetchrow(PERSON, csm_id)
        added = await load_holidays(connection)
    customer = choose_calendar(account.country, account.region, added)
    if person is None:
        return AccountDays(customer, csm_id)
    days = read_person_days(person)
    return AccountDays(customer, csm_id, choose_calendar(days.country, days.region, added), days.away)
