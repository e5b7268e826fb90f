"""The grammar of policy test files as Pydantic models. The validation context is the policy that is tested."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Final, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo
from pydantic.functional_validators import AfterValidator, WrapValidator, model_validator

from schemas.events import READABLE
from schemas.touchpoints import TouchpointData
from services.cadence.evaluation import SuppressionCause
from services.cadence.features.feature import COLORS, PROGRAM_KINDS
from services.cadence.policy import Policy, values
from services.cadence.policy.errors import Fault, choose, excerpt, refuse
from services.cadence.policy.intervals import IntervalText
from services.cadence.policy.values import Items, Text, line, one_of, parsed
from services.cadence.portfolio import ProgramKind

NOW: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday morning: the time of a test that names none."""
ISSUED: Final = ("touchpoint.due", "touchpoint.overdue", "touchpoint.cancelled")
FIELDS: Final = {
    short: frozenset(model.model_fields)
    for kind, model in READABLE.items()
    if (short := kind.removeprefix("drumbeat.").removesuffix(".v1"))
    not in {"csm.described", "program.announced"}
} | dict.fromkeys(ISSUED, frozenset(TouchpointData.model_fields))
"""The types of events about an account, each with the fields its data may have."""
CONTRACT_FIELDS: Final = {"starts": "starts_on", "renews": "renews_on"} | {
    name: name for name in ("status", "signed_at", "auto_renew")
}
"""Keys of an account that are fields of its contract."""
_CONSTANTS: Final = {"true": True, "false": False, "null": None, "~": None}


def json_scalar(node: yaml.ScalarNode) -> object:
    """`true`, `null` and numbers (`100_000`) as JSON has them; text in quotes, and all other text, as it is."""
    if node.style in {"'", '"', "|", ">"}:
        return node.value
    if re.fullmatch(r"-?[0-9][0-9_]*(\.[0-9]+)?", node.value):
        digits = node.value.replace("_", "")
        return float(digits) if "." in digits else int(digits)
    return _CONSTANTS.get(node.value, node.value)


def read_moment(value: object) -> timedelta | datetime:
    """A span from now (`-10d`, `48h`), a day, or a time with its zone. Raises ValueError."""
    text = line(value)
    if re.fullmatch(r"-?[0-9]{1,5}[hd]", text):
        return int(text[:-1]) * timedelta(hours=1 if text[-1] == "h" else 24)
    try:
        at = datetime.fromisoformat(text if len(text) > len("2026-03-02") else f"{text}T00:00:00Z")
        if at.tzinfo is not None and 1970 <= at.year <= 2500:
            return at.astimezone(UTC)
    except ValueError:
        pass
    what = "a span from now (-10d, 48h), a day or a time with its zone"
    raise ValueError(f"{what} is expected here, not {excerpt(text)}")


def _read_moments(data: dict[str, object]) -> dict[str, object]:
    for key in data.keys() & {"at", "starts", "renews"}:
        try:
            data[key] = read_moment(data[key])
        except ValueError as error:
            raise refuse(Fault(str(error), to=(key,))) from error
    return data


def _known(names: Callable[[Policy], Iterable[str]]) -> AfterValidator:
    """Of names that the policy has."""

    def check(name: str, info: ValidationInfo[Policy]) -> str:
        return choose(name, names(info.context))

    return AfterValidator(check)


def _or_presence(short: str) -> WrapValidator:
    """Of mappings that may be written as `present`, as `absent`, or as the value of one key alone."""

    def read(value: object, handler: Callable[[object], object]) -> object:
        if isinstance(value, str) and value in {"present", "absent"}:
            return value == "present"
        return handler({short: value} if short and isinstance(value, str) else value)

    return WrapValidator(read)


def _one_type(fact: dict[str, object]) -> dict[str, object]:
    if len(fact.keys() - {"at", "id"}) == 1:
        return fact
    raise ValueError("exactly one type of event is expected here")


def _check_rising(revenues: dict[int, float]) -> dict[int, float]:
    ordered = [revenues[percent] for percent in sorted(revenues)]
    if ordered == sorted(ordered):
        return revenues
    raise ValueError("revenue rises with the percent")


Moment = Annotated[timedelta | datetime, parsed(read_moment, {})]
Whole = Annotated[int, Field(ge=0, strict=True)]
TypeName = Annotated[Text, _known(lambda policy: policy.catalogue)]
RuleName = Annotated[Text, _known(lambda policy: policy.bits)]
BlackoutName = Annotated[Text, _known(lambda policy: ("pause", *(rule.rule for _, rule in policy.blackouts)))]
Requirement = Annotated[str, values.text("number", "[A-Z][0-9]{1,3}", "a number such as S24")]
_AccountKey = Annotated[str, one_of(*FIELDS["account.described"], *CONTRACT_FIELDS, "at")]
_ContactKey = Annotated[str, one_of(*FIELDS["contact.described"], "at")]
Account = Annotated[dict[_AccountKey, object], AfterValidator(_read_moments)]
Contact = Annotated[dict[_ContactKey, object], AfterValidator(_read_moments)]
Fact = Annotated[
    dict[Annotated[str, one_of(*FIELDS, "at", "id")], object],
    AfterValidator(_one_type),
    AfterValidator(_read_moments),
]
Percentiles = Annotated[
    dict[Annotated[int, Field(ge=1, le=99)], Annotated[float, Field(strict=True)]],
    AfterValidator(_check_rising),
]


class CaseModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _ItemExpectation(CaseModel):
    owner: values.Owner | None = None
    channel: values.Channel | None = None
    rule: RuleName | None = None
    never_skip: values.Truth | None = None
    csm_id: object = None
    minutes: Whole | None = None


class RhythmExpectation(_ItemExpectation):
    every: IntervalText | None = None
    urgency: Annotated[str, one_of("soon", "spread")] | None = None


class OneOffExpectation(_ItemExpectation):
    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None
    deadline: Moment | None = None
    count: Whole | None = None


class Expect(CaseModel):
    """What is expected of a plan; what is left out is not checked."""

    segment: values.Segment | None = None
    stage: values.Stage | None = None
    color: Annotated[str, one_of(*COLORS, "none")] | None = None
    rhythms: dict[TypeName, Annotated[RhythmExpectation, _or_presence("every")]] | None = None
    touchpoints: dict[TypeName, Annotated[OneOffExpectation, _or_presence("")]] | None = None
    stopped: dict[RuleName, Annotated[str, one_of(*get_args(SuppressionCause))]] | None = None
    avoid: Items[BlackoutName] | None = None
    text: dict[TypeName, Text] | None = None


class ProgramSpec(CaseModel):
    program_id: Text
    kind: Annotated[ProgramKind, one_of(*PROGRAM_KINDS)]
    at: Moment = timedelta(0)
    title: Text | None = None
    meaningful: values.Truth = False
    audience: Text | None = None


class LaterSpec(CaseModel):
    at: Moment
    facts: Items[Fact] | None = None
    expect: Expect


class CaseSpec(CaseModel):
    at: ClassVar = timedelta(0)
    test: Text
    shows: Items[Requirement] | None = None
    now: Moment | None = None
    account: Account
    contacts: Items[Contact] | None = None
    programs: Items[ProgramSpec] | None = None
    percentiles: Percentiles | None = None
    facts: Items[Fact] | None = None
    expect: Expect | None = None
    then: Items[LaterSpec] | None = None

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if self.expect is None and self.then is None:
            raise ValueError("nothing is expected: add `expect`, or `then` with later moments")
        return self


class CaseFile(CaseModel):
    now: Moment | None = None
    tests: Items[CaseSpec]
