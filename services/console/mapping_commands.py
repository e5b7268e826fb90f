"""`drumbeat mapping`: check a mapping file of webhooks, and see which facts a sample of a body leads to."""
# ruff: noqa: FBT002 - flags of commands

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from schemas.problems import Malformed
from schemas.times import format_instant
from services.chassis.clock import real_now
from services.connectors.batch import read_batch
from services.connectors.lookups import lookup_of
from services.connectors.mapping.facts import map_item
from services.connectors.mapping.load import SHIPPED, load_mapping, shipped_sources
from services.connectors.mapping.model import MappedFact, MappedItem, SourceMapping
from services.connectors.sources.items import Item
from services.console import labels
from services.console.terminal import AsJson, InputFile, print_json, print_text, read_input

app = typer.Typer(no_args_is_help=True, help="Check how webhooks of other systems become facts.")
MappingFile = Annotated[
    str, typer.Argument(metavar="FILE", help=f"A mapping file, or a source: {', '.join(shipped_sources())}.")
]
Sample = Annotated[
    InputFile,
    typer.Argument(
        parser=read_input, metavar="SAMPLE", help="The body of a request, as it came; - reads standard input."
    ),
]


@app.command("test")
def show_facts(file: MappingFile, sample: Sample, as_json: AsJson = False) -> None:
    """Print the facts that a body leads to, and what of it is not mapped. Nothing is sent, no signature is checked.

    Exit code 1 when a fact is refused or none comes out.
    """
    mapping = _load(file)
    try:
        items = read_batch(mapping, sample.content).items
    except Malformed as problem:
        raise typer.BadParameter(f"{sample.name}: {problem}") from problem
    mapped = [map_item(mapping, item, real_now()) for item in items]
    if as_json:
        print_json({"items": [_document(each) for each in mapped]})
    else:
        for item, each in zip(items, mapped, strict=True):
            for line in _lines(mapping, item, each):
                print_text(line)
    if any(each.problems for each in mapped) or not any(each.facts for each in mapped):
        raise typer.Exit(1)


@app.command("check")
def check_mapping(file: MappingFile) -> None:
    """Check a mapping file, with every mistake at once. Exit code 1 when there is one."""
    mapping = _load(file)
    print_text(f"{file}: {labels.count(len(mapping.facts), 'fact')}, no mistake")


def _load(file: str) -> SourceMapping:
    """A mapping file, or the shipped one of a source. Raises MappingRefused."""
    return load_mapping(SHIPPED / f"{file}.yaml" if file in shipped_sources() else Path(file))


def _document(item: MappedItem) -> dict[str, object]:
    return {
        "id": item.id,
        "facts": [
            {
                "type": fact.type,
                "account": fact.account.external_id if fact.account.external_system else fact.account.id,
                "id": fact.id,
                "time": format_instant(fact.time.astimezone(UTC)),
                "data": dict(fact.data),
            }
            for fact in item.facts
        ],
        "problems": list(item.problems),
        "unmapped": list(item.unmapped),
    }


def _lines(mapping: SourceMapping, item: Item, mapped: MappedItem) -> Iterator[str]:
    yield f"item {mapped.id}"
    for fact in mapped.facts:
        yield f"  {_title(fact)}"
        yield from (f"    {name}: {_shown(value)}" for name, value in fact.data.items())
    if (lookup := lookup_of(mapping, item)) is not None:
        yield f"  asks the provider, with a token: GET {lookup.path.partition('?')[0]}"
    yield from (f"  refused: {problem}" for problem in mapped.problems)
    yield from (f"  not mapped: {name}" for name in mapped.unmapped)


def _title(fact: MappedFact) -> str:
    kind = fact.type.removeprefix("drumbeat.").removesuffix(".v1")
    account = f"the account {fact.account.id}"
    if fact.account.external_system:
        account = f"the account that {fact.account.external_system} knows as {fact.account.id}"
    return f"{kind} of {account} at {_stamp(fact.time)}"


def _stamp(moment: datetime) -> str:
    return format_instant(moment.astimezone(UTC))


def _shown(value: object) -> str:
    return "null" if value is None else str(value)
