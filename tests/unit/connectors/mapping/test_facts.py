"""Facts of an item: the same item leads to the same facts, absent and cleared differ, what fails says why."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import dump_json
from services.connectors.mapping.facts import item_id, map_item
from services.connectors.mapping.load import read_mapping
from tests.unit.connectors.mapping.samples import HEAD, NOW, contract_mapping, data_of, map_one

RENEWAL = contract_mapping("renews_on: {from: end, form: [iso, milliseconds]}", "arr: amount")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_an_absent_member_is_left_out_and_null_clears() -> None:
    assert data_of(RENEWAL, amount=5, end=None) == {"contract_id": "c", "arr": 5.0, "renews_on": None}
    assert data_of(RENEWAL, amount=5) == {"contract_id": "c", "arr": 5.0}


def test_an_empty_text_counts_as_absent_unless_the_file_says_that_it_clears() -> None:
    assert data_of(RENEWAL, amount=5, end=" ") == {"contract_id": "c", "arr": 5.0}
    clearing = read_mapping(HEAD.replace("id: id", "empty: clears\nid: id", 1) + "      renews_on: end\n")
    assert data_of(clearing, end="") == {"contract_id": "c", "renews_on": None}


def test_an_item_that_says_nothing_but_the_id_of_the_thing_leads_to_no_fact() -> None:
    mapped = map_one(RENEWAL, kind="deal", fields={"colour": 1, "end": 2})
    assert (mapped.facts, mapped.problems) == ((), ())
    assert mapped.unmapped == ("deal colour",)


def test_what_no_rule_takes_is_named_by_its_label() -> None:
    mapping = read_mapping(HEAD.replace("    type:", "    when: kind == 'deal'\n    type:"))
    assert map_one(mapping, kind="ticket").unmapped == ("ticket",)
    assert map_one(mapping).unmapped == ("items without a kind",)


def test_a_repetition_has_the_same_ids_and_the_time_of_the_provider() -> None:
    first = map_one(RENEWAL, amount=5, at="2026-11-01T00:00:00Z")
    later = map_item(
        RENEWAL,
        {"id": "1", "account": "acme", "contract": "c", "amount": 5, "at": "2026-11-01T00:00:00Z"},
        NOW + timedelta(days=3),
    )
    assert first == later
    assert first.facts[0].time.isoformat() == "2026-11-01T00:00:00+00:00"
    assert first.facts[0].id == "1/contract"


def test_without_a_time_the_moment_of_receipt_counts_where_the_file_allows_it() -> None:
    assert map_one(RENEWAL, amount=5).facts[0].time == NOW
    strict = read_mapping(HEAD.replace(", otherwise: received", ""))
    assert "otherwise: received" in map_one(strict).problems[0]


def test_an_item_without_an_id_has_that_of_its_content() -> None:
    item = {"account": "acme", "contract": "c", "amount": 5}
    assert item_id(RENEWAL, item).startswith("sha256:")
    assert item_id(RENEWAL, item) != item_id(RENEWAL, {**item, "amount": 6})
    assert item_id(RENEWAL, {"id": "x" * 300}).startswith("sha256:")


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ({"amount": "a lot"}, "contract: arr: 'a lot' is no number"),
        ({"amount": -1}, "contract: data.arr"),
        ({"amount": 1, "end": "soon"}, "contract: renews_on: 'soon' is no date"),
        ({"amount": 1, "account": None}, "contract: account: the item names none"),
        ({"amount": 1, "contract": None}, "contract: data.contract_id"),
        ({"amount": 1, "at": "yesterday"}, "contract: time: 'yesterday' is no date"),
    ],
)
def test_a_fact_that_cannot_be_made_says_why(item: dict[str, object], problem: str) -> None:
    mapped = map_one(RENEWAL, **item)
    assert not mapped.facts
    assert mapped.problems[0].startswith(problem)


def test_one_fact_that_fails_leaves_the_others() -> None:
    mapping = read_mapping(
        HEAD + "      arr: amount\n  account:\n    type: account.described\n    data: {name: name}\n"
    )
    mapped = map_one(mapping, amount="a lot", name="Acme")
    assert [fact.rule for fact in mapped.facts] == ["account"]
    assert len(mapped.problems) == 1


def test_external_ids_are_tried_in_the_order_of_the_file() -> None:
    text = HEAD.replace("account: account", "account: [account, {external: crm, id: company}]", 1)
    mapping = read_mapping(text)
    assert map_one(mapping, company=7).facts[0].account == ("acme", None)
    (fact,) = map_one(mapping, account=None, company=7).facts
    assert fact.account == ("7", "crm")
    assert fact.account.external_id == "crm:7"


@given(
    st.dictionaries(
        st.sampled_from(["id", "at", "account", "contract", "end", "amount", "kind", "fields"]), _JSON
    )
)
def test_whatever_an_item_is_it_is_mapped_or_refused(item: dict[str, object]) -> None:
    mapped = map_item(RENEWAL, item, NOW)
    assert mapped == map_item(RENEWAL, item, NOW)
    assert len(mapped.facts) + len(mapped.problems) <= 1
    for fact in mapped.facts:
        assert dump_json(fact.data)
