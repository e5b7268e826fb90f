"""The book: what concerns many accounts at once.

Versioned by its epoch; a change has the sweep decide accounts again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from services.cadence.account import Plain, Stamp

ProgramKind = Literal["release", "webinar", "newsletter", "event"]
Audience = Callable[[Mapping[str, Plain]], bool]


@dataclass(frozen=True, slots=True)
class Program:
    """A release, webinar, newsletter or event. `at`: when it ships or takes place, microseconds since 1970.

    `audience`: its condition, compiled (None: everybody), and `reads` the words it reads. `mark`: the word it rests on.
    """

    id: str
    kind: ProgramKind | None
    at: int
    title: str = ""
    meaningful: bool = False
    audience: Audience | None = field(default=None, compare=False)
    reads: frozenset[str] = frozenset()
    stamp: Stamp = ""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What `decide` may know beyond the account itself.

    `arr_percentiles`: the 99 cut-offs of revenue for 1 to 99 %, ascending; empty: not ranked.
    """

    generation: int = 0
    arr_percentiles: tuple[float, ...] = ()
    programs: tuple[Program, ...] = ()
    reads: frozenset[str] = field(init=False, compare=False)
    """The words that audiences of programs read."""

    def __post_init__(self) -> None:
        read = frozenset[str]().union(*(program.reads for program in self.programs))
        object.__setattr__(self, "reads", read)
