"""How many people are missing in all, when the weeks of several hold less than they need."""

from collections.abc import Iterable
from fractions import Fraction


def find_worst_week(
    needed: Iterable[tuple[str, Iterable[str], Fraction]],
) -> tuple[Fraction, str | None]:
    """How many people are missing in the week in which most are, and that week; 0 and None where nobody is.

    `needed`: person, weeks (their names sort by time), the people needed for that person in these weeks. A person whose
    weeks need 6/5 of what they hold is 1/5 of a person short in each; one who is named twice for a week counts by the
    worse. People who are short in different weeks can help each other, so only those of one week add up.
    """
    worst: dict[tuple[str, str], Fraction] = {}
    for csm_id, weeks, headcount in needed:
        for week in weeks:
            worst[week, csm_id] = max(worst.get((week, csm_id), Fraction(0)), headcount - 1)
    missing: dict[str, Fraction] = {}
    for (week, _), people in worst.items():
        missing[week] = missing.get(week, Fraction(0)) + people
    if not missing:
        return Fraction(0), None
    week = min(missing, key=lambda week: (-missing[week], week))
    return missing[week], week
