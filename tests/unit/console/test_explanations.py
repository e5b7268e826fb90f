"""What is not planned has a question why not."""

import httpx

from services.console.client import AsyncApiClient
from services.console.explanations import Explanations, Question
from tests.unit.console.test_client import KEY, make_settings

ACCOUNT: dict[str, object] = {
    "id": "a/b",
    "plan": {"rhythms": [{"touchpoint_type": "check_in"}], "touchpoints": [{"touchpoint_type": "kickoff"}]},
}


class Engine:
    """A rules engine that answers everything and records the paths."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.raw_path.decode())
        types = [{"type": name} for name in ("survey", "kickoff", "check_in", "advocacy_ask")]
        return httpx.Response(200, json={"fires": True, "touchpoints": types})


def explanations_of(engine: Engine) -> Explanations:
    return Explanations(AsyncApiClient(make_settings(), httpx.MockTransport(engine)), KEY)


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
