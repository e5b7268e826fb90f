"""The functions of the language: each over numbers, of constant cost, without clock or state."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Function:
    """`parameters` as the reference names them; `of_counts`: they are counts of days, not any numbers."""

    name: str
    parameters: tuple[str, ...]
    description: str
    of_counts: bool = False

    @property
    def usage(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"


_ALL = (
    Function("abs", ("number",), "The number without its sign"),
    Function("min", ("number", "number"), "The smaller of two numbers"),
    Function("max", ("number", "number"), "The larger of two numbers"),
    Function(
        "days_between",
        ("days", "days"),
        "Whole days between the moments that two counts of days stand for; both count since, or both until",
        of_counts=True,
    ),
)
FUNCTIONS: Mapping[str, Function] = {each.name: each for each in _ALL}
