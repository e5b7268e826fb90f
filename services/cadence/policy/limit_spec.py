"""The grammar of what holds touchpoints and messages back: limits, contact budgets and blackouts."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, get_args

from schemas.vocabulary import BudgetScope
from services.cadence.policy import rule_spec as keys
from services.cadence.policy import values
from services.cadence.policy.errors import Fault
from services.cadence.policy.rule_spec import Info, ReasonSpec, RuleSpec, key
from services.cadence.policy.scope import INTERNAL, Around, Scope
from services.cadence.policy.values import Distinct, one_of


class LimitSpec(ReasonSpec):
    rule: values.RuleName = key(keys.NAME, alias="limit")
    cap: values.CapText = key("How many in which time, as `2 per 90d`", alias="at_most")
    touchpoints: keys.PublicTypes

    @classmethod
    def around(cls, _info: Info, /) -> Around:
        """No features: a limit holds for every account."""
        return Around({})


class BlackoutSpec(RuleSpec):
    rule: values.RuleName = key(keys.NAME, alias="blackout")
    first: values.SeasonDay = key(
        "Its first day: of every year as month-day, `11-01`, or once as a date, `2026-11-20`", alias="from"
    )
    last: values.SeasonDay = key(
        "Its last day, included, written like `from`; a month-day before `from` is in the next year",
        alias="to",
    )
    touchpoints: keys.PublicTypes

    def faults(self, _scope: Scope, /) -> Iterator[Fault]:
        if isinstance(self.first, date) and isinstance(self.last, date):
            if self.last < self.first:
                yield Fault("this is before `from`; exchange the two", to=("to",))
        elif isinstance(self.first, date) or isinstance(self.last, date):
            yield Fault("one of `from` and `to` has a year and the other none; give both one", to=("to",))
        elif (date(2026, *self.first) - date(2026, *self.last)).days % 365 == 1:
            yield Fault("this covers the whole year; leave some days open", to=("to",))


class ContactBudgetSpec(ReasonSpec):
    rule: values.RuleName = key(keys.NAME, alias="budget")
    per: Annotated[BudgetScope, one_of(*get_args(BudgetScope))] = key(
        "Whose contacts it counts: `person`, each at the customer by their address, or `account`, all its people, "
        "where a message to several of them is one contact"
    )
    cap: values.CapText = key("How many in any period of which length, as `3 per 7d`", alias="at_most")
    channels: Distinct[values.Channel] | None = key(
        "Only contacts over these channels count and wait; left out: all, calls and meetings included", None
    )
    exempt: keys.Types | None = key(
        "Types whose messages count and never wait; escalations and notices about the cadence never do", None
    )

    @classmethod
    def around(cls, _info: Info, /) -> Around:
        """No features: a budget holds for every account."""
        return Around({})

    def faults(self, scope: Scope, /) -> Iterator[Fault]:
        for index, name in enumerate(self.exempt or ()):
            if scope.topics[name] == INTERNAL:
                message = f"{name!r} is internal work, which reaches no customer and never waits; remove it"
                yield Fault(message, to=("exempt", index))
