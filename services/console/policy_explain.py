"""`drumbeat policy explain`: evaluate policy files over a file of events, without a deployment."""
# ruff: noqa: FBT002 - flags of commands

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from schemas.plans import OneOffItem, RhythmItem
from schemas.times import parse_instant
from services.cadence.account.event_file import EventFile, FactsRefused, read_event_file
from services.cadence.announcements import portfolio_of
from services.cadence.evaluation import Decision
from services.cadence.explanation import Explainer, Explanation, NoSuchRule, NoSuchTouchpoint
from services.cadence.policy import Policy
from services.cadence.policy.load import load_policy
from services.cadence.portfolio import Portfolio
from services.cadence.rates import NO_RATES, load_rates
from services.console import labels
from services.console.json_fields import Json
from services.console.terminal import AsJson, InputFile, print_json, print_text, read_input


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
    portfolio = portfolio_at(policy, events, rates)
    now = evaluation_time(at, events)
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


def evaluation_time(at: datetime | None, events: EventFile) -> datetime:
    """`at`, or the time of the newest event, so that the output depends on the file alone."""
    now = at or events.newest
    if now is None:
        raise FactsRefused("the file has no event to take the time from; give --at")
    return now


def portfolio_at(policy: Policy, events: EventFile, path: Path | None) -> Portfolio:
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
        _print_item(f"{rhythm.touchpoint_type} {labels.interval(rhythm.every_days, rhythm.rrule)}", rhythm)
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
