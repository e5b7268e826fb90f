"""The questions somebody has open about one account: why this, why not that. Answers are kept fresh while they are."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from services.chassis.clock import ServiceClock
from services.console import labels
from services.console.client import Apis, Trouble
from services.console.json_fields import Json, items, part, text


@dataclass(frozen=True, slots=True)
class Question:
    """Of an account: why this rule, or this kind of touchpoint, fires or does not. One of the two is empty."""

    account_id: str
    rule: str = ""
    touchpoint_type: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was answered last; both are empty until there was an answer."""

    document: Json | None = None
    trouble: str = ""


_UNASKED: Final = Asked()


class Inquiry:
    """Asks the rules engine, with the key of one reader."""

    def __init__(self, apis: Apis, key: str, clock: ServiceClock) -> None:
        self._apis, self._key, self._clock = apis, key, clock
        self._answers: dict[Question, Asked] = {}
        self._open: set[Question] = set()
        self._policy = ""
        self._kinds: tuple[str, ...] = ()

    def now(self) -> datetime:
        return self._clock.now()

    def answer(self, question: Question) -> Asked:
        return self._answers.get(question, _UNASKED)

    def want(self, question: Question, *, wanted: bool) -> None:
        """From now on keep the answer fresh, or no longer."""
        if wanted:
            self._open.add(question)
        else:
            self._open.discard(question)
            self._answers.pop(question, None)

    async def ask(self, question: Question) -> None:
        place = f"/v1/accounts/{quote(question.account_id, safe='')}/why"
        rule, kind = question.rule, question.touchpoint_type
        answer = await self._apis.get(
            self._key, "rules_engine", place, {"rule": rule} if rule else {"touchpoint_type": kind}
        )
        if question not in self._open:
            return
        if isinstance(answer, Trouble):
            self._answers[question] = Asked(self.answer(question).document, answer.text)
        else:
            self._answers[question] = Asked(answer)

    async def refresh(self, account_id: str) -> None:
        """Ask again whatever is open about this account, and forget the others."""
        self._open = {each for each in self._open if each.account_id == account_id}
        await asyncio.gather(*(self.ask(each) for each in self._open))

    async def learn_kinds(self, policy: str) -> None:
        """The kinds of touchpoints of a policy, once for each policy."""
        if not policy or policy == self._policy:
            return
        place = f"/v1/policies/{quote(policy, safe='')}/document"
        answer = await self._apis.get(self._key, "rules_engine", place)
        if not isinstance(answer, Trouble):
            self._policy = policy
            self._kinds = tuple(text(each, "type") for each in items(answer, "touchpoints"))

    def absent(self, account: Json) -> list[tuple[str, Question]]:
        """The kinds of touchpoints that this account's plan does not have, with the question why not."""
        plan = part(account, "plan")
        planned = {
            text(each, "touchpoint_type") for name in ("rhythms", "touchpoints") for each in items(plan, name)
        }
        identity = text(account, "id")
        absent = (kind for kind in self._kinds if kind not in planned)
        named = ((labels.title(kind), Question(identity, touchpoint_type=kind)) for kind in absent)
        return sorted(named, key=lambda each: each[0])
