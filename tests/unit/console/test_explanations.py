"""Explanations are kept current while they are open, and dropped when they are closed."""

import httpx

from services.console.client import AsyncApiClient
from services.console.explanations import Explanations, Question
from tests.unit.console.test_client import KEY, make_settings
from tests.unit.console.test_poller import CLOCK

WHY = Question("a/b", rule="weekly/growth")
ACCOUNT: dict[str, object] = {
    "id": "a/b",
    "plan": {"rhythms": [{"touchpoint_type": "check_in"}], "touchpoints": [{"touchpoint_type": "kickoff"}]},
}


class Engine:
    """A rules engine that answers everything, records the paths, and may be down."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.is_down = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.raw_path.decode())
        if self.is_down:
            return httpx.Response(503, json={"detail": "later"})
        types = [{"type": name} for name in ("survey", "kickoff", "check_in", "advocacy_ask")]
        return httpx.Response(200, json={"fires": True, "touchpoints": types})


def explanations_of(engine: Engine) -> Explanations:
    return Explanations(AsyncApiClient(make_settings(), httpx.MockTransport(engine)), KEY, CLOCK)


async def test_an_open_explanation_is_read_again_and_a_closed_one_is_not() -> None:
    engine = Engine()
    explanations = explanations_of(engine)
    explanations.set_open(WHY, is_open=True)
    await explanations.load(WHY)
    await explanations.refresh("a/b")
    assert engine.paths == ["/v1/accounts/a%2Fb/why?rule=weekly%2Fgrowth"] * 2
    assert (explanations.answer(WHY).document or {})["fires"] is True

    explanations.set_open(WHY, is_open=False)
    await explanations.refresh("a/b")
    assert len(engine.paths) == 2
    assert explanations.answer(WHY).document is None


async def test_an_error_is_shown_beside_the_last_answer() -> None:
    engine = Engine()
    explanations = explanations_of(engine)
    explanations.set_open(WHY, is_open=True)
    await explanations.load(WHY)
    engine.is_down = True
    await explanations.load(WHY)
    assert explanations.answer(WHY).document is not None
    assert "temporarily unavailable: later" in explanations.answer(WHY).error


async def test_touchpoint_types_that_are_not_planned_have_a_question() -> None:
    engine = Engine()
    explanations = explanations_of(engine)
    assert explanations.not_planned(ACCOUNT) == []
    await explanations.load_touchpoint_types("f00d")
    await explanations.load_touchpoint_types("f00d")
    assert engine.paths == ["/v1/policies/f00d/document"]
    assert explanations.not_planned(ACCOUNT) == [
        ("Advocacy ask", Question("a/b", touchpoint_type="advocacy_ask")),
        ("Survey", Question("a/b", touchpoint_type="survey")),
    ]


async def test_opening_another_account_closes_the_explanations_of_the_one_before() -> None:
    engine = Engine()
    explanations = explanations_of(engine)
    explanations.set_open(WHY, is_open=True)
    await explanations.refresh("other")
    await explanations.refresh("a/b")
    assert engine.paths == []
