"""Many accounts at once: the same trees over NumPy columns, for comparing policies and for replaying history."""

from services.rules_engine.domain.compile.columns.judge import (
    Judged,
    compile_columns,
    compile_judge_columns,
    judged_names,
)
from services.rules_engine.domain.compile.columns.table import NULL, Columns, UnknownChoice, columns_of

__all__ = [
    "NULL",
    "Columns",
    "Judged",
    "UnknownChoice",
    "columns_of",
    "compile_columns",
    "compile_judge_columns",
    "judged_names",
]
