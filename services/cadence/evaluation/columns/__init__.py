"""Conditions over many accounts at once, as NumPy columns: for comparing policies and for replaying history."""

from services.cadence.evaluation.columns.conditions import (
    ConditionResults,
    column_names,
    compile_columns,
    compile_condition_columns,
)
from services.cadence.evaluation.columns.table import NULL, Columns, UnknownChoice, columns_of

__all__ = [
    "NULL",
    "Columns",
    "ConditionResults",
    "UnknownChoice",
    "column_names",
    "columns_of",
    "compile_columns",
    "compile_condition_columns",
]
