"""Write the generated documents: `python -m schemas.generate`; with `--check` only list those that are out of date."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.asyncapi import document
from schemas.topics import MODELS

FOLDER: Final = Path(__file__).parent / "generated"
VERSION: Final = "1.0.0"
"""The version of the published messages; its major number is that of the event types."""


class _Generator(GenerateJsonSchema):
    """Omits a default of None: an absent field leaves the value unchanged, whereas null clears it."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def documents() -> Mapping[str, str]:
    """Path below the folder -> content, of all documents that this module writes."""
    schemas = {f"jsonschema/{event_type}.json": json_schema(event_type) for event_type in MODELS}
    return {"asyncapi.yaml": _async_api(), **schemas}


def json_schema(event_type: str) -> str:
    """The JSON Schema of the data of an event type."""
    schema = MODELS[event_type].model_json_schema(schema_generator=_Generator)
    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": f"urn:drumbeat:schema:{event_type}"}
    return json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n"


def stale(folder: Path) -> list[str]:
    """The sorted names of the documents in the folder that are missing, differ or are obsolete."""
    expected = documents()
    existing = {f"jsonschema/{path.name}" for path in (folder / "jsonschema").glob("*.json")}
    differing = {name for name, content in expected.items() if _read(folder / name) != content}
    return sorted(differing | (existing - expected.keys()))


def write(folder: Path) -> list[str]:
    """Bring the folder up to date. Returns the names of the documents that changed."""
    changed = stale(folder)
    expected = documents()
    for name in changed:
        path = folder / name
        if name in expected:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(expected[name], encoding="utf-8")
        else:
            path.unlink()
    return changed


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 1 when `--check` finds documents that are out of date, else 0."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 1 and list the documents that are out of date",
    )
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder of the documents")
    options = parser.parse_args(arguments)
    checking, folder = bool(options.check), Path(options.into)
    names = stale(folder) if checking else write(folder)
    for name in names:
        sys.stdout.write(f"{'out of date' if checking else 'written'}: {name}\n")
    if names and checking:
        sys.stdout.write("run `python -m schemas.generate` and commit the files\n")
    return int(checking and bool(names))


def _async_api() -> str:
    head = "# Generated from schemas/topics.py. Do not edit; run `python -m schemas.generate`.\n"
    return head + yaml.safe_dump(document(VERSION), sort_keys=False, allow_unicode=True, width=110)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
