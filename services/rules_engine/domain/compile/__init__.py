"""Checked conditions as something that runs: one function for a whole policy, the truth of every clause, columns."""

from services.rules_engine.domain.compile.days import day_counts
from services.rules_engine.domain.compile.function import (
    Bits,
    Health,
    Judge,
    Named,
    Values,
    compile_bits,
    compile_condition,
    compile_judge,
    source,
)

__all__ = [
    "Bits",
    "Health",
    "Judge",
    "Named",
    "Values",
    "compile_bits",
    "compile_condition",
    "compile_judge",
    "day_counts",
    "source",
]
