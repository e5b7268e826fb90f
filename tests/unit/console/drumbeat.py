"""The `drumbeat` command, run in the process of the test."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from services.console.cli import main


@dataclass(frozen=True, slots=True)
class Result:
    """The exit code and what was printed. `error_text`: standard error without frames and line breaks."""

    code: object
    out: str
    err: str

    @property
    def error_text(self) -> str:
        return " ".join(self.err.replace("│", " ").split())


def drumbeat(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Result:
    with pytest.raises(SystemExit) as done:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return Result(done.value.code, out, err)
