"""What the mappings of a policy file have in common: keys that many have, and checks of conditions and reasons.

Validators read the keys declared before theirs (`info.data`) and the rest of the policy (`info.context`, a `Scope`).
Defaults are validated too.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic.functional_validators import AfterValidator

from services.cadence.expressions.checker import did_you_mean
from services.cadence.expressions.tree import Node
from services.cadence.policy import values
from services.cadence.policy.conditions import Condition, is_among, is_true, joined
from services.cadence.policy.errors import Fault, choose, excerpt, refuse
from services.cadence.policy.scope import Around, Scope
from services.cadence.policy.values import Distinct

Info = ValidationInfo[Scope]
_SLOT = re.compile(r"\{([^{}]*)\}")


def key(meaning: str, default: object = ...) -> Any:
    """A key of a mapping, required if it has no default. `meaning` is for editors and the reference page."""
    return Field(default, description=meaning)


def _known_type(name: str, info: Info) -> str:
    return choose(name, info.context.topics)


KnownType = Annotated[values.TypeName, AfterValidator(_known_type)]
Rule = Annotated[values.RuleName, key("Its name; rules, limits and blackouts share one list of names")]
Touchpoint = Annotated[KnownType, key("The type of touchpoint, from `touchpoints`")]
Types = Annotated[Distinct[KnownType] | None, key("The types; left out: all that reach customers", None)]
Because = Annotated[values.Text, key("The reason a CSM reads; `{word}` becomes the value of that feature")]
Segments = Annotated[Distinct[values.Segment] | None, key("Only accounts of this segment, or of these", None)]
Stages = Annotated[Distinct[values.Stage] | None, key("Only accounts in this stage, or in these", None)]
When = Annotated[Condition, key("What has to hold as well", "true")]
Unless = Annotated[Condition | None, key("What must not hold", None)]
Deadline = Annotated[values.Span | None, key("When it is overdue; left out: at the end of `within`", None)]
Owner = Annotated[values.Owner | None, key("Who leads it, if not the touchpoint's own owner", None)]
Channel = Annotated[values.Channel | None, key("Over which channel, if not the touchpoint's own", None)]


class Spec(BaseModel):
    """A mapping in a policy file."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @model_validator(mode="after")
    def _refuse_faults(self) -> Self:
        if faults := [*self.faults()]:
            raise refuse(*faults)
        return self

    def faults(self) -> Iterable[Fault]:
        """What does not fit together, once every key is right by itself."""
        return ()


class RuleSpec(Spec):
    """A mapping with conditions or a reason."""

    @classmethod
    def around(cls, info: Info, /) -> Around:
        """What its conditions and its reason may read."""
        return Around(info.context.features())

    @field_validator("when", check_fields=False)
    @classmethod
    def _join(cls, tree: Node, info: Info) -> Node:
        """`when` after what `segment` and `stage` are short for; checked for each stage that `every` names."""
        stages = [stage for stage in info.data.get("every", ()) if stage]
        chosen = {name: info.data.get(name) for name in (("segment",) if stages else ("segment", "stage"))}
        scopes = {name: is_among(name, options) for name, options in chosen.items() if options}
        around = cls.around(info)
        before = [*around.conditions, *scopes.values()]
        to = ("..", [*scopes, "every"][0]) if is_true(tree) else ()
        for stage in stages or [""]:
            parts = [is_among("stage", [stage]), *before] if stage else before
            if not is_true(tree) or len(parts) > 1:
                info.context.check(joined(parts, tree), around.features, to)
        return joined(before, tree)

    @field_validator("unless", check_fields=False)
    @classmethod
    def _check_unless(cls, tree: Node | None, info: Info) -> Node | None:
        if tree is not None:
            info.context.check(tree, cls.around(info).features)
        return tree

    @field_validator("because", check_fields=False)
    @classmethod
    def _check_because(cls, text: str, info: Info) -> str:
        features, _, slots, _ = cls.around(info)
        unknown = [name for name in _SLOT.findall(text) if name not in features and name not in slots]
        if unknown and not info.context.is_exhausted:
            hints = [(excerpt(name), did_you_mean(name, (*features, *slots))) for name in unknown]
            info.context.refuse([Fault(f"unknown field {name} in braces{hint}") for name, hint in hints])
        return text
