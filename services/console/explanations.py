"""The explanations a reader has open about one account, kept current while they are open."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from services.chassis.clock import ServiceClock
from services.console import labels
from services.console.client import AsyncApiClient, Failure
from services.console.json_fields import Json, items, nested, text


@dataclass(frozen=True, slots=True)
class Question:
    """Why a rule or a touchpoint type fires for an account, or does not. One of the two is empty."""

    account_id: str
    rule: str = ""
    touchpoint_type: str = ""


@dataclass(frozen=True, slots=True)
class Explained:
    """The last answer and the last error; None and empty until the first answer."""

    document: Json | None = None
    error: str = ""


class Explanations:
    """Reads explanations from the rules engine with the key of one reader."""

    def __init__(self, apis: AsyncApiClient, key: str, clock: ServiceClock) -> None:
        self._apis, self._key, self._clock = apis, key, clock
        self._answers: dict[Question, Explained] = {}
        self._open: set[Question] = set()
        self._policy_hash = ""
        self._touchpoint_types: tuple[str, ...] = ()

    def now(self) -> datetime:
        return self._clock.now()

    def answer(self, question: Question) -> Explained:
        return self._answers.get(question, Explained())

    def set_open(self, question: Question, *, is_open: bool) -> None:
        """Keep the answer current from now on, or drop it."""
        if is_open:
            self._open.add(question)
        else:
            self._open.discard(question)
            self._answers.pop(question, None)

    async def load(self, question: Question) -> None:
        """Read the answer again; an error leaves the last answer in place."""
        path = f"/v1/accounts/{quote(question.account_id, safe='')}/why"
        rule, kind = question.rule, question.touchpoint_type
        answer = await self._apis.get(
            self._key, "rules_engine", path, {"rule": rule} if rule else {"touchpoint_type": kind}
        )
        if question not in self._open:
            return
        if isinstance(answer, Failure):
            self._answers[question] = Explained(self.answer(question).document, answer.text)
        else:
            self._answers[question] = Explained(answer)

    async def refresh(self, account_id: str) -> None:
        """Read every open answer about this account again; close those about other accounts."""
        self._open = {question for question in self._open if question.account_id == account_id}
        await asyncio.gather(*map(self.load, self._open))

    async def load_touchpoint_types(self, policy_hash: str) -> None:
        """Read the touchpoint types of a policy, once for each policy."""
        if not policy_hash or policy_hash == self._policy_hash:
            return
        path = f"/v1/policies/{quote(policy_hash, safe='')}/document"
        answer = await self._apis.get(self._key, "rules_engine", path)
        if not isinstance(answer, Failure):
            self._policy_hash = policy_hash
            self._touchpoint_types = tuple(text(kind, "type") for kind in items(answer, "touchpoints"))

    def not_planned(self, account: Json) -> list[tuple[str, Question]]:
        """The touchpoint types that are not in this account's plan, each with the question why not, by title."""
        plan = nested(account, "plan")
        planned = {
            text(item, "touchpoint_type") for item in (*items(plan, "rhythms"), *items(plan, "touchpoints"))
        }
        questions = (
            (labels.title(kind), Question(text(account, "id"), touchpoint_type=kind))
            for kind in self._touchpoint_types
            if kind not in planned
        )
        return sorted(questions, key=lambda pair: pair[0])
