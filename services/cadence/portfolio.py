"""The portfolio: what evaluations read that concerns many accounts at once.

It has a generation; after a change the sweep evaluates the accounts again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from schemas.vocabulary import ProgramKind
from services.cadence.account import Plain, Stamp
from services.cadence.rates import NO_RATES, Rates

Audience = Callable[[Mapping[str, Plain]], bool]


@dataclass(frozen=True, slots=True)
class Program:
    """A release, webinar, newsletter or event. `at`: when it ships or takes place, microseconds since 1970.

    `audience`: its compiled condition (None: all accounts), and `reads` the features it reads. `stamp`: its newest event;
    `stamps`: all that set a field of it.
    """

    id: str
    kind: ProgramKind | None
    at: int
    title: str = ""
    meaningful: bool = False
    audience: Audience | None = field(default=None, compare=False)
    reads: frozenset[str] = frozenset()
    stamp: Stamp = ""
    stamps: tuple[Stamp, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """`arr_percentiles`: the 99 cut-offs of revenue for 1 to 99%, ascending; empty: not ranked. `rates`: of exchange."""

    generation: int = 0
    arr_percentiles: tuple[float, ...] = ()
    programs: tuple[Program, ...] = ()
    rates: Rates = NO_RATES
    reads: frozenset[str] = field(init=False, compare=False)
    """The features that the audiences of programs read."""

    def __post_init__(self) -> None:
        read = frozenset[str]().union(*(program.reads for program in self.programs))
        object.__setattr__(self, "reads", read)
