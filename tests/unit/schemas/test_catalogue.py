"""Row 25: every field of every event type names who reads it and what it changes, and the code reads it there."""

import ast
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from schemas.base import SchemaModel
from schemas.catalogue import Reading, declared_readings, message_models
from schemas.envelope import from_structured
from schemas.events import READABLE
from services.cadence.account import Facts
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import decode, encode
from services.cadence.account.events import read_event
from services.cadence.account.issued import Issued
from services.cadence.account.state import FactEvent
from tests.unit.architecture.sources import ROOT

READINGS = [
    (model, field, module)
    for model, fields in declared_readings().items()
    for field, reading in fields.items()
    for module in reading.modules
]


@cache
def names_in(module: str) -> frozenset[str]:
    """The attributes, keyword arguments and strings of one word that a module, or a package, has."""
    path = ROOT / "services" / Path(*module.split("."))
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    return frozenset(chain.from_iterable(_names(ast.parse(file.read_text())) for file in files))


def _names(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                names.add(name)
            case ast.Constant(value=str(text)) if text.isidentifier():
                names.add(text)
            case _:
                pass
    return names


def problems_of(model: type[SchemaModel], fields: dict[str, Reading]) -> list[str]:
    """What a declaration lacks or has too much, or says of a field that nobody reads."""
    expected, name = set(model.model_fields), model.__name__
    missing = [
        f"{name}.{field}: declare in schemas/readers.yaml who reads it" for field in expected - set(fields)
    ]
    obsolete = [f"{name}.{field}: is no field" for field in set(fields) - expected]
    unsaid = [
        f"{name}.{field}: nobody reads it; say stored only, not stored or passed on"
        for field, reading in fields.items()
        if not reading.modules and not reading.effect.startswith(("stored only", "not stored", "passed on"))
    ]
    return [*missing, *obsolete, *unsaid]


def test_every_field_of_every_model_is_declared_and_no_other() -> None:
    declared = declared_readings()
    assert not declared.keys() - message_models().keys()
    problems = [
        problem
        for name, model in message_models().items()
        for problem in problems_of(model, dict(declared.get(name, {})))
    ]
    assert not problems, "\n".join(sorted(problems))


def test_a_field_without_a_declaration_is_found() -> None:
    class Grown(SchemaModel):
        known: int
        new: int

    fields = {"known": Reading((), "used"), "gone": Reading(("cadence",), "used")}
    assert sorted(problems_of(Grown, fields)) == [
        "Grown.gone: is no field",
        "Grown.known: nobody reads it; say stored only, not stored or passed on",
        "Grown.new: declare in schemas/readers.yaml who reads it",
    ]


@pytest.mark.parametrize("module", sorted({module for _, _, module in READINGS}))
def test_a_declared_reader_reads_the_field(module: str) -> None:
    names = names_in(module)
    absent = [f"{model}.{field}" for model, field, by in READINGS if by == module and field not in names]
    assert not absent, f"services.{module} does not mention {', '.join(absent)}"


def test_a_reader_that_does_not_read_is_found() -> None:
    assert "seats_used" in names_in("cadence.features.compute")
    assert "seats_used" not in names_in("notifier.domain.consent")


# Facts of a CSM and of programs are stored elsewhere, not with an account.
ABOUT_ACCOUNTS = sorted(READABLE.keys() - {"drumbeat.csm.described.v1", "drumbeat.program.announced.v1"})
# What the sample of a type lacks, from the sample of another type.
MORE_FIELDS = {
    "drumbeat.contact.left.v1": "drumbeat.contact.described.v1",
    "drumbeat.outreach.resumed.v1": "drumbeat.outreach.paused.v1",
}


# Other values with which more fields of the sample count.
OTHER_VALUES: dict[str, dict[str, object]] = {"drumbeat.message.engaged.v1": {"kind": "declined"}}


def sample(event_type: str) -> FactEvent:
    path = Path(__file__).parent / "golden" / f"{event_type}.json"
    event = read_event(from_structured(path.read_bytes()))
    if event_type not in MORE_FIELDS:
        return event
    return event._replace(fields={**sample(MORE_FIELDS[event_type]).fields, **event.fields})


def stored(event: FactEvent) -> bytes:
    state = decode(event.account_id, encode(Facts(event.account_id), Issued()))
    apply_event(state, event)
    return encode(state.facts, state.issued)


def without(event: FactEvent, name: str) -> FactEvent:
    return event._replace(fields={key: value for key, value in event.fields.items() if key != name})


@pytest.mark.parametrize("event_type", ABOUT_ACCOUNTS)
def test_a_field_changes_what_is_stored_of_the_account_unless_the_page_says_not_stored(
    event_type: str,
) -> None:
    model, event = READABLE[event_type], sample(event_type)
    readings = declared_readings()[model.__name__]
    other = event._replace(fields={**event.fields, **OTHER_VALUES.get(event_type, {})})
    for name, field in model.model_fields.items():
        if field.is_required():
            continue
        assert name in event.fields, f"the sample of {event_type} has no {name}"
        modules, effect = readings[name]
        elsewhere = modules and not any(by.startswith(("cadence", "rules_engine")) for by in modules)
        expected = not (elsewhere or effect.startswith("not stored"))
        is_stored = any(stored(one) != stored(without(one, name)) for one in (event, other))
        assert is_stored is expected, f"{event_type}: {name} is {'' if is_stored else 'not '}stored"
