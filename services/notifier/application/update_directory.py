"""Learn: directory records as they come; of several about one account or person the last version counts."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.notifier.application.ports import Now, Work
from services.notifier.domain.consent import Preference
from services.notifier.domain.people import Account, Person


@dataclass(frozen=True, slots=True)
class Learned:
    """One directory record: somebody to know, or to forget."""

    account: Account | None = None
    person: Person | None = None
    version: int = 0
    preferences: tuple[Preference, ...] = ()
    forgotten_account: str | None = None
    forgotten_person: str | None = None


async def learn(records: Sequence[Learned], *, work: Work, now: Now) -> None:
    """Take records in, in their order: who is forgotten and comes back is known again."""
    pending: list[Learned] = []
    for each in records:
        if each.forgotten_account is None and each.forgotten_person is None:
            pending.append(each)
            continue
        await _keep(pending, work, now)
        pending = []
        if each.forgotten_account is not None:
            await work.forget_accounts([each.forgotten_account])
        if each.forgotten_person is not None:
            await work.forget_people([each.forgotten_person])
    await _keep(pending, work, now)


async def _keep(records: Sequence[Learned], work: Work, now: Now) -> None:
    accounts: dict[str, tuple[Account, int]] = {}
    people: dict[str, tuple[Person, int]] = {}
    for each in sorted(records, key=lambda each: each.version):
        if each.account is not None:
            accounts[each.account.account_id] = (each.account, each.version)
        if each.person is not None:
            people[each.person.csm_id] = (each.person, each.version)
    if accounts:
        preferences = [word for each in records for word in each.preferences]
        await work.learn_accounts(list(accounts.values()), preferences, now)
    if people:
        await work.learn_people(list(people.values()), now)
