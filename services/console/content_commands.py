"""`drumbeat content`: check content files, and print the page about them."""
# ruff: noqa: FBT002 - flags of commands

from pathlib import Path
from typing import Annotated

import typer

from services.cadence.policy.content_check import check_content_path
from services.cadence.policy.load import SHIPPED_CONTENT
from services.console import content_preview, labels
from services.console.policy_pages.content import content_reference
from services.console.terminal import AsJson, print_json, print_text

app = typer.Typer(no_args_is_help=True, help="Check and preview what customers and owners read.")
app.add_typer(content_preview.app)
ContentPath = Annotated[
    Path,
    typer.Argument(
        exists=True,
        show_default=False,
        help="A policy folder with `content/`, a folder of content, or one file; by default the shipped content.",
    ),
]


@app.command("check")
def check_content_files(path: ContentPath = SHIPPED_CONTENT, as_json: AsJson = False) -> None:
    """Check content files, with every mistake at once. Exit code 1 when there is one."""
    files, mistakes = check_content_path(path)
    if as_json:
        errors = [
            {"file": each.file, "line": each.line, "column": each.column, "message": each.text}
            for each in mistakes
        ]
        print_json({"valid": not mistakes, "files": files, "errors": errors})
    else:
        for mistake in mistakes:
            typer.echo(str(mistake), err=True)
        found = labels.count(len(mistakes), "mistake") if mistakes else "no mistake"
        print_text(f"{path}: {labels.count(files, 'content file')}, {found}")
    if mistakes:
        raise typer.Exit(1)


@app.command("reference")
def print_content_reference() -> None:
    """Print the page about content as Markdown: files, front matter, placeholders."""
    typer.echo(content_reference(), nl=False)
