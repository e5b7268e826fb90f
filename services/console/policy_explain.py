"""`drumbeat policy explain` and `diff`: evaluate policy files over a file of events, without a deployment."""
# ruff: noqa: FBT002 - flags of commands

from datetime import datetime
from pathlib import Path
from typing import Annotated, cast

import typer

from schemas.plans import OneOffItem, RhythmItem
from schemas.times import parse_instant
from services.cadence.account.event_file import EventFile, FactsRefused, read_event_file
from services.cadence.announcements import portfolio_of
from services.cadence.evaluation import Decision
from services.cadence.evaluation.policy_diff import Difference, Period
from services.cadence.explanation import Explainer, Explanation, NoSuchRule, NoSuchTouchpoint
from services.cadence.policy import Policy
from services.cadence.policy.load import load_policy
from services.cadence.portfolio import Portfolio
from services.cadence.rates import NO_RATES, load_rates
from services.console import labels
from services.console.json_fields import Json
from services.console.terminal import AsJson, InputFile, print_json, print_table, print_text, read_input

_ACCOUNTS_SHOWN = 20
_AMOUNTS = (
    *(("before", ",.1f"), ("after", ",.1f"), ("difference", "+,.1f")),
    *(("minutes_before", ",.0f"), ("minutes_after", ",.0f"), ("minutes_difference", "+,.0f")),
)


def _parse_at(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from wrong


PolicyPath = Annotated[
    Path, typer.Argument(exists=True, metavar="PATH", help="A policy file, or a flat folder of them.")
]
Facts = Annotated[
    InputFile,
    typer.Option(
        parser=read_input,
        metavar="FILE",
        help="Events, as for `drumbeat events post`; - reads standard input.",
    ),
]
At = Annotated[
    datetime | None,
    typer.Option(
        parser=_parse_at,
        metavar="TIME",
        help="Evaluate at this time, such as 2026-03-02T09:00:00Z; by default that of the newest event.",
    ),
]
RatesPath = Annotated[
    Path | None,
    typer.Option("--rates", metavar="FILE", envvar="DRUMBEAT_RATES", help="A file of exchange rates."),
]
app = typer.Typer()


@app.command("explain")
def explain_account(  # noqa: PLR0913, PLR0917 - options of a command
    path: PolicyPath,
    facts: Facts,
    account_id: Annotated[str, typer.Option("--account", metavar="ID", help="The account to explain.")],
    rule: Annotated[str, typer.Option(metavar="NAME", help="Explain why this rule fires, or why not.")] = "",
    touchpoint: Annotated[
        str,
        typer.Option(metavar="TYPE", help="Explain why this touchpoint type is planned, or why not."),
    ] = "",
    at: At = None,
    rates: RatesPath = None,
    as_json: AsJson = False,
) -> None:
    """Show an account's plan with its reasons, or explain one rule or touchpoint type."""
    if rule and touchpoint:
        raise typer.BadParameter("use --rule or --touchpoint, not both")
    policy, events = load_policy(path), read_event_file(facts.content, facts.name)
    portfolio = _portfolio(policy, events, rates)
    now = _evaluation_time(at, events)
    explainer = _explainer(policy, events, portfolio, account_id, now)
    try:
        explanation = (
            explainer.explain_rule(rule)
            if rule
            else explainer.explain_touchpoint(touchpoint)
            if touchpoint
            else None
        )
    except (NoSuchRule, NoSuchTouchpoint) as unknown:
        raise FactsRefused(str(unknown)) from unknown
    if as_json:
        answer = _plan_document(explainer.decision) if explanation is None else explanation.document()
        print_json({"account_id": account_id, "at": now, **answer})
    elif explanation is not None:
        _print_explanation(explanation)
    else:
        print_text(f"{account_id} at {now:%Y-%m-%d %H:%M} UTC")
        _print_plan(explainer.decision)


@app.command("diff")
def diff_policies(  # noqa: PLR0913, PLR0917 - options of a command
    old: PolicyPath,
    new: PolicyPath,
    facts: Facts,
    at: At = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Count touchpoints over this many days.")] = 90,
    rates: RatesPath = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show every account that changes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what another policy changes: for which accounts, how many touchpoints, how many CSM minutes."""
    events = read_event_file(facts.content, facts.name)
    period = Period(_evaluation_time(at, events), days)
    difference = Difference(load_policy(old), load_policy(new), period, listed=None)
    portfolio = _portfolio(difference.old, events, rates)
    for account_id in sorted(events.account_states):
        difference.compare(events.account_states[account_id], portfolio)
    if as_json:
        print_json(difference.document())
    else:
        _print_difference(difference, None if show_all else _ACCOUNTS_SHOWN)


def _evaluation_time(at: datetime | None, events: EventFile) -> datetime:
    """`at`, or the time of the newest event, so that the output depends on the file alone."""
    now = at or events.newest
    if now is None:
        raise FactsRefused("the file has no event to take the time from; give --at")
    return now


def _portfolio(policy: Policy, events: EventFile, path: Path | None) -> Portfolio:
    rates = NO_RATES if path is None else load_rates(path)
    return portfolio_of(events.announcements, events.account_states.values(), rates, policy.content.currency)


def _explainer(
    policy: Policy, events: EventFile, portfolio: Portfolio, account_id: str, now: datetime
) -> Explainer:
    account_state = events.account_states.get(account_id)
    if account_state is None:
        accounts = sorted(events.account_states)
        more = f" and {len(accounts) - 5} more" if len(accounts) > 5 else ""
        raise FactsRefused(
            f"there is no account {account_id!r}; this file has: {', '.join(accounts[:5])}{more}"
        )
    return Explainer(policy, account_state, portfolio, now)


def _plan_document(decision: Decision) -> Json:
    state: Json = {"segment": decision.segment, "stage": decision.stage, "color": decision.color}
    return {**state, "plan": decision.plan.model_dump(mode="json"), "suppressed": decision.suppressed}


def _print_plan(decision: Decision) -> None:
    health = f"health {decision.color}" if decision.color else "health unknown"
    print_text(f"{decision.segment}, {decision.stage}, {health}")
    print_text("\nRhythms")
    for rhythm in decision.plan.rhythms:
        _print_item(f"{rhythm.touchpoint_type} {labels.interval(rhythm.every_days)}", rhythm)
    print_text("\nTouchpoints")
    for item in decision.plan.touchpoints:
        window = f"{item.window.from_:%Y-%m-%d %H:%M} to {item.window.to:%Y-%m-%d %H:%M}"
        _print_item(f"{item.touchpoint_type} {window}", item)
    for avoid in decision.plan.avoid:
        end = "further notice" if avoid.to is None else f"{avoid.to:%Y-%m-%d}"
        print_text(f"\nAvoid from {avoid.from_:%Y-%m-%d} until {end}: {avoid.text}")
    if decision.suppressed:
        print_text("\nDid not apply")
        for stop in decision.suppressed:
            print_text(f"  {stop.rule} ({stop.touchpoint_type}): {stop.reason} [{stop.cause}]")


def _print_item(what: str, item: RhythmItem | OneOffItem) -> None:
    print_text(f"  {what}, by {labels.channel(item.channel)}, led by {labels.owner_kind(item.owner)}")
    print_text(f"    {item.reason.text} [{item.reason.rule}]")


def _print_explanation(explanation: Explanation) -> None:
    print_text(explanation.text)
    for clause in explanation.clauses:
        verdict = {True: "holds", False: "fails", None: "not evaluated"}[clause.holds]
        values = ", ".join(f"{name} = {value}" for name, value in clause.values.items())
        print_text(f"  {verdict:<14}{clause.text}   ({values})")
        for event in clause.events:
            source = f"{event.type} {event.source} {event.id} {event.time:%Y-%m-%d %H:%M} UTC"
            print_text(f"                {source}")
    for other in explanation.others:
        print_text(f"{other.rule} fires as well: {other.text}" if other.fires else other.text)


def _print_difference(difference: Difference, limit: int | None) -> None:
    for account in difference.accounts[:limit]:
        print_text(f"{account['account_id']} ({account['segment']})")
        for change in cast("list[dict[str, str]]", account["changes"]):
            print_text(f"  {change['text']}")
    hidden = len(difference.accounts[limit:]) if limit is not None else 0
    if hidden:
        print_text(f"and {labels.count(hidden, 'more account')}; --all shows them")
    totals = cast("dict[str, dict[str, float]]", difference.document()["totals"])
    whole = cast("dict[str, float]", difference.document()["all"])
    rows = [(kind, *_amounts(total)) for kind, total in totals.items() if total["before"] or total["after"]]
    columns = ("touchpoints", "old", "new", "difference", "CSM minutes old", "new", "difference")
    print_table("\nTotals", columns, [*rows, ("all", *_amounts(whole))], numeric=True)
    period = difference.period
    print_text(
        f"\n{difference.changed} of {labels.count(difference.compared, 'account')} change; "
        f"{difference.moved} to another segment or stage"
    )
    print_text(f"counted over {labels.count(period.days, 'day')} from {period.now:%Y-%m-%d %H:%M} UTC")


def _amounts(total: dict[str, float]) -> tuple[str, ...]:
    return tuple(f"{total[name]:{number_format}}" for name, number_format in _AMOUNTS)
