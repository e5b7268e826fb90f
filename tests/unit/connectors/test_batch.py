"""Bodies: what cannot be read is refused with a reason, whatever the source; what can be read falls into items."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.problems import Malformed
from services.connectors.batch import read_batch
from services.connectors.mapping.facts import item_id, map_item
from services.connectors.mapping.load import read_mapping, shipped_sources
from tests.unit.connectors.bad_bodies import BAD_BODIES
from tests.unit.connectors.mapping.samples import HEAD, NOW, map_body, shipped


@pytest.mark.parametrize("source", shipped_sources())
@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_body_is_refused_with_a_reason(source: str, name: str) -> None:
    with pytest.raises(Malformed, match="body"):
        read_batch(shipped(source), BAD_BODIES[name])


@pytest.mark.parametrize("source", shipped_sources())
def test_a_byte_order_mark_is_no_json(source: str) -> None:
    with pytest.raises(Malformed):
        read_batch(shipped(source), b"\xef\xbb\xbf" + b"{ ")


@given(
    st.sampled_from(shipped_sources()),
    st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
)
def test_no_bytes_raise_anything_else(source: str, body: bytes) -> None:
    mapping = shipped(source)
    try:
        items = read_batch(mapping, body).items
    except Malformed:
        return
    assert all(map_item(mapping, item, NOW).id for item in items)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "type",
                    "data",
                    "object",
                    "subscriptionType",
                    "properties",
                    "traits",
                    "customer",
                    "items",
                    "created",
                    "occurredAt",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(shipped_sources()), _JSON)
def test_no_json_raises_anything_else(source: str, document: object) -> None:
    try:
        body = orjson.dumps(document)
    except TypeError:
        return
    mapping = shipped(source)
    try:
        items = read_batch(mapping, body).items
    except Malformed:
        return
    for item in items:
        assert map_item(mapping, item, NOW) == map_item(mapping, item, NOW)


def test_items_are_found_by_the_expression_of_the_file() -> None:
    mapping = read_mapping(HEAD.replace("id: id", "items: events[].body\nid: id", 1))
    assert read_batch(mapping, b'{"events": [{"body": {"id": 1}}, {"body": {"id": 2}}]}').items == [
        {"id": 1},
        {"id": 2},
    ]
    with pytest.raises(Malformed, match="leads to nothing"):
        read_batch(mapping, b"{}")


def test_an_item_has_the_id_that_is_signed_beside_the_body_unless_it_has_its_own() -> None:
    mapping = shipped("standard")
    body = b'{"type": "health.scored", "data": {"account_id": "acme", "score": 71}}'
    (one,) = read_batch(mapping, body, "msg_1").items
    assert item_id(mapping, one) == "msg_1"
    several = read_batch(shipped("hubspot"), b'[{"eventId": 1}, {"eventId": 2}]', "msg_2").items
    assert [each["webhook_id"] for each in several] == ["msg_2/0", "msg_2/1"]
    (own,) = read_batch(mapping, b'{"id": "evt_9", "type": "x"}', "msg_3").items
    assert item_id(mapping, own) == "evt_9"


def test_a_batch_of_segment_is_its_messages() -> None:
    message = {"type": "group", "messageId": "m", "groupId": "acme", "timestamp": "2026-11-30T10:00:00Z"}
    traits = {"renewal_date": "2027-03-01", "plan": "gold"}
    (item,) = map_body("segment", orjson.dumps({"batch": [{**message, "traits": traits}]}))
    assert [fact.data for fact in item.facts] == [{"contract_id": "acme", "renews_on": "2027-03-01"}]
    assert item.unmapped == ("group plan",)


def test_identify_and_track_of_segment_are_people_and_what_happened() -> None:
    head = {"timestamp": "2026-11-30T10:00:00Z", "userId": "u-1"}
    grouped = {**head, "context": {"groupId": "acme"}}
    person = {
        **grouped,
        "type": "identify",
        "messageId": "m1",
        "traits": {"name": "Ann Lee", "email": "ann@acme.example"},
    }
    milestone = {
        **grouped, "type": "track", "messageId": "m2", "event": "Milestone Reached",
        "properties": {"milestone": "first report"},
    }  # fmt: skip
    answer = {
        **grouped,
        "type": "track",
        "messageId": "m3",
        "event": "NPS Answered",
        "properties": {"score": 9},
    }
    stranger = {**head, "type": "identify", "messageId": "m4", "traits": {"name": "Ann Lee"}}
    items = map_body("segment", orjson.dumps({"batch": [person, milestone, answer, stranger]}))
    told = [(fact.type, fact.account.id, fact.data) for item in items for fact in item.facts]
    assert [(type_, account) for type_, account, _ in told] == [
        ("drumbeat.contact.described.v1", "acme"),
        ("drumbeat.milestone.reached.v1", "acme"),
        ("drumbeat.nps.answered.v1", "acme"),
    ]
    assert (told[0][2]["contact_id"], told[0][2]["name"], told[1][2]["milestone"], told[2][2]["score"]) == (
        "u-1", "Ann Lee", "first report", 9,
    )  # fmt: skip
    assert "leads to an account by context.groupId" in items[3].problems[0]
