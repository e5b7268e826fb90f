"""Write the files that are made of the code: `python -m services.devstack.generated_files`; with `--check` only compare.

One process makes all of them: most of the time goes into the imports of the services, which they share.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import orjson

from schemas import catalogue, generate
from services.cadence.policy.json_schema import schema_text
from services.chassis.openapi_export import openapi_document
from services.chassis.scope_table import write_page
from services.console import main as console
from services.console.policy_pages.content import content_reference
from services.console.policy_pages.reference import policy_reference
from services.console.policy_pages.requirements import shipped_requirements
from services.devstack.metrics_page import metrics_page
from services.notifier import main as notifier
from services.rules_engine import main as rules_engine
from services.scheduler import main as scheduler

ROOT: Final = Path(__file__).resolve().parents[2]
GENERATED: Final = "schemas/generated"
APPS: Final = {
    "rules_engine": rules_engine.openapi_app,
    "scheduler": scheduler.openapi_app,
    "notifier": notifier.openapi_app,
    "console": console.openapi_app,
}


def generated_files() -> Mapping[str, bytes]:
    """Path below the repository -> content, of every generated file."""
    documents = {service: openapi_document(make_app()) for service, make_app in APPS.items()}
    schemas = {f"{GENERATED}/{name}": text for name, text in generate.documents().items()}
    pages = {
        f"{GENERATED}/policy.schema.json": schema_text(),
        "docs/policy.md": policy_reference(),
        "docs/requirements.md": shipped_requirements(),
        "docs/content.md": content_reference(),
        "docs/events.md": catalogue.page(),
        "docs/metrics.md": metrics_page(),
        "docs/scopes.md": write_page({service: orjson.loads(each) for service, each in documents.items()}),
    }
    openapi = {f"{GENERATED}/openapi/{service}.json": document for service, document in documents.items()}
    return openapi | {path: text.encode() for path, text in (schemas | pages).items()}


def find_stale(root: Path, files: Mapping[str, bytes]) -> list[str]:
    """The sorted paths below the root that are missing, differ, or are generated no more."""
    existing = {path.relative_to(root).as_posix() for path in (root / GENERATED).rglob("*") if path.is_file()}
    differing = {path for path, content in files.items() if _read(root / path) != content}
    return sorted(differing | (existing - files.keys()))


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Returns the exit code: 1 when `--check` finds files that are out of date, else 0."""
    parser = argparse.ArgumentParser(prog="python -m services.devstack.generated_files", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and list what is stale")
    is_check = bool(parser.parse_args(arguments).check)
    files = generated_files()
    stale = find_stale(root, files)
    for path in stale:
        if not is_check:
            _bring_up_to_date(root / path, files.get(path))
        sys.stdout.write(f"{'stale' if is_check else 'written'}: {path}\n")
    if stale and is_check:
        sys.stdout.write("run `make generate` and commit what it writes\n")
    return int(is_check and bool(stale))


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _bring_up_to_date(path: Path, content: bytes | None) -> None:
    """None: the file is generated no more."""
    if content is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
