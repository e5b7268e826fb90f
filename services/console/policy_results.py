"""What became of policy tests, for people and for programs."""

import json
import sys
from collections.abc import Sequence

from services.cadence.testing.runner import Failure, Outcome


def report(outcomes: Sequence[Outcome], *, as_json: bool) -> int:
    """Print the results; 0 when every test passed, else 1."""
    failed = [each for each in outcomes if each.failures]
    if as_json:
        sys.stdout.write(f"{json.dumps([_document(each) for each in outcomes], indent=2)}\n")
    else:
        for each in failed:
            place = each.case.place
            sys.stdout.write(f"{place.file}:{place.line}: {each.case.name}\n")
            sys.stdout.writelines(map(_lines, each.failures))
        count = f"{len(outcomes)} {'test' if len(outcomes) == 1 else 'tests'}"
        sys.stdout.write(f"{len(failed)} of {count} failed\n" if failed else f"{count} passed\n")
    return 1 if failed else 0


def _lines(each: Failure) -> str:
    lines = (
        f"  {each.place.file}:{each.place.line}, at {each.at:%Y-%m-%d %H:%M} UTC",
        f"    expected  {each.expected}",
        f"    came      {each.came}",
        *((f"    because   {each.why}",) if each.why else ()),
    )
    return "".join(f"{line}\n" for line in lines)


def _document(each: Outcome) -> dict[str, object]:
    place = each.case.place
    return {
        "test": each.case.name,
        "file": place.file,
        "line": place.line,
        "shows": list(each.case.shows),
        "passed": not each.failures,
        "rules": sorted(each.rules),
        "failures": [
            {
                "file": failure.place.file,
                "line": failure.place.line,
                "at": failure.at.isoformat().replace("+00:00", "Z"),
                "expected": failure.expected,
                "came": failure.came,
                "why": failure.why,
            }
            for failure in each.failures
        ],
    }
