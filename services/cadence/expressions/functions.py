"""The functions of the expression language: over numbers, of constant cost, without clock or state."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Function:
    """`parameters`: as the reference page names them. `of_counts`: the arguments have to be counts of days."""

    name: str
    parameters: tuple[str, ...]
    description: str
    compute: Callable[[Sequence[float]], float]
    of_counts: bool = False

    @property
    def usage(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"


_ALL = (
    Function("abs", ("number",), "The number without its sign", lambda numbers: abs(numbers[0])),
    Function("min", ("number", "number"), "The smaller of two numbers", min),
    Function("max", ("number", "number"), "The larger of two numbers", max),
    Function(
        "days_between",
        ("days", "days"),
        "Whole days between the moments that two counts of days stand for; both count since, or both until",
        lambda numbers: abs(numbers[0] - numbers[1]),
        of_counts=True,
    ),
)
FUNCTIONS: Mapping[str, Function] = {function.name: function for function in _ALL}
