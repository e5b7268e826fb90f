"""Another client repeats and shuffles all events, in both content modes: every effect exists once."""

import json
import random

import pytest
from confluent_kafka import Producer

from tests.conftest import IS_SOAK
from tests.faults.conftest import MONDAY_MORNING, OpenStack
from tests.faults.ledger import Headers, binary, read_topic, structured
from tests.faults.stories import LEADS_TO, troubled
from tests.unit.connectors.bad_bodies import BAD_BODIES

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(600)]


async def test_repeated_and_shuffled_events_have_one_effect(open_stack: OpenStack) -> None:
    dice = random.Random(7)
    async with open_stack() as ledger:
        events = [*troubled(200 if IS_SOAK else 60, MONDAY_MORNING)]
        copies = [event for event in events for _ in range(dice.randint(1, 5))]
        dice.shuffle(copies)
        producer = Producer({"bootstrap.servers": ledger.stack.kafka.bootstrap, "compression.type": "zstd"})
        for event in copies:
            value, headers = dice.choice((binary, structured))(event)
            producer.produce("account.signals", value, key=event["subject"], headers=headers)
        assert producer.flush(30) == 0
        ledger.posted.update({event["id"]: (event["subject"], LEADS_TO) for event in events})

        await ledger.quiet(240)

        await ledger.check()
        for topic in ("account.signals", "touchpoint.commands", "directory.accounts", "directory.csms"):
            assert read_topic(ledger.stack.kafka.bootstrap, topic), topic


async def test_unreadable_records_become_dead_letters_with_a_reason_and_stop_nothing(
    open_stack: OpenStack,
) -> None:
    good = [*troubled(1, MONDAY_MORNING)]
    base = binary(good[0])
    broken: list[tuple[bytes | None, Headers]] = [
        (b"{", base[1]),
        (b"[" * 100_000 + b"]" * 100_000, base[1]),
        (b'{"score": NaN}', base[1]),
        (b'{"name": "a\\u0000b"}', base[1]),
        (b'{"name": "\\ud800"}', base[1]),
        (b'{"arr": ' + b"9" * 4000 + b"}", base[1]),
        (b"\xff\xfe", base[1]),
        (None, base[1]),
        (b"{}", [("content-type", b"application/json")]),
        (b"{}", [("schema\x1eid", b"\x00\x1b\x1e\x1f\xff"), ("empty", None)]),
        (b"{}", [(n, b"drumbeat.no.such.v1" if n == "ce_type" else v) for n, v in base[1]]),
        (b"{}", [(n, b"2026-03-02T09:00:00" if n == "ce_time" else v) for n, v in base[1]]),
        (b"{}", [(n, b"2031-03-02T09:00:00Z" if n == "ce_time" else v) for n, v in base[1]]),
        (json.dumps(good[0]).encode()[:-1], [("content-type", b"application/cloudevents+json")]),
        *((body, base[1]) for body in BAD_BODIES.values()),
    ]
    async with open_stack() as ledger:
        producer = Producer({"bootstrap.servers": ledger.stack.kafka.bootstrap})
        for value, headers in broken:
            producer.produce("account.signals", value, key=b"acc-broken", headers=headers)
        assert producer.flush(30) == 0

        await ledger.post(good, leads_to=LEADS_TO)
        await ledger.quiet()

        dead_letters = (await ledger.stack.get("rules_engine", "/v1/dead-letters"))["items"]
        assert len(dead_letters) == len(broken)
        assert all(len(letter["reason"]) > 20 for letter in dead_letters)
        published = read_topic(ledger.stack.kafka.bootstrap, "dead.letters")
        assert len(published) == len(broken)
