"""`drumbeat export`: tables for a spreadsheet, and everything that is stored of a person."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer

from services.chassis.clock import real_now
from services.chassis.settings import load_settings
from services.console.client import ApiClient, CallFailed, Service, connect
from services.console.contact_data import EXPORT_TIMEOUT_SECONDS, account_ids, contact_document, data_path
from services.console.json_fields import Json
from services.console.terminal import print_text

app = typer.Typer(no_args_is_help=True, help="Export tables, or everything that is stored of a person.")
KINDS: Final = ("accounts", "contacts", "contracts", "csms")
Target = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Absent: standard output.")]


def _add_table(kind: str) -> None:
    @app.command(kind, help=f"Export {kind} as a table (CSV) that `drumbeat import` reads back.")
    def export_table(file: Target = None) -> None:
        with connect() as api:
            _write(file, api.download("rules_engine", f"/v1/exports/{kind}"))
        if file is not None:
            print_text(f"{file}: {kind} exported")


for _kind in KINDS:
    _add_table(_kind)


@app.command("person")
def export_person(
    contact_id: Annotated[str, typer.Argument(metavar="CONTACT")],
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Only its owner can read it. Absent: standard output.")
    ] = None,
) -> None:
    """Export everything that all services store of a contact, as one JSON document. The audit log records it."""
    with ApiClient(load_settings(), EXPORT_TIMEOUT_SECONDS) as api:
        document = _collect(api, contact_id)
    if document is None:
        raise CallFailed(f"No service stores anything of a contact {contact_id!r}.", 404)
    _write(file, [orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)])
    if file is not None:
        print_text(f"{file}: everything that is stored of {contact_id}")


def _collect(api: ApiClient, contact_id: str) -> Json | None:
    path = data_path(contact_id)
    engine, notifier = _find(api, "rules_engine", path), _find(api, "notifier", path)
    accounts = account_ids(engine, notifier)
    scheduler = _find(api, "scheduler", path, accounts) if accounts else None
    answers: dict[Service, Json | None] = {
        "rules_engine": engine,
        "scheduler": scheduler,
        "notifier": notifier,
    }
    return contact_document(contact_id, real_now(), answers)


def _find(api: ApiClient, service: Service, path: str, accounts: list[str] | None = None) -> Json | None:
    """None where the service stores nothing of the contact. Raises `CallFailed`."""
    try:
        return api.get(service, path, account_id=accounts)
    except CallFailed as failed:
        if failed.status == 404:
            return None
        raise


def _write(file: Path | None, chunks: Iterable[bytes]) -> None:
    """To standard output, or to a file that is written whole or not at all."""
    if file is None:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return
    new = file.with_name(f"{file.name}.new")
    try:
        with open(new, "wb", opener=_private) as target:
            for chunk in chunks:
                target.write(chunk)
        new.replace(file)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be written ({error.strerror})") from error
    finally:
        new.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    """What is exported is about people: nobody but the owner of the file reads it."""
    return os.open(path, flags, 0o600)
