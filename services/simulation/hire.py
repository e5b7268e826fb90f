"""What if there were more people: they join those with the most work and take accounts of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from hashlib import blake2b
from typing import Final

from schemas.plans import Plan
from services.cadence.account import FactEvent, Provenance
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import decode, encode
from services.cadence.evaluation import evaluate_account
from services.calendar.assignment import BLOCK, YEAR_BLOCKS
from services.calendar.levelling import BLOCK_WEEKS, AccountLoad, Host, share_out
from services.calendar.person_book import DEFAULT_WEEKLY_MINUTES
from services.simulation.book import BookAccount, Colleague, Period, Rules

SOURCE: Final = "/drumbeat/simulation"
LEADERS: Final = frozenset({"csm", "pooled_csm"})


def hire(
    accounts: Sequence[BookAccount],
    colleagues: Sequence[Colleague],
    rules: Rules,
    period: Period,
    wanted: tuple[int, int],
) -> tuple[list[BookAccount], list[Colleague]]:
    """The book with `wanted[0]` more people in the fullest pool; each takes what the others have above the average.

    `wanted[1]`: the seed, which decides in what order the accounts of a person are offered.
    """
    count, seed = wanted
    people = {each.csm_id: each for each in colleagues if each.role in (None, "csm")}
    led = _find_led(accounts, people)
    minutes = {each.account_id: _minutes_by_block(each, rules, period) for each in accounts}
    if count == 0 or not people:
        return list(accounts), list(colleagues)
    pool = _find_fullest(people.values(), led, minutes)
    members = [each for each in people.values() if each.pool == pool]
    new = [Colleague(f"hire-{number + 1}", pool=pool, is_described=True) for number in range(count)]
    given = _offer(members, led, minutes, (count, seed))
    loads = [AccountLoad(each.account_id, minutes[each.account_id]) for each in given]
    full = (DEFAULT_WEEKLY_MINUTES * BLOCK_WEEKS,) * YEAR_BLOCKS
    hosts = [Host(each.csm_id, (0,) * YEAR_BLOCKS, full) for each in new]
    taken = share_out(loads, hosts)
    return [_hand_over(each, taken.get(each.account_id), period) for each in accounts], [*colleagues, *new]


def _find_led(
    accounts: Sequence[BookAccount], people: Mapping[str, Colleague]
) -> dict[str, list[BookAccount]]:
    led: dict[str, list[BookAccount]] = {csm_id: [] for csm_id in people}
    for account in accounts:
        lead = account.owners.csm_id or account.calendar.assigned.get("pooled_csm")
        if lead in led:
            led[lead].append(account)
    return led


def _minutes_by_block(account: BookAccount, rules: Rules, period: Period) -> tuple[int, ...]:
    """What the plan of the account asks of its CSM in each block of four weeks; nothing when it cannot be made."""
    plan = account.calendar.plan
    if plan is None:
        facts, issued = decode(account.account_id, account.state)
        try:
            plan = evaluate_account(rules.policy, facts, issued, rules.portfolio, period.now).plan
        except Exception:  # noqa: BLE001 - the simulation counts it among those that cannot be evaluated
            return (0,) * YEAR_BLOCKS
    return _sum_blocks(plan, period)


def _sum_blocks(plan: Plan, period: Period) -> tuple[int, ...]:
    repeated = sum(
        each.minutes * BLOCK.days // each.every_days for each in plan.rhythms if each.owner in LEADERS
    )
    blocks = [repeated] * YEAR_BLOCKS
    for item in plan.touchpoints:
        block = max((item.window.from_ - period.now) // BLOCK, 0)
        if item.owner in LEADERS and block < YEAR_BLOCKS:
            blocks[block] += item.minutes
    return tuple(blocks)


def _find_fullest(
    people: Iterable[Colleague],
    led: Mapping[str, Sequence[BookAccount]],
    minutes: Mapping[str, Sequence[int]],
) -> str | None:
    """The pool with the most planned minutes for those it has; of equal ones the first by name."""
    planned: defaultdict[str, int] = defaultdict(int)
    available: defaultdict[str, int] = defaultdict(int)
    for each in people:
        pool = each.pool or ""
        planned[pool] += _sum_of(led[each.csm_id], minutes)
        available[pool] += max(each.weekly_minutes, 1)
    pools = sorted(available, key=lambda pool: (-Fraction(planned[pool], available[pool]), pool))
    return (pools[0] or None) if pools else None


def _sum_of(accounts: Iterable[BookAccount], minutes: Mapping[str, Sequence[int]]) -> int:
    return sum(sum(minutes[each.account_id]) for each in accounts)


def _offer(
    members: Sequence[Colleague],
    led: Mapping[str, Sequence[BookAccount]],
    minutes: Mapping[str, Sequence[int]],
    wanted: tuple[int, int],
) -> list[BookAccount]:
    """Of each member accounts down to the average of all, with the new people counted."""
    count, seed = wanted
    average = sum(_sum_of(led[each.csm_id], minutes) for each in members) // (len(members) + count)
    given: list[BookAccount] = []
    for member in members:
        own = sorted(led[member.csm_id], key=lambda each: _rank(seed, each.account_id))
        left = _sum_of(own, minutes)
        for account in own:
            size = sum(minutes[account.account_id])
            if size and left - size >= average:
                given.append(account)
                left -= size
    return given


def _rank(seed: int, account_id: str) -> tuple[bytes, str]:
    return blake2b(f"{seed}\x00{account_id}".encode(), digest_size=8).digest(), account_id


def _hand_over(account: BookAccount, csm_id: str | None, period: Period) -> BookAccount:
    """The account as if the CRM had said who leads it now."""
    if csm_id is None:
        return account
    state = decode(account.account_id, account.state)
    provenance = Provenance(period.now, SOURCE, account.account_id, "0" * 16)
    apply_event(state, FactEvent("account.described", account.account_id, provenance, {"csm_id": csm_id}))
    assigned = {line: lead for line, lead in account.calendar.assigned.items() if line != "pooled_csm"}
    return account._replace(
        state=encode(*state),
        owners=account.owners._replace(csm_id=csm_id),
        calendar=account.calendar._replace(assigned=assigned),
        decided=None,
    )
