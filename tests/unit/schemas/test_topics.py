"""The map is whole: what is written is read, what is read is written, and the types have their models."""

from schemas.events import ROUTES
from schemas.topics import BY_NAME, MODELS, TOPICS


def test_the_topics_are_those_of_the_design() -> None:
    assert [topic.name for topic in TOPICS] == [
        "account.signals",
        "touchpoint.commands",
        "account.notices",
        "directory.accounts",
        "directory.csms",
        "directory.keys",
        "touchpoint.events",
        "touchpoint.outcomes",
        "dead.letters",
    ]


def test_every_type_travels_on_exactly_one_topic_and_has_a_model() -> None:
    types = [event_type for topic in TOPICS for event_type in topic.types]

    assert len(types) == len(set(types))
    assert set(types) == set(MODELS)


def test_what_the_outside_sends_travels_where_its_route_says() -> None:
    for event_type, topic in ROUTES.items():
        assert event_type in BY_NAME[topic].types


def test_what_is_compacted_stays_and_what_is_not_goes_after_thirty_days() -> None:
    for topic in TOPICS:
        assert (topic.retention_ms is None) == (topic.cleanup == "compact")
        assert topic.writers
        assert topic.readers
