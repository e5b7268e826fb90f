"""Rules on one event: ours beside Python by hand and two rule engines."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from services.cadence.account import Plain
from services.cadence.expressions.tree import Node, names
from tests.benchmarks.figures import Figure, ratio_of_rounds
from tests.benchmarks.rules.accounts import accounts
from tests.benchmarks.rules.engines import datalogic, zen_engine
from tests.benchmarks.rules.handwritten import hand_rules
from tests.benchmarks.rules.ours import explained, verdict
from tests.benchmarks.rules.rulebook import rulebook, trees
from tests.benchmarks.rules.timing import in_turn

SIZES = (50, 200, 500, 1_000)
BUDGETED = 50
GROWTH = (50, 500)
"""Ten times the rules must cost less than ten times the time."""
EQUAL_OVER = 300
EXPLAINED_OVER = 30

Candidate = Callable[[Mapping[str, Plain]], object]
PEERS = {
    "by hand": "a Python function a rule",
    "datalogic": "datalogic-py, one array",
    "zen": "zen-engine, one array",
}


def run(*, quick: bool) -> list[Figure]:
    """Calls a round fall with the size, so that each size takes about as long."""
    rounds, calls = (3, 50_000) if quick else (9, 200_000)
    spent = {size: _size(size, calls // size, rounds) for size in SIZES}
    figures = [figure for size in SIZES for figure in _figures(size, spent[size])]
    few, many = (spent[size]["ours"] for size in GROWTH)
    what = f"{GROWTH[1]} rules beside {GROWTH[0]}"
    ratio = ratio_of_rounds(many, few)
    return [
        *figures,
        Figure(what, median(many), median(few), ratio, "us", "ours, with a tenth of the rules", at_most=10),
    ]


def candidates(rules: Sequence[tuple[int, Node]]) -> dict[str, Candidate]:
    conditions = [tree for _, tree in rules]
    return {
        "ours": verdict(rules),
        "by hand": hand_rules(conditions),
        "datalogic": datalogic(conditions),
        "zen": zen_engine(conditions),
    }


def fired(found: object) -> int:
    """The bits of the rules that hold, whatever shape a candidate answers in."""
    if isinstance(found, int):
        return found
    assert isinstance(found, list)
    return sum(1 << bit for bit, holds in enumerate(found) if holds)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def agree(tried: Mapping[str, Candidate], given: Sequence[Mapping[str, Plain]]) -> int:
    """How many rules held in all; raises AssertionError where two candidates differ."""
    total = 0
    for account in given:
        found = {name: fired(candidate(account)) for name, candidate in tried.items()}
        assert len(set(found.values())) == 1, f"they differ over {account}: {found}"
        total += next(iter(found.values())).bit_count()
    return total


def _size(size: int, calls: int, rounds: int) -> dict[str, list[float]]:
    rules = trees(rulebook(size))
    tried = candidates(rules)
    given = accounts(calls, {name for _, tree in rules for name in names(tree)})
    held = agree(tried, given[:EQUAL_OVER])
    agree({"ours": tried["ours"], "explained": explained(rules)}, given[:EXPLAINED_OVER])
    assert held > EQUAL_OVER // 6, "rules that never hold measure nothing"
    return in_turn(tried, given, rounds=rounds)


def _figures(size: int, spent: Mapping[str, Sequence[float]]) -> list[Figure]:
    limit = 1.0 if size == BUDGETED else None
    return [
        Figure(
            f"{size} rules on one event",
            median(spent["ours"]),
            median(spent[peer]),
            ratio_of_rounds(spent["ours"], spent[peer]),
            "us",
            PEERS[peer],
            at_most=limit if peer == "by hand" else 1.0,
            more={"rounds": spent},
        )
        for peer in PEERS
    ]
