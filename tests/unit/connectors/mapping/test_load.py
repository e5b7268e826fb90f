"""A mapping file is checked when it is loaded: every mistake has its line, its column and what was probably meant."""

from pathlib import Path

import pytest

from services.connectors.mapping.load import MappingRefused, load_mapping, read_mapping, shipped_sources
from services.connectors.mapping.model import SourceMapping
from tests.unit.connectors.mapping.samples import HEAD, shipped


def mistakes(text: str) -> str:
    with pytest.raises(MappingRefused) as refused:
        read_mapping(text, "m.yaml")
    return str(refused.value)


@pytest.mark.parametrize("source", shipped_sources())
def test_the_shipped_mappings_are_sound(source: str) -> None:
    assert isinstance(shipped(source), SourceMapping)


def test_the_sources_of_the_contract_and_opentelemetry_are_shipped() -> None:
    assert shipped_sources() == ("hubspot", "opentelemetry", "salesforce", "segment", "standard", "stripe")


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("signature: standard", "signature: standart", "m.yaml:2:12: signature: 'standart' is no scheme"),
        ("signature: standard", "signature: standart", "did you mean 'standard'?"),
        ("signature: standard\n", "", "'signature' is missing: how requests are proved"),
        ("label: kind", "lable: kind", "m.yaml:4:1: unknown key 'lable'; did you mean 'label'?"),
        ("type: contract.changed", "type: contract.chnged", "m.yaml:10:11: facts.contract.type"),
        ("type: contract.changed", "type: contract.chnged", "did you mean 'contract.changed'?"),
        ("      contract_id: contract", "      contrat_id: contract", "there is no field 'contrat_id'"),
        ("      contract_id: contract", "      status: s", "the data needs 'contract_id'"),
        ("account: account\n", "", "'account' is missing, here and at the top"),
        ("account: account\n", "account: to_strng(x)\n", "did you mean to_string?"),
        ("account: account\n", "account: a.[\n", "is no JMESPath expression"),
        ("account: account\n", "account: a && !b.c\n", "m.yaml:7:15: account: `!a.b` is read as"),
        ("id: id", "id: 'a b'", "m.yaml:3:"),
        ("    type: contract.changed", "    when: x", "give `type`"),
        ("at, otherwise", "at, form: DD.MM, otherwise", "neither iso, milliseconds, seconds nor a pattern"),
        ("at, otherwise", "at, form: DD.MM.YYYY DD, otherwise", "names a part of the date twice"),
        ("at, otherwise", "at, form: salesforce_id, otherwise", "is no form of dates"),
        ("at, otherwise", "at, zone: Europe/Berln, otherwise", "did you mean 'Europe/Berlin'?"),
        ("otherwise: received", "otherwise: later", "`otherwise` goes with `words`"),
        ("time: {from: at, otherwise: received}", "time: {form: iso}", "give `from`"),
    ],
)
def test_a_mistake_is_placed_and_explained(old: str, new: str, mistake: str) -> None:
    assert old in HEAD
    assert mistake in mistakes(HEAD.replace(old, new, 1))


def test_a_constant_is_checked_against_its_field() -> None:
    assert "is no whole number" in mistakes(HEAD + "      term_months: {value: '1.5'}\n")
    assert "is neither true nor false" in mistakes(HEAD + "      auto_renew: {value: yes}\n")


def test_every_mistake_is_named_at_once() -> None:
    text = HEAD.replace("id: id", "id: a.[", 1).replace("contract.changed", "contract.chnged")
    assert len(mistakes(text).splitlines()) == 2


@pytest.mark.parametrize(
    "text", ["", "[]", "a: &x 1\nb: *x", "!!python/object:os.system x", "signature: [", "\x00", "facts: {}"]
)
def test_a_file_that_is_no_mapping_is_refused_with_its_place(text: str) -> None:
    assert mistakes(text).startswith("m.yaml:")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"label: \xe4")
    for path in (tmp_path / "absent.yaml", tmp_path / "latin.yaml"):
        with pytest.raises(MappingRefused, match=path.name):
            load_mapping(path)
