"""Files of CloudEvents are read into account states, or rejected with the place of each mistake."""

import json

import pytest

from services.cadence.account.event_file import FactsRefused, read_event_file
from tests.unit.cadence.events import DAY, NOW


def cloud_event(event_type: str, subject: str, days: int = 0, /, **data: object) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": f"{event_type}-{days}",
        "source": "/crm",
        "type": f"drumbeat.{event_type}.v1",
        "subject": subject,
        "time": (NOW + days * DAY).isoformat(),
        "data": data,
    }


EVENTS = [
    cloud_event("account.described", "acme", arr=5),
    cloud_event("health.scored", "acme", 2, score=40),
    cloud_event("health.scored", "bold", 1, score=90),
    cloud_event("program.announced", "*", program_id="p"),
    cloud_event("csm.described", "dana", name="Dana"),
]


@pytest.mark.parametrize(
    "content", ["\n\n".join(map(json.dumps, EVENTS)), json.dumps(EVENTS), json.dumps(EVENTS[::-1], indent=1)]
)
def test_lines_and_arrays_give_the_same_states_announcements_and_time(content: str) -> None:
    event_file = read_event_file(content.encode(), "events.json")

    assert event_file.account_states.keys() == {"acme", "bold"}
    acme = event_file.account_states["acme"].facts.account_values()
    assert (acme["arr"].value, acme["health_score"].value) == (5, 40)
    assert [event.fields["program_id"] for event in event_file.announcements] == ["p"]
    assert event_file.newest == NOW + 2 * DAY


def test_one_event_alone_is_a_file() -> None:
    assert read_event_file(json.dumps(EVENTS[0]).encode(), "events.json").account_states.keys() == {"acme"}


def test_every_mistake_is_listed_with_its_line() -> None:
    wrong = [cloud_event("health.scored", "acme", score=130), cloud_event("helth.scored", "acme")]
    content = "\n".join(map(json.dumps, [EVENTS[0], *wrong]))

    with pytest.raises(FactsRefused) as error:
        read_event_file(content.encode(), "events.json")

    first, second = str(error.value).splitlines()
    assert first.startswith("events.json:2: data.score: 130 is greater than 100")
    assert second.startswith("events.json:3: type: ")


def test_the_list_of_mistakes_ends_after_twenty() -> None:
    content = "\n".join(["{"] * 30)

    with pytest.raises(FactsRefused) as error:
        read_event_file(content.encode(), "events.json")

    assert len(str(error.value).splitlines()) == 21
    assert str(error.value).endswith("these are the first 20 mistakes; there may be more")


@pytest.mark.parametrize("content", [b"", b"[]", b"\n \n"])
def test_a_file_without_events_is_rejected(content: bytes) -> None:
    with pytest.raises(FactsRefused, match="has no event"):
        read_event_file(content, "events.json")
