"""Load a mapping file: its keys, expressions, fields and forms are checked, with every mistake in one message."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from schemas.base import SchemaModel
from schemas.events import FACTS, OUTCOMES
from schemas.zones import ZONE_NAMES
from services.cadence.expressions.checker import did_you_mean
from services.cadence.policy.errors import Mistakes
from services.cadence.policy.errors import Path as Place
from services.cadence.policy.parse import parse_file
from services.cadence.policy.yaml_source import YamlFile, read_yaml
from services.connectors.mapping.dates import PatternRefused, check_form
from services.connectors.mapping.expression import Expression, ExpressionRefused, compile_expression
from services.connectors.mapping.model import AccountRule, FactRule, SourceMapping, ValueRule
from services.connectors.mapping.schema import RECEIVED, AccountSpec, FactSpec, MappingFile, ValueSpec
from services.connectors.mapping.values import SALESFORCE_ID, Form, Kind, convert, kinds_of
from services.connectors.signatures.schemes import SCHEMES

SHIPPED: Final = Path(__file__).parents[1] / "shipped"
EVENTS: Final[Mapping[str, type[SchemaModel]]] = {**FACTS, **OUTCOMES}
_NOTHING: Final = compile_expression("@")


class MappingRefused(Exception):
    """A mapping that cannot be used. The message has every mistake, each as `file:line:column: where: what`."""


def shipped_sources() -> tuple[str, ...]:
    """The sources that have a mapping without a file of their own."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


def load_mapping(path: Path) -> SourceMapping:
    """Read a mapping file. Raises MappingRefused."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingRefused(f"{path}: cannot be read: {error}") from None
    return read_mapping(text, str(path))


def read_mapping(text: str, name: str = "mapping.yaml") -> SourceMapping:
    """Read the text of a mapping file. Raises MappingRefused."""
    mistakes = Mistakes()
    file = read_yaml(name, text, mistakes)
    parsed = parse_file(file, MappingFile, None) if file is not None else None
    mapping = _Compiler(file).mapping(parsed) if file is not None and parsed is not None else None
    if mistakes.entries or mapping is None:
        lines = [f"{at}:{line}:{column}: {what}" for at, line, column, what in sorted(mistakes.entries)]
        raise MappingRefused("\n".join(lines))
    return mapping


class _Compiler:
    """Compiles a file that has the right keys; each mistake is added to the file with its place."""

    def __init__(self, file: YamlFile) -> None:
        self._file = file

    def mapping(self, spec: MappingFile) -> SourceMapping:
        if spec.signature.scheme not in SCHEMES:
            hint = did_you_mean(spec.signature.scheme, SCHEMES)
            text = f"{spec.signature.scheme!r} is no scheme of signatures ({', '.join(SCHEMES)}){hint}"
            self._file.add_mistake(("signature", "scheme"), text)
        default_time = self.value(spec.time, ("time",), Kind.INSTANT)
        accounts = self.accounts(spec.account, ("account",))
        facts = tuple(self.fact(name, fact, accounts, default_time) for name, fact in spec.facts.items())
        return SourceMapping(
            file=Path(self._file.name).name,
            signature=spec.signature,
            body=spec.body,
            items=self.expression(spec.items, ("items",)),
            id=self.maybe(spec.id, ("id",)),
            label=self.maybe(spec.label, ("label",)),
            properties=self.maybe(spec.properties, ("properties",)),
            empty_clears=spec.empty == "clears",
            facts=facts,
        )

    def fact(
        self, name: str, spec: FactSpec, accounts: Sequence[AccountRule], default_time: ValueRule
    ) -> FactRule:
        place: Place = ("facts", name)
        event_type, model = self._type(spec, place)
        kinds = kinds_of(model) if model is not None else None
        own = self.accounts(spec.account, (*place, "account")) or tuple(accounts)
        if not own:
            self._file.add_mistake(place, "'account' is missing, here and at the top: whose fact is it?")
        data = {
            field: self._field(field, each, (*place, "data", field), kinds)
            for field, each in spec.data.items()
        }
        if model is not None and spec.all_of is None:
            self._check_required(model, data, place)
        if spec.time is not None:
            default_time = self.value(spec.time, (*place, "time"), Kind.INSTANT)
        expressions = (
            when := self.maybe(spec.when, (*place, "when")),
            all_of := self.maybe(spec.all_of, (*place, "all_of")),
            type_from := self.maybe(spec.type_from, (*place, "type_from")),
            *(rule.expression for rule in (*own, *data.values(), default_time)),
        )
        return FactRule(
            name=name,
            when=when,
            type=event_type,
            type_from=type_from,
            accounts=own,
            time=default_time,
            all_of=all_of,
            without=frozenset(spec.without),
            data=data,
            no_account=spec.no_account,
            names=frozenset[str]().union(*(each.names for each in expressions if each is not None)),
        )

    def _type(self, spec: FactSpec, place: Place) -> tuple[str | None, type[SchemaModel] | None]:
        if spec.type is None:
            return None, None
        whole = whole_type(spec.type)
        if whole is None:
            names = [name.removeprefix("drumbeat.").removesuffix(".v1") for name in EVENTS]
            text = f"{spec.type!r} is no type of events{did_you_mean(spec.type, names)}"
            self._file.add_mistake((*place, "type"), text)
            return None, None
        return whole, EVENTS[whole]

    def _field(
        self, field: str, spec: ValueSpec, place: Place, kinds: Mapping[str, Kind] | None
    ) -> ValueRule:
        if kinds is not None and field not in kinds:
            self._file.add_mistake(
                place, f"there is no field {field!r}{did_you_mean(field, kinds)}", on_key=True
            )
        return self.value(spec, place, (kinds or {}).get(field, Kind.OTHER))

    def _check_required(self, model: type[SchemaModel], data: Mapping[str, ValueRule], place: Place) -> None:
        for field in required_of(model):
            if field not in data:
                self._file.add_mistake(place, f"the data needs {field!r}: every event of this type has it")

    def value(self, spec: ValueSpec, place: Place, kind: Kind) -> ValueRule:
        forms = tuple(spec.form)
        for form in forms:
            self._check_form(form, place, kind)
        if spec.zone is not None and spec.zone not in ZONE_NAMES:
            hint = did_you_mean(spec.zone, ZONE_NAMES)
            self._file.add_mistake((*place, "zone"), f"{spec.zone!r} is no IANA time zone{hint}")
        words = {word.strip().casefold(): value for word, value in spec.words.items()} if spec.words else None
        otherwise = None if spec.otherwise == RECEIVED and words is None else spec.otherwise
        form = Form(forms, spec.zone, words, otherwise, spec.divide)
        if spec.value is not None:
            self._check_constant(spec.value, kind, form, place)
        elif (
            spec.otherwise is not None
            and words is None
            and (spec.otherwise != RECEIVED or kind != Kind.INSTANT)
        ):
            self._file.add_mistake(
                (*place, "otherwise"), f"`otherwise` goes with `words`, or is {RECEIVED!r} of a time"
            )
        expression = None if spec.from_ is None else self.expression(spec.from_, (*place, "from"))
        constant = RECEIVED if spec.otherwise == RECEIVED and words is None else spec.value
        return ValueRule(expression, constant, form)

    def _check_form(self, form: str, place: Place, kind: Kind) -> None:
        is_of_ids = form == SALESFORCE_ID
        if is_of_ids and kind in (Kind.DAY, Kind.INSTANT):
            self._file.add_mistake((*place, "form"), f"{form!r} is no form of dates")
        try:
            if not is_of_ids:
                check_form(form)
        except PatternRefused as refused:
            self._file.add_mistake((*place, "form"), str(refused))

    def _check_constant(self, value: str, kind: Kind, form: Form, place: Place) -> None:
        try:
            convert(value, kind, form)
        except ValueError as wrong:
            self._file.add_mistake((*place, "value"), str(wrong))

    def accounts(self, specs: Sequence[AccountSpec] | None, place: Place) -> tuple[AccountRule, ...]:
        return tuple(
            AccountRule(
                self.expression(spec.id, (*place, index, "id")),
                spec.external,
                Form(forms=(SALESFORCE_ID,)) if spec.form else Form(),
            )
            for index, spec in enumerate(specs or ())
        )

    def maybe(self, text: str | None, place: Place) -> Expression | None:
        return None if text is None else self.expression(text, place)

    def expression(self, text: str, place: Place) -> Expression:
        try:
            return compile_expression(text)
        except ExpressionRefused as refused:
            self._file.add_mistake(place, str(refused), refused.at)
            return _NOTHING


def whole_type(name: str) -> str | None:
    """`contract.changed` -> `drumbeat.contract.changed.v1`; a whole type stays; None for what is no type."""
    whole = name if name.startswith("drumbeat.") else f"drumbeat.{name}.v1"
    return whole if whole in EVENTS else None


def required_of(model: type[SchemaModel]) -> Iterator[str]:
    """The fields that every event of the type has."""
    for name, field in model.model_fields.items():
        if field.is_required():
            yield field.serialization_alias or name
