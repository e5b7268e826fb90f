"""What the mappings of a policy file have in common: keys that many have, and checks of conditions and reasons.

Validators read the keys declared before theirs (`info.data`) and the rest of the policy (`info.context`, a `Scope`).
Defaults are validated too. Keys of a base class come first, of several base classes those of the last.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo
from pydantic.functional_validators import AfterValidator, field_validator, model_validator

from services.cadence.expressions.checker import did_you_mean
from services.cadence.expressions.tree import Node
from services.cadence.features.event_features import EVENT_FEATURES
from services.cadence.policy import values
from services.cadence.policy.conditions import Condition, is_among, is_true, joined
from services.cadence.policy.errors import Fault, choose, excerpt
from services.cadence.policy.model import PRECEDENCES
from services.cadence.policy.scope import INTERNAL, UNKNOWN_EVENT, Around, Scope
from services.cadence.policy.values import Distinct

Info = ValidationInfo[Scope]
NAME = "Its name; rules, limits, budgets and blackouts share one list of names"
_SLOT = re.compile(r"\{([^{}]*)\}")


def key(meaning: str, default: object = ..., **others: Any) -> Any:
    """A key of a mapping, required if it has no default. `meaning` is for editors and the reference page."""
    return Field(default, description=meaning, **others)


def _known_type(name: str, info: Info) -> str:
    return choose(name, info.context.topics)


def _public_types(types: tuple[str, ...] | None, info: Info) -> tuple[str, ...]:
    """Left out: the types that reach customers."""
    return types or tuple(sorted(name for name, topic in info.context.topics.items() if topic != INTERNAL))


KnownType = Annotated[values.TypeName, AfterValidator(_known_type)]
Types = Annotated[Distinct[KnownType], AfterValidator(lambda types: tuple(sorted(types)))]
PublicTypes = Annotated[
    Types | None, AfterValidator(_public_types), key("The types; left out: all that reach customers", None)
]
Unless = Annotated[Condition | None, key("What must not hold", None)]
Deadline = Annotated[values.Span | None, key("When it is overdue; left out: at the end of `within`", None)]
OneOffPrecedence = Annotated[
    str,
    values.one_of(*PRECEDENCES),
    key(
        "Its rank, `escalation`: its owner and their manager are told at once; it selects nothing", "default"
    ),
]
Owner = Annotated[values.Owner | None, key("Who leads it, if not the touchpoint's own owner", None)]
Channel = Annotated[values.Channel | None, key("Over which channel, if not the touchpoint's own", None)]


class Spec(BaseModel):
    """A mapping in a policy file."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @classmethod
    def around(cls, info: Info, /) -> Around:
        """What its conditions and its reason may read."""
        return Around(info.context.features())

    @model_validator(mode="after")
    def _refuse_faults(self, info: Info) -> Self:
        info.context.refuse([*self.faults(info.context)])
        return self

    def faults(self, _scope: Scope, /) -> Iterable[Fault]:
        """What does not fit together, once every key is right by itself."""
        return ()


class ReasonSpec(Spec):
    """A mapping with a reason. What is in braces in it is a feature, or a slot of its timeline."""

    because: values.Text = key("The reason a CSM reads; `{word}` becomes the value of that feature")

    @field_validator("because")
    @classmethod
    def _check_because(cls, text: str, info: Info) -> str:
        features, _, slots, _ = cls.around(info)
        unknown = [name for name in _SLOT.findall(text) if name not in features and name not in slots]
        if unknown and not info.context.is_exhausted:
            hints = [(excerpt(name), did_you_mean(name, (*features, *slots))) for name in unknown]
            info.context.refuse([Fault(f"unknown field {name} in braces{hint}") for name, hint in hints])
        return text


class ScopedSpec(Spec):
    """A mapping for the accounts that `segment`, `stage` and `when` together describe."""

    segment: Distinct[values.Segment] | None = key("Only accounts of this segment, or of these", None)
    stage: Distinct[values.Stage] | None = key("Only accounts in this stage, or in these", None)
    when: Condition = key("What has to hold as well", "true")

    @field_validator("when", "unless", check_fields=False)
    @classmethod
    def _check_condition(cls, tree: Node | None, info: Info) -> Node | None:
        """Of `when`, joined with what is around it and what `segment` and `stage` are short for."""
        around, before, to = cls.around(info), list[Node](), ()
        if info.field_name == "when":
            scopes = [name for name in ("segment", "stage") if info.data.get(name)]
            before = [*around.conditions, *(is_among(name, info.data[name]) for name in scopes)]
            to = ("..", *scopes[:1]) if tree and is_true(tree) else ()
        if tree and (not is_true(tree) or len(before) > 1):
            info.context.refuse(info.context.faults_of(joined(before, tree), around.features, to))
        return tree and joined(before, tree)


class RuleSpec(ScopedSpec, ReasonSpec):
    """A rule with a condition and a reason."""

    rule: values.RuleName = key(NAME)


class OnEventSpec(Spec):
    """Mixed into rules on an event, whose features they read too."""

    on: Annotated[str, values.one_of(*EVENT_FEATURES)] = key("The event")

    @classmethod
    def around(cls, info: Info, /) -> Around:
        return Around(info.context.features(info.data.get("on", UNKNOWN_EVENT)))
