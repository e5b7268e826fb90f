"""The shipped policy with further keys at some of its touchpoint types, for stories about those keys."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.cadence.policy.load import SHIPPED

CATALOGUE = "60-catalogue.yaml"


def edited_policy(folder: Path, keys: Mapping[str, Sequence[str]]) -> Path:
    """A copy in this folder; `keys`: lines such as `approve: true` by touchpoint type."""
    target = folder / "policy"
    shutil.copytree(SHIPPED, target)
    catalogue = target / CATALOGUE
    text = catalogue.read_text()
    for touchpoint_type, lines in keys.items():
        heading = f"\n  {touchpoint_type}:\n"
        assert text.count(heading) == 1, f"{touchpoint_type} is not one type of {CATALOGUE}"
        text = text.replace(heading, heading + "".join(f"    {line}\n" for line in lines))
    catalogue.write_text(text)
    return target
