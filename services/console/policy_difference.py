"""`drumbeat policy diff`: what another policy changes, for the accounts of a deployment or of a file of events."""
# ruff: noqa: FBT002 - flags of commands

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, cast

import typer

from schemas.times import parse_instant
from services.cadence.account.event_file import read_event_file
from services.cadence.evaluation.policy_diff import Difference, Period
from services.cadence.policy.load import PolicyRefused, file_name, load_policy, policy_texts
from services.console import labels
from services.console.client import connect
from services.console.json_fields import Json, items, nested, number, text
from services.console.policy_explain import At, PolicyPath, RatesPath, evaluation_time, portfolio_at
from services.console.terminal import AsJson, InputFile, print_json, print_table, print_text, read_input

_ACCOUNTS_SHOWN: Final = 20
_COMPARISON_SECONDS: Final = 120.0  # it waits for its turn and takes up to twenty seconds
_AMOUNTS: Final = (
    *(("before", ",.1f"), ("after", ",.1f"), ("difference", "+,.1f")),
    *(("minutes_before", ",.0f"), ("minutes_after", ",.0f"), ("minutes_difference", "+,.0f")),
)
OptionalFacts = Annotated[
    InputFile | None,
    typer.Option(
        parser=read_input,
        metavar="FILE",
        help="Events, as for `drumbeat events post`, instead of a deployment; - reads standard input.",
    ),
]
NewPolicy = Annotated[
    Path | None,
    typer.Argument(exists=True, metavar="[NEW]", help="The policy to compare with it; only with --facts."),
]
app = typer.Typer()


@app.command("diff")
def diff_policies(  # noqa: PLR0913, PLR0917 - options of a command
    path: PolicyPath,
    new: NewPolicy = None,
    facts: OptionalFacts = None,
    at: At = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Count touchpoints over this many days.")] = 90,
    rates: RatesPath = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show every account that changes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a policy changes: for which accounts, how many touchpoints, how many CSM minutes.

    `diff PATH` compares it with the policy in force, for the accounts of the deployment, as of now. `diff OLD NEW
    --facts FILE` compares two policies for the accounts of a file and needs no deployment.
    """
    if facts is None:
        if new is not None or at is not None:
            raise typer.BadParameter(
                "OLD, NEW and --at need --facts FILE; without it, one policy is compared with the one in force"
            )
        document = _compare_with_deployment(path, days)
    elif new is None:
        raise typer.BadParameter("--facts needs two policies: OLD and NEW")
    else:
        document = _compare_on_file(path, new, facts, (at, days, rates))
    if as_json:
        print_json(document)
    else:
        _print_difference(document, None if show_all else _ACCOUNTS_SHOWN)


def _compare_with_deployment(path: Path, days: int) -> Json:
    try:
        files = {file_name(file): source for file, source in policy_texts(path).items()}
    except PolicyRefused as unreadable:
        raise typer.BadParameter(str(unreadable)) from unreadable
    with connect() as api:
        return api.send(
            "POST",
            "rules_engine",
            "/v1/policies/diff",
            {"files": files, "days": days},
            seconds=_COMPARISON_SECONDS,
        )


def _compare_on_file(
    old: Path, new: Path, facts: InputFile, options: tuple[datetime | None, int, Path | None]
) -> Json:
    at, days, rates = options
    events = read_event_file(facts.content, facts.name)
    period = Period(evaluation_time(at, events), days)
    difference = Difference(load_policy(old), load_policy(new), period, listed=None)
    portfolio = portfolio_at(difference.old, events, rates)
    for account_id in sorted(events.account_states):
        difference.compare(events.account_states[account_id], portfolio)
    return difference.document()


def _print_difference(document: Json, limit: int | None) -> None:
    accounts = items(document, "accounts")
    for account in accounts[:limit]:
        print_text(f"{text(account, 'account_id')} ({text(account, 'segment')})")
        for change in items(account, "changes"):
            print_text(f"  {text(change, 'text')}")
    changed, listed = number(document, "changed"), len(accounts[:limit])
    if changed > listed:
        all_shown = "; --all shows them" if len(accounts) == changed else ""
        print_text(f"and {labels.count(changed - listed, 'more account')}{all_shown}")
    totals = cast("dict[str, dict[str, float]]", nested(document, "totals"))
    rows = [(kind, *_amounts(total)) for kind, total in totals.items() if total["before"] or total["after"]]
    whole = cast("dict[str, float]", nested(document, "all"))
    columns = ("touchpoints", "old", "new", "difference", "CSM minutes old", "new", "difference")
    print_table("\nTotals", columns, [*rows, ("all", *_amounts(whole))], numeric=True)
    print_text(_summary(document))


def _summary(document: Json) -> str:
    at, compared = document.get("at"), number(document, "compared")
    now = at if isinstance(at, datetime) else parse_instant(str(at))
    changed, moved = number(document, "changed"), number(document, "moved")
    accounts, undecided = labels.count(compared, "account"), number(document, "undecided")
    sentences = [
        f"\n{changed} of {accounts} change; {moved} to another segment or stage",
        f"{labels.count(undecided, 'account')} could not be evaluated" if undecided else "",
        f"only the first {accounts} were compared" if document.get("sample") else "",
        f"counted over {labels.count(number(document, 'days'), 'day')} from {now:%Y-%m-%d %H:%M} UTC",
    ]
    return "\n".join(filter(None, sentences))


def _amounts(total: dict[str, float]) -> tuple[str, ...]:
    return tuple(f"{total[name]:{number_format}}" for name, number_format in _AMOUNTS)
