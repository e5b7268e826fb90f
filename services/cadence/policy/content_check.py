"""Check content files of a policy folder, of a folder of content, or one by one."""

from pathlib import Path
from typing import NamedTuple

from services.cadence.content.check import check_content, check_file
from services.cadence.content.mistakes import Mistake
from services.cadence.policy.contents import types_to_customers
from services.cadence.policy.load import (
    SHIPPED,
    SHIPPED_CONTENT,
    is_content,
    load_policy,
    policy_texts,
    read_content,
    read_texts,
    shipped_contents,
)


class Checked(NamedTuple):
    """`files`: how many were read; `mistakes` in order of place."""

    files: int
    mistakes: tuple[Mistake, ...]


def check_content_path(path: Path) -> Checked:
    """Check what is at a path; the shipped content is checked against the shipped policy.

    Raises `PolicyRefused` when a file cannot be read, or the YAML files of the folder are no policy.
    """
    if path.is_file():
        texts = read_texts([path])
        return Checked(1, tuple(check_file(str(path), texts[str(path)])))
    if any(path.glob("*.yaml")):
        texts = policy_texts(path)
        content = read_content(texts, is_stored=True)
        shipped = shipped_contents().keys()
    else:
        texts = read_texts(sorted(path.rglob("*.md")))
        content = load_policy(SHIPPED).content
        is_shipped = path.resolve() == SHIPPED_CONTENT
        shipped = () if is_shipped else shipped_contents().keys()
    places = {name: (place.file, place.line) for name, place in types_to_customers(content).items()}
    written = {name: text for name, text in texts.items() if is_content(name)}
    types = [touchpoint.type for touchpoint in content.touchpoints]
    return Checked(len(written), tuple(check_content(written, types, places, shipped)))
