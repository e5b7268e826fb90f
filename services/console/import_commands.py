"""`drumbeat import`: tables of other tools."""
# ruff: noqa: FBT002 - flags of commands

import json
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from services.connectors.tables.refusal import TableRefused
from services.console import labels
from services.console.client import ApiClient, connect
from services.console.json_fields import Json, items, number
from services.console.posting_progress import Posted, ProgressFile
from services.console.sending_progress import begin_or_resume, say_how_to_resume, show_bar
from services.console.table_parts import TablePart, pinned_options, table_parts
from services.console.table_report import print_check, print_refused, print_warnings
from services.console.terminal import AsJson, InputFile, print_json, print_text, read_input

app = typer.Typer()
KindName = Literal["accounts", "contacts", "contracts", "csms"]
Kind = Annotated[
    KindName | None, typer.Option(help="What the rows are; else the columns and the file's name say it.")
]
Mapped = Annotated[
    list[str],
    typer.Option(
        "--map", metavar="COLUMN=FIELD", help="Read a column as this field; nothing after = ignores it."
    ),
]
_MOST_LISTED: Final = 10_000


Dates = Annotated[Literal["dmy", "mdy"] | None, typer.Option(help="Of dates that can be read in two ways.")]
Decimals = Annotated[Literal["point", "comma"] | None, typer.Option(help="What decimals follow.")]
Zone = Annotated[str, typer.Option(help="The time zone of times without one.")]
Encoding = Annotated[str | None, typer.Option(help="Such as windows-1252; else it is found.")]
Empty = Annotated[Literal["keep", "clear"], typer.Option(help="What an empty cell does to the field.")]
AsOf = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="When the file was right, like 2026-03-31T09:30:00Z; else now."),
]
Table = Annotated[
    InputFile,
    typer.Argument(
        parser=read_input, metavar="FILE.csv", help="A table; - reads standard input, with --yes."
    ),
]


@app.command("import")
def import_file(  # noqa: PLR0913, PLR0917 - options of a command
    file: Table,
    kind: Kind = None,
    mapped: Mapped = [],  # noqa: B006 - typer makes a new one
    dates: Dates = None,
    numbers: Decimals = None,
    zone: Zone = "UTC",
    encoding: Encoding = None,
    empty: Empty = "keep",
    as_of: AsOf = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Import without a simulation and a question.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import accounts, contacts, contracts or CSMs from a table (CSV). Exit code 1 when a row is refused.

    First the whole file is checked and the next 30 days are simulated; then it asks. The same file again changes nothing.
    """
    _check_use(file, yes=yes, dry_run=dry_run, as_json=as_json)
    options = {
        "kind": kind, "mapping": _mapping(mapped), "dates": dates, "numbers": numbers, "zone": zone,
        "encoding": encoding, "empty": empty, "as_of": as_of, "file_name": Path(file.name).name,
        "validate_only": "true", "simulate": str(dry_run or not yes).lower(),
    }  # fmt: skip
    with connect() as api:
        checked = api.post_table(file.content, options)
        if not as_json:
            print_check(file.name, checked)
        elif dry_run or not number(checked, "accepted"):
            print_json(checked)
        if dry_run or not number(checked, "accepted"):
            raise typer.Exit(1 if number(checked, "refused_rows") else 0)
        if not yes:
            typer.confirm("Import it?", abort=True)
        _import(api, file, checked, {"zone": zone, "empty": empty}, resume=resume, as_json=as_json)


def _check_use(file: InputFile, *, yes: bool, dry_run: bool, as_json: bool) -> None:
    if as_json and not (dry_run or yes):
        raise typer.BadParameter("--json needs --dry-run or --yes: nobody is asked")
    if file.name == "-" and not (dry_run or yes):
        raise typer.BadParameter("standard input needs --dry-run or --yes: nobody can answer")


def _import(
    api: ApiClient, file: InputFile, checked: Json, more: dict[str, str], *, resume: bool, as_json: bool
) -> None:
    refused = items(checked, "refused")
    if len(refused) >= _MOST_LISTED:
        raise typer.BadParameter(
            f"{file.name}: more than {_MOST_LISTED} cells are refused; correct the file first"
        )
    parts = _parts(file, checked)
    digest = None if file.name == "-" else sha256(file.content).hexdigest()
    progress = ProgressFile(file.name, digest, api.address_of("rules_engine"))
    posted = begin_or_resume(progress, "rows") if resume else Posted()
    total = sum(part.count for part in parts)
    answers: list[Json] = []
    query = {**pinned_options(checked), **more}
    with (
        say_how_to_resume(progress, posted, "rows"),
        show_bar(total, posted.sent, "rows", is_shown=not as_json and len(parts) > 1) as bar,
    ):
        for part in parts:
            if part.first + part.count > posted.sent:
                answers.append(_send(api, part, query, posted))
                progress.write(posted)
                bar.advance(part.count)
    progress.remove()
    _report(answers, posted, checked, as_json=as_json)


def _parts(file: InputFile, checked: Json) -> list[TablePart]:
    lines = {number(each, "line") for each in items(checked, "refused")}
    try:
        return list(table_parts(file.content, checked, lines))
    except TableRefused as refused:
        raise typer.BadParameter(f"{file.name}: {refused}") from refused


def _send(api: ApiClient, part: TablePart, query: dict[str, str], posted: Posted) -> Json:
    """Send a part; the lines of its answer are those of the file."""
    answer = api.post_table(part.content, query)
    posted.accepted += number(answer, "accepted")
    posted.sent = part.first + part.count
    for each in (*items(answer, "refused"), *items(answer, "warnings")):
        each["line"] = part.lines.get(number(each, "line"), 0)
    for each in items(answer, "refused"):
        posted.refusals.add({**each, "status": "refused"}, number(each, "line"))
    return answer


def _report(answers: list[Json], posted: Posted, checked: Json, *, as_json: bool) -> None:
    """`answers`: of the parts that this run sent."""
    late = [each for answer in answers for each in items(answer, "refused")]
    refused_rows = number(checked, "refused_rows") + sum(number(answer, "refused_rows") for answer in answers)
    unchanged = sum(number(answer, "unchanged") for answer in answers)
    if as_json:
        counts = {"accepted": posted.accepted, "unchanged": unchanged, "refused_rows": refused_rows}
        print_json({**checked, **counts, "refused": [*items(checked, "refused"), *late]})
    else:
        print_refused(late, len(late))
        for answer in answers:
            print_warnings(answer)
        print_text(
            f"{labels.count(posted.accepted, 'row')} accepted, {unchanged} of them without anything new;"
            f" {refused_rows} refused"
        )
    if refused_rows:
        raise typer.Exit(1)


def _mapping(mapped: list[str]) -> str | None:
    """`--map` as the API takes it."""
    fields: dict[str, str | None] = {}
    for each in mapped:
        column, mark, field = each.rpartition("=")
        if not mark or not column.strip():
            raise typer.BadParameter(f'--map {each!r} is no mapping; write --map "Renewal Date=renews_on"')
        fields[column.strip()] = field.strip() or None
    return json.dumps(fields, ensure_ascii=False) if fields else None
