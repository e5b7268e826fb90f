"""Writes the generated documents: `python -m schemas.generate`; `--check` only says which are stale."""

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
"""Of the published language: the major number is that of the types."""


class _Generator(GenerateJsonSchema):
    """Says no default where it is None: an absent field is unchanged, which is not what null means."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def documents() -> Mapping[str, str]:
    """Path below the folder -> content, of every document this module owns."""
    schemas = {f"jsonschema/{event_type}.json": json_schema(event_type) for event_type in MODELS}
    return {"asyncapi.yaml": _async_api(), **schemas}


def json_schema(event_type: str) -> str:
    """The JSON Schema of the data of a type."""
    schema = MODELS[event_type].model_json_schema(schema_generator=_Generator)
    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": f"urn:drumbeat:schema:{event_type}"}
    return json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n"


def stale(folder: Path) -> list[str]:
    """Names of the documents that are missing, differ, or have no business there any more; sorted."""
    wanted = documents()
    held = {f"jsonschema/{path.name}" for path in (folder / "jsonschema").glob("*.json")}
    differing = {name for name, content in wanted.items() if _read(folder / name) != content}
    return sorted(differing | (held - wanted.keys()))


def write(folder: Path) -> list[str]:
    """Brings the folder up to date; the names of what changed."""
    changed = stale(folder)
    wanted = documents()
    for name in changed:
        path = folder / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
        else:
            path.unlink()
    return changed


def main(arguments: Sequence[str]) -> int:
    """0: all is well; 1: `--check` found stale documents."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 and name what is stale")
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder of the documents")
    options = parser.parse_args(arguments)
    checking, folder = bool(options.check), Path(options.into)
    names = stale(folder) if checking else write(folder)
    for name in names:
        sys.stdout.write(f"{'stale' if checking else 'written'}: {name}\n")
    if names and checking:
        sys.stdout.write("run `python -m schemas.generate` and commit what it writes\n")
    return int(checking and bool(names))


def _async_api() -> str:
    head = "# Generated from schemas/topics.py. Do not edit; run `python -m schemas.generate`.\n"
    return head + yaml.safe_dump(document(VERSION), sort_keys=False, allow_unicode=True, width=110)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
