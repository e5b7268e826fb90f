"""The questions why and why not about one account."""

from dataclasses import dataclass
from urllib.parse import quote

from services.console import labels
from services.console.client import AsyncApiClient, Failure
from services.console.json_fields import Json, items, nested, text


@dataclass(frozen=True, slots=True)
class Question:
    """Why a rule or a touchpoint type fires for an account, or does not. One of the two is empty."""

    account_id: str
    rule: str = ""
    touchpoint_type: str = ""


class Explanations:
    """The touchpoint types of the policy in force, read with the key of one reader."""

    def __init__(self, apis: AsyncApiClient, key: str) -> None:
        self._apis, self._key = apis, key
        self._policy_hash = ""
        self._touchpoint_types: tuple[str, ...] = ()

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
