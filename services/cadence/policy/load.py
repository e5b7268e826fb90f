"""Load a policy: one YAML file, or one flat folder of them with its content files in `content/`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from services.cadence.content.check import check_content
from services.cadence.content.names import FOLDER, ContentName, name_of
from services.cadence.policy.build import build_content
from services.cadence.policy.compiled import Policy, compile_policy
from services.cadence.policy.contents import normalize_content, types_to_customers
from services.cadence.policy.errors import Mistakes, PolicyRefused
from services.cadence.policy.model import PolicyContent
from services.cadence.policy.parse import parse_file
from services.cadence.policy.schema import REQUIRED, PolicyFile
from services.cadence.policy.scope import scope_of
from services.cadence.policy.yaml_source import read_yaml

SHIPPED = Path(__file__).with_name("shipped")
SHIPPED_CONTENT = Path(__file__).with_name(FOLDER)
MAX_FILES = 200
MAX_CONTENT_FILES = 2_000


def load_policy(path: Path) -> Policy:
    """Load a policy file, or the `*.yaml` and content files of a folder. Raises `PolicyRefused` with every mistake."""
    return load_policy_texts(policy_texts(path))


def policy_texts(path: Path) -> dict[str, str]:
    """Path -> text of a policy file, or of those of a folder without policy tests (`*_test.yaml`).

    Raises `PolicyRefused` if there is no file, or one cannot be read.
    """
    if not path.is_dir():
        return read_texts([path])
    return read_texts([*_files(path), *sorted((path / FOLDER).rglob("*.md"))])


@cache
def shipped_contents() -> Mapping[ContentName, str]:
    """All shipped content, by name. It is in force for what a policy does not bring, so it is in no policy's hash."""
    files = sorted(SHIPPED_CONTENT.rglob("*.md"))
    named = ((name_of(str(file.relative_to(SHIPPED_CONTENT.parent))), file) for file in files)
    return {name: normalize_content(file.read_text(encoding="utf-8")) for name, file in named if name}


def read_texts(files: Iterable[Path]) -> dict[str, str]:
    """Raises `PolicyRefused` if one cannot be read."""
    texts: dict[str, str] = {}
    for file in files:
        try:
            texts[str(file)] = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyRefused([f"{file}: cannot be read: {error}"]) from error
    return texts


def is_test(file: str) -> bool:
    """Files of this name have tests of a policy."""
    return file.endswith("_test.yaml")


def file_name(path: str) -> str:
    """The name under which a policy keeps a file: `content/<language>/...` for content, else the end of its path."""
    name = name_of(path)
    return name.path if name and path.endswith(".md") else Path(path).name


def is_content(file: str) -> bool:
    """Files of this name are content, or should be."""
    return file.endswith(".md")


def _files(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.glob("*.yaml") if file.name[0] != "." and not is_test(file.name))
    misnamed = sorted(file for file in folder.glob("*.yml") if file.name[0] != ".")
    if misnamed:
        raise PolicyRefused([f"{file}: policy files end in .yaml; rename it" for file in misnamed])
    if not files:
        raise PolicyRefused([f"{folder}: no *.yaml file in this folder"])
    return files


def load_policy_texts(texts: Mapping[str, str], *, is_stored: bool = False) -> Policy:
    """File name -> text, read as one policy and compiled. Raises `PolicyRefused`.

    `is_stored`: it was checked when it came into force, maybe by an older version that knew no content: mistakes of
    content alone do not refuse it.
    """
    return compile_policy(read_content(texts, is_stored=is_stored))


def read_content(texts: Mapping[str, str], *, is_stored: bool = False) -> PolicyContent:
    """The content of the files, checked. Raises `PolicyRefused` with every mistake, in the order of the files."""
    names = sorted(name for name in texts if not is_test(name) and not is_content(name))
    if not names or len(names) > MAX_FILES:
        raise PolicyRefused([f"a policy has 1 to {MAX_FILES} files, this has {len(names)}"])
    mistakes = Mistakes()
    files = [file for name in names if (file := read_yaml(name, texts[name], mistakes))]
    absent = [section for section in REQUIRED if all((section,) not in file.nodes for file in files)]
    for section in absent if len(files) == len(names) else ():
        mistakes.add(names[0], (1, 1), f"section {section!r} is missing")
    scope = scope_of(files)
    parsed = [(file, (), parse_file(file, PolicyFile, scope)) for file in files if scope]
    mistakes.raise_any()
    content = build_content(parsed)
    written = {name: text for name, text in texts.items() if is_content(name)}
    if not is_stored:
        _check_written(content, written, mistakes)
    return replace(content, texts=_named(written))


def _check_written(content: PolicyContent, written: Mapping[str, str], mistakes: Mistakes) -> None:
    """Raises `PolicyRefused` with every mistake of content files, or for a type without content."""
    if len(written) > MAX_CONTENT_FILES:
        raise PolicyRefused(
            [f"a policy has at most {MAX_CONTENT_FILES:,} content files, this has {len(written):,}"]
        )
    places = {name: (place.file, place.line) for name, place in types_to_customers(content).items()}
    types = [touchpoint.type for touchpoint in content.touchpoints]
    for mistake in check_content(written, types, places, shipped_contents().keys()):
        mistakes.add(mistake.file, (mistake.line, mistake.column), mistake.text)
    mistakes.raise_any()


def _named(written: Mapping[str, str]) -> Mapping[ContentName, str]:
    named = ((name_of(file), text) for file, text in written.items())
    return dict(sorted((name, normalize_content(text)) for name, text in named if name))
