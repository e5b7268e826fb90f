"""Load a policy: one YAML file, or one flat folder of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from services.cadence.policy.build import build_content
from services.cadence.policy.compiled import Policy, compile_policy
from services.cadence.policy.errors import Mistakes, PolicyRefused
from services.cadence.policy.model import PolicyContent
from services.cadence.policy.parse import parse_file
from services.cadence.policy.schema import REQUIRED, PolicyFile
from services.cadence.policy.scope import scope_of
from services.cadence.policy.yaml_source import read_yaml

SHIPPED = Path(__file__).with_name("shipped")
MAX_FILES = 200


def load_policy(path: Path) -> Policy:
    """Load a policy file, or the `*.yaml` files of a flat folder. Raises `PolicyRefused` with every mistake."""
    return load_policy_texts(policy_texts(path))


def policy_texts(path: Path) -> dict[str, str]:
    """File name -> text of a policy file, or of those of a flat folder without policy tests (`*_test.yaml`).

    Raises `PolicyRefused` if there is no file, or one cannot be read.
    """
    return read_texts(_files(path) if path.is_dir() else [path])


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


def _files(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.glob("*.yaml") if file.name[0] != "." and not is_test(file.name))
    misnamed = sorted(file for file in folder.glob("*.yml") if file.name[0] != ".")
    if misnamed:
        raise PolicyRefused([f"{file}: policy files end in .yaml; rename it" for file in misnamed])
    if not files:
        raise PolicyRefused([f"{folder}: no *.yaml file in this folder"])
    return files


def load_policy_texts(texts: Mapping[str, str]) -> Policy:
    """File name -> YAML text, read as one policy and compiled. Raises `PolicyRefused`."""
    return compile_policy(read_content(texts))


def read_content(texts: Mapping[str, str]) -> PolicyContent:
    """The content of the files, checked. Raises `PolicyRefused` with every mistake, in the order of the files."""
    names = sorted(name for name in texts if not is_test(name))
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
    return build_content(parsed)
