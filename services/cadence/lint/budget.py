"""Contact budgets for which nothing ever waits, and contact budgets that the plan itself uses up."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from schemas.vocabulary import SPOKEN
from services.cadence.account import Plain
from services.cadence.evaluation.rhythms import NONE, ChosenRhythm, resolve_rhythms
from services.cadence.lint.accounts import Cohort, PossibleAccounts
from services.cadence.lint.findings import Finding, finding, listed
from services.cadence.lint.precedence import leader
from services.cadence.policy import PERSONS, ContactBudget, Policy, Rhythm, Step, Trigger
from services.cadence.policy.document import span

_DAY = timedelta(days=1)


class _Use(NamedTuple):
    """A rhythm of an account, and the contacts it makes at least in each period. `waits`: for room."""

    rule: str
    touchpoint: str
    contacts: int
    waits: bool


def contact_budgets(accounts: PossibleAccounts) -> Iterator[Finding]:
    for budget in accounts.policy.content.contact_budgets:
        message = _without_effect(accounts.policy, budget)
        used_up = None if message else _used_up(accounts, budget)
        if message:
            yield finding("budget", budget, message)
        elif used_up is not None:
            yield finding("budget", budget, used_up[0], witness=used_up[1])


def _format(budget: ContactBudget) -> str:
    return f"{budget.cap.count} per {span(budget.cap.per)}"


def _without_effect(policy: Policy, budget: ContactBudget) -> str:
    """Why nothing ever waits for this budget; empty where something may."""
    rules = (*policy.content.rhythms, *policy.content.triggers, *policy.content.steps)
    if not any(_waits(policy, budget, rule) for rule in rules):
        return (
            "no message ever waits for it: none that it counts is sent by Drumbeat, is neither exempt nor an "
            "escalation; remove it, or change `channels` or `exempt`"
        )
    stricter = next((other for other in policy.content.contact_budgets if _is_within(budget, other)), None)
    if stricter is None:
        return ""
    return (
        f"never reached: {stricter.rule} allows {_format(stricter)} of the same; make it smaller or remove it"
    )


def _is_within(budget: ContactBudget, other: ContactBudget) -> bool:
    """Whether whatever the other one lets pass has room in this one."""
    if other is budget or other.per != budget.per:
        return False
    counts_all = not other.channels or (bool(budget.channels) and {*budget.channels} <= {*other.channels})
    is_stricter = other.cap.count <= budget.cap.count and other.cap.per >= budget.cap.per
    is_equal = (other.cap, other.channels, other.exempt) == (budget.cap, budget.channels, budget.exempt)
    keeps = counts_all and is_stricter and not {*other.exempt} - {*budget.exempt}
    return keeps and (not is_equal or other.place < budget.place)


def _waits(policy: Policy, budget: ContactBudget, rule: Rhythm | Trigger | Step) -> bool:
    """Whether messages of the rule may wait for room: Drumbeat sends them to customers, and they are not exempt."""
    owner, _ = leader(policy, rule)
    return (
        _counts(policy, budget, rule)
        and owner not in PERSONS
        and rule.touchpoint not in budget.exempt
        and rule.precedence != "escalation"
    )


def _counts(policy: Policy, budget: ContactBudget, rule: Rhythm | Trigger | Step) -> bool:
    """Whether what the rule plans counts as a contact: messages by Drumbeat, calls and meetings."""
    owner, channel = leader(policy, rule)
    kind = policy.catalogue[rule.touchpoint]
    is_contact = kind.topic is not None and not kind.group and kind.hand_off is None
    is_counted = not budget.channels or channel in budget.channels
    return is_contact and is_counted and (owner not in PERSONS or channel in SPOKEN)


def _used_up(accounts: PossibleAccounts, budget: ContactBudget) -> tuple[str, Mapping[str, Plain]] | None:
    """An account whose rhythms alone need more than the budget, so that some of their messages always expire."""
    for cohort in accounts.cohorts:
        for uses in _uses_by_reader(accounts, budget, cohort):
            taken = sum(use.contacts for use in uses)
            fixed = [use for use in uses if not use.waits]
            waiting = [use for use in uses if use.waits]
            if not waiting or taken <= budget.cap.count:
                continue
            whose, period = f"for {cohort.segment} accounts in {cohort.stage},", span(budget.cap.per)
            if (most := sum(use.contacts for use in fixed)) >= budget.cap.count:
                names = listed([use.rule for use in fixed])
                what = f"what never waits makes {most} in {period} ({names}), so {waiting[0].touchpoint} has no room"
            else:
                names = listed([use.rule for use in uses])
                what = (
                    f"rhythms alone make {taken} contacts in {period} ({names}), so with {_format(budget)} "
                    "some messages always expire"
                )
            return f"{whose} {what}; make it larger, or the rhythms rarer", cohort.witness
    return None


def _uses_by_reader(
    accounts: PossibleAccounts, budget: ContactBudget, cohort: Cohort
) -> Iterator[Sequence[_Use]]:
    """What an account of the cohort has where nobody asked for less: of a budget per account all, else what one person
    gets, by role.
    """
    policy = accounts.policy
    *_, fired = policy.evaluate_conditions(accounts.complete(cohort, cohort.witness))
    chosen = resolve_rhythms(policy, fired & policy.rhythm_bits, NONE, NONE).chosen
    uses = [(_use_of(policy, budget, one), policy.catalogue[one.rule.touchpoint].audience) for one in chosen]
    counted = [(use, audience) for use, audience in uses if use is not None]
    roles: Sequence[str | None] = sorted({role for _, audience in counted for role in audience})
    for role in roles if budget.per == "person" and roles else [None]:
        yield [use for use, audience in counted if role is None or not audience or role in audience]


def _use_of(policy: Policy, budget: ContactBudget, chosen: ChosenRhythm) -> _Use | None:
    """None: it makes no contact that counts in each period."""
    contacts = budget.cap.per // (chosen.every_days * _DAY)
    if not contacts or not _counts(policy, budget, chosen.rule):
        return None
    return _Use(chosen.rule.rule, chosen.rule.touchpoint, contacts, _waits(policy, budget, chosen.rule))
