"""A table that cannot be read at all: why, and in which line and column."""


class TableRefused(Exception):
    """The message says what is wrong and what to do. `line`: of the file, from 1; `column`: its name in the header."""

    def __init__(self, problem: str, *, line: int | None = None, column: str | None = None) -> None:
        super().__init__(problem if line is None else f"line {line}: {problem}")
        self.problem = problem
        self.line = line
        self.column = column
