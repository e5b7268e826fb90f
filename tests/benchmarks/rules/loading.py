"""Loading a policy from YAML: the time it takes and the memory it stays with, beside reading the YAML and engines.

Memory is that of a fresh process, before and after:

    python -m tests.benchmarks.rules.loading <candidate> <rules>
"""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import datalogic_py
import yaml
import zen

from services.cadence.policy.load import load_policy_texts
from tests.benchmarks.figures import Figure, ratio_of_rounds
from tests.benchmarks.rules.engines import format_expression, logic
from tests.benchmarks.rules.policies import shipped, texts_of
from tests.benchmarks.rules.rulebook import rulebook, trees
from tests.benchmarks.rules.timing import in_turn

SIZES = (50, 200, 1_000)
SHIPPED = 0
"""The size that stands for the delivered policy."""
PAGE = os.sysconf("SC_PAGE_SIZE")
ROOT = Path(__file__).resolve().parents[3]

Load = Callable[[None], object]


PEERS = {
    "yaml": "its YAML read by PyYAML in C",
    "datalogic": "datalogic-py, from JSON",
    "zen": "zen-engine, from JSON",
}
READING = 30.0
"""Parsing, types, nulls, ranges and compiling may cost so many times what reading the YAML costs."""
GROWTH = (50, 1_000, 25.0)
MEMORY = 2.0


def run(*, quick: bool) -> list[Figure]:
    rounds = 2 if quick else 5
    spent = {size: in_turn(loads(size), [None], rounds=rounds) for size in (*SIZES, SHIPPED)}
    figures = [figure for size in spent for figure in (*_times(size, spent[size]), _memory(size))]
    few, many, limit = GROWTH
    ours, theirs = ([each / 1000 for each in spent[size]["ours"]] for size in (many, few))
    ratio = ratio_of_rounds(ours, theirs)
    told = (
        f"{many} rules loaded beside {few}",
        median(ours),
        median(theirs),
        ratio,
        "ms",
        f"ours, {few} rules",
    )
    return [*figures, Figure(*told, at_most=limit)]


def _named(size: int) -> str:
    return f"a policy of {size} rules" if size else "the delivered policy"


def _times(size: int, spent: Mapping[str, Sequence[float]]) -> list[Figure]:
    return [
        Figure(
            f"{_named(size)}, loaded",
            median(spent["ours"]) / 1000,
            median(spent[peer]) / 1000,
            ratio_of_rounds(spent["ours"], spent[peer]),
            "ms",
            PEERS[peer],
            at_most=READING if peer == "yaml" else None,
        )
        for peer in spent
        if peer != "ours"
    ]


def _memory(size: int) -> Figure:
    """A policy of a few rules is smaller than what a process grows by anyway: those have no limit."""
    peer = "datalogic" if size else "yaml"
    ours, theirs = resident("ours", size), resident(peer, size)
    limit = MEMORY if size >= 200 else None
    return Figure(
        f"{_named(size)}, in memory", ours, theirs, ours / max(theirs, 0.1), "MB", PEERS[peer], at_most=limit
    )


def loads(size: int) -> dict[str, Load]:
    """By candidate: text to something that judges. The delivered policy has no form in the engines' languages."""
    texts = texts_of(size) if size else shipped()
    found: dict[str, Load] = {
        "ours": lambda _: load_policy_texts(texts),
        "yaml": lambda _: [yaml.compose(text, yaml.CSafeLoader) for text in texts.values()],
    }
    if size:
        conditions = [tree for _, tree in trees(rulebook(size))]
        logics = json.dumps([logic(each) for each in conditions])
        words = json.dumps([format_expression(each) for each in conditions])
        found["datalogic"] = lambda _: datalogic_py.Engine().compile(json.loads(logics))
        found["zen"] = lambda _: zen.compile_expression(f"[{', '.join(json.loads(words))}]")
    return found


def resident(candidate: str, size: int) -> float:
    """MB by which a fresh process grows when the candidate is loaded; code is loaded before."""
    command = [sys.executable, "-m", "tests.benchmarks.rules.loading", candidate, str(size)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)


def grown(load: Load, warm: Mapping[str, Load], candidate: str) -> float:
    warm[candidate](None)
    gc.collect()
    before = _resident_pages()
    kept = load(None)
    gc.collect()
    after = _resident_pages()
    del kept
    return (after - before) * PAGE / 1e6


def _resident_pages() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1])


if __name__ == "__main__":
    name, rules = sys.argv[1], int(sys.argv[2])
    print(grown(loads(rules)[name], loads(1), name))
