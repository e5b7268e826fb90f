"""The topics: writers, readers, event types and retention."""

from schemas.events import ROUTES
from schemas.topics import MODELS, PERSONAL, THIRTY_DAYS_MS, TOPICS, ages_out_ms, broker_configs


def test_the_topics_are_those_of_the_contract() -> None:
    assert [topic.name for topic in TOPICS] == [
        "account.signals",
        "touchpoint.commands",
        "account.notices",
        "directory.accounts",
        "directory.csms",
        "directory.keys",
        "directory.policy",
        "directory.content",
        "directory.mode",
        "directory.clock",
        "touchpoint.events",
        "touchpoint.outcomes",
        "audit.entries",
        "dead.letters",
    ]


def test_every_event_type_is_on_exactly_one_topic_and_has_a_model() -> None:
    types = [event_type for topic in TOPICS for event_type in topic.types]

    assert len(types) == len(set(types))
    assert set(types) == set(MODELS)


def test_every_route_leads_to_a_topic_that_carries_the_type() -> None:
    types = {topic.name: topic.types for topic in TOPICS}
    for event_type, topic in ROUTES.items():
        assert event_type in types[topic]


def test_only_compacted_topics_keep_records_for_ever() -> None:
    for topic in TOPICS:
        assert (topic.retention_ms is None) == (topic.cleanup == "compact")
        assert topic.writers
        assert topic.readers


def test_what_is_erased_ages_out_of_every_topic_within_thirty_days() -> None:
    """Point 6: a broker deletes and compacts whole segments, so a segment counts too.

    The audit log stays longer: it has nothing of a person or an account but derived ids.
    """
    for name, configs in broker_configs():
        if name == "audit.entries":
            continue
        if configs["cleanup.policy"] == "delete":
            assert int(configs["retention.ms"]) + int(configs["segment.ms"]) <= THIRTY_DAYS_MS
        else:
            assert (
                int(configs["max.compaction.lag.ms"]) < THIRTY_DAYS_MS <= int(configs["delete.retention.ms"])
            )


def test_a_receipt_promises_of_no_topic_more_than_its_settings_keep() -> None:
    """Issue 16, point 5: until when records about people who were erased may still be read."""
    configs = dict(broker_configs())
    personal = [topic for topic in TOPICS if topic.name in PERSONAL]
    assert {topic.name for topic in personal} == PERSONAL
    for topic in personal:
        settings = configs[topic.name]
        ends = ("retention.ms", "segment.ms") if topic.cleanup == "delete" else ("max.compaction.lag.ms",)
        assert sum(int(settings[name]) for name in ends) <= ages_out_ms(topic) <= THIRTY_DAYS_MS
