"""What a benchmark answers: ours beside its peer, the ratio, the budget of the ratio, and whether it is held."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import orjson
from rich.console import Console
from rich.table import Table

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figure:
    """`ratio` is ours / peer. Without a budget the figure only tells."""

    what: str
    ours: float
    peer: float
    ratio: float
    unit: str
    peer_is: str
    at_least: float | None = None
    at_most: float | None = None
    more: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def met(self) -> bool | None:
        if self.at_least is not None:
            return self.ratio >= self.at_least
        return None if self.at_most is None else self.ratio <= self.at_most

    @property
    def budget(self) -> str:
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return "" if self.at_most is None else f"<= {self.at_most:g}"


def ratio_of_rounds(ours: Sequence[float], peer: Sequence[float]) -> float:
    """The median of the ratios of neighbours: what slows a whole round down falls out of it."""
    return median(one / other for one, other in zip(ours, peer, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def cpu_seconds(pid: int | None) -> float:
    """User and system time of a process and of its children, dead or alive; 0 for none."""
    if pid is None:
        return 0.0
    used = _own(pid)
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = entry.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(words[1]) == pid:
            used += (int(words[11]) + int(words[12])) / TICKS
    return used


def _own(pid: int) -> float:
    words = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return sum(int(each) for each in words[11:15]) / TICKS


def show(figures: Sequence[Figure]) -> None:
    table = Table(title="Drumbeat beside its limits and peers, in one run")
    table.add_column("what", overflow="fold")
    for name in ("ours", "peer", "ratio", "budget"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("the peer is", overflow="fold")
    for each in figures:
        verdict = {True: "[green]met[/]", False: "[bold red]MISSED[/]", None: ""}[each.met]
        table.add_row(
            each.what, number(each.ours, each.unit), number(each.peer, each.unit), f"{each.ratio:.2f}",
            each.budget, verdict, each.peer_is,
        )  # fmt: skip
    Console(width=132).print(table)


def number(value: float, unit: str) -> str:
    return f"{value:,.1f} {unit}" if unit in {"us", "ms", "MB"} else f"{value:,.0f}{unit}"


def store(figures: Sequence[Figure], path: Path, run: Mapping[str, object]) -> None:
    found = [{**asdict(each), "budget": each.budget, "met": each.met} for each in figures]
    path.write_bytes(orjson.dumps({**run, "figures": found}, option=orjson.OPT_INDENT_2) + b"\n")
