"""Questions about an account are asked while they are open, and forgotten when they are closed."""

import httpx

from services.chassis.settings import Settings
from services.console.client import Apis
from services.console.explanations import Inquiry, Question
from tests.unit.console.test_poller import CLOCK, KEY, settings

WHY = Question("a/b", rule="weekly/growth")
ACCOUNT: dict[str, object] = {
    "id": "a/b",
    "plan": {"rhythms": [{"touchpoint_type": "check_in"}], "touchpoints": [{"touchpoint_type": "kickoff"}]},
}


class Engine:
    """Answers everything, counts what was asked, and may be down."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.down = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.raw_path.decode())
        if self.down:
            return httpx.Response(503, json={"detail": "later"})
        kinds = [{"type": each} for each in ("survey", "kickoff", "check_in", "advocacy_ask")]
        return httpx.Response(200, json={"fires": True, "touchpoints": kinds})


def inquiry(engine: Engine) -> Inquiry:
    held: Settings = settings()
    return Inquiry(Apis(held, httpx.MockTransport(engine)), KEY, CLOCK)


async def test_an_open_question_is_asked_again_and_a_closed_one_is_not() -> None:
    engine = Engine()
    asking = inquiry(engine)
    asking.want(WHY, wanted=True)
    await asking.ask(WHY)
    await asking.refresh("a/b")
    assert engine.asked == ["/v1/accounts/a%2Fb/why?rule=weekly%2Fgrowth"] * 2
    assert (asking.answer(WHY).document or {})["fires"] is True

    asking.want(WHY, wanted=False)
    await asking.refresh("a/b")
    assert len(engine.asked) == 2
    assert asking.answer(WHY).document is None


async def test_trouble_is_told_beside_what_was_known() -> None:
    engine = Engine()
    asking = inquiry(engine)
    asking.want(WHY, wanted=True)
    await asking.ask(WHY)
    engine.down = True
    await asking.ask(WHY)
    assert asking.answer(WHY).document is not None
    assert "not available just now: later" in asking.answer(WHY).trouble


async def test_what_a_plan_lacks_of_the_catalogue_can_be_asked_for() -> None:
    engine = Engine()
    asking = inquiry(engine)
    assert asking.absent(ACCOUNT) == []
    await asking.learn_kinds("f00d")
    await asking.learn_kinds("f00d")
    assert engine.asked == ["/v1/policies/f00d/document"]
    assert asking.absent(ACCOUNT) == [
        ("Advocacy ask", Question("a/b", touchpoint_type="advocacy_ask")),
        ("Survey", Question("a/b", touchpoint_type="survey")),
    ]


async def test_another_account_closes_what_was_asked_about_the_one_before() -> None:
    engine = Engine()
    asking = inquiry(engine)
    asking.want(WHY, wanted=True)
    await asking.refresh("other")
    await asking.refresh("a/b")
    assert engine.asked == []
