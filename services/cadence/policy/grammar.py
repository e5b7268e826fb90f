"""What the grammar of policy files is written in: sections, which hold forms, which have keys.

With `policy_forms` the one source for the readers, for the schema that editors use and for the reference page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Shape = Literal[
    "text", "lines", "rule", "condition", "truth", "number", "whole", "span", "days", "rhythm", "offset",
    "day", "range", "cap", "date", "ladder", "choice", "touchpoint", "forms",
]  # fmt: skip
Arrangement = Literal["one", "list", "named"]
LONGEST = 3_650
"""Days that any span may last."""
TEXT = 1_000
"""Characters of any text."""
RUNGS = 12
PATTERNS: Mapping[Shape, str] = {
    "rule": r"[a-z][a-z0-9-]{0,63}",
    "touchpoint": r"[a-z][a-z0-9_]{0,63}",
    "span": r"[0-9]{1,6}[hd]",
    "days": r"[0-9]{1,6}[hd]",
    "offset": r"-?[0-9]{1,6}[hd]",
    "range": r"[0-9]{1,6}d\.\.[0-9]{1,6}d",
    "cap": r"[0-9]{1,4} per [0-9]{1,6}[hd]",
    "date": r"[0-9]{2}-[0-9]{2}",
}
"""How values of a shape are written."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a form. `many`: one or a list of them. `default`: what stands when it is left out.

    `values` of a choice, `form` of forms, `least` and `most` of numbers.
    """

    name: str
    shape: Shape
    text: str
    required: bool = False
    values: tuple[str, ...] = ()
    many: bool = False
    default: str = ""
    form: str = ""
    least: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    """A mapping of keys. `either`: keys of which exactly one is said."""

    name: str
    keys: tuple[Key, ...]
    either: tuple[str, ...] = ()

    def key(self, name: str) -> Key:
        return next(key for key in self.keys if key.name == name)


@dataclass(frozen=True, slots=True)
class Section:
    """A key at the top of a file: one form, a list of forms, or forms by name."""

    name: str
    form: str
    arrangement: Arrangement
    text: str
    required: bool = False


SECTIONS = (
    Section(
        "health",
        "health",
        "one",
        "Which scores are red and yellow, where only a score is told",
        required=True,
    ),
    Section("segments", "segment", "list", "What kind of account it is: the first that holds", required=True),
    Section("stages", "stage", "list", "Where the account stands: the first that holds", required=True),
    Section(
        "touchpoints",
        "touchpoint",
        "named",
        "The catalogue: every kind of touchpoint, by its name",
        required=True,
    ),
    Section("rhythms", "rhythm", "list", "What repeats"),
    Section(
        "minimum",
        "minimum",
        "list",
        "The least a customer hears, where no other rhythm reaches them as often",
    ),
    Section("adjustments", "adjustment", "list", "What makes rhythms rarer or denser as long as it holds"),
    Section("feedback", "feedback", "one", "How what was heard makes rhythms rarer or denser, step by step"),
    Section("triggers", "trigger", "list", "What answers something that happened"),
    Section("timelines", "timeline", "list", "What lies before and after a date"),
    Section("sequences", "sequence", "list", "What follows a date day by day"),
    Section("limits", "limit", "list", "Contact budgets over several kinds of touchpoint"),
    Section(
        "blackouts", "blackout", "list", "Seasons in which customers are not asked for these touchpoints"
    ),
)
"""In the order they are read, over all files of a folder; but touchpoints, which the others name, come first."""
