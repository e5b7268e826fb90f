"""A hand knocks: policy tools that work on files alone."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Load = Callable[[Path], str]
Pages = Mapping[str, Callable[[], str]]


def policy(words: Sequence[str], load: Load, refused: type[Exception], pages: Pages) -> int:
    """`policy check PATH`: 0 when the policy is sound, 1 with every mistake and its place, 2 on wrong use.

    `policy NAME` prints one of the pages about policies in general.
    """
    if len(words) == 1 and words[0] in pages:
        sys.stdout.write(pages[words[0]]())
        return 0
    if len(words) != 2 or words[0] != "check":
        sys.stderr.write("usage: drumbeat policy check PATH (a policy file, or a flat folder of them)\n")
        return 2
    try:
        summary = load(Path(words[1]))
    except refused as found:
        sys.stderr.write(f"{found}\n")
        return 1
    sys.stdout.write(f"{words[1]}: {summary}\n")
    return 0
