"""`drumbeat webhooks`: subscriptions of endpoints to touchpoint events, and what was delivered to them."""
# ruff: noqa: FBT002 - flags of commands

from typing import Annotated
from urllib.parse import quote, urlencode

import typer

from services.console.client import connect
from services.console.json_fields import Json, items, nested, number, text, texts
from services.console.terminal import AsJson, print_json, print_table, print_text
from services.console.touchpoint_commands import DATE, check_moment

app = typer.Typer(no_args_is_help=True, help="Webhooks: endpoints that get touchpoint events.")
Webhook = Annotated[
    str, typer.Argument(metavar="ID", help="The id of a subscription, from `drumbeat webhooks list`.")
]


@app.command("list")
def list_webhooks(as_json: AsJson = False) -> None:
    """List the subscriptions, oldest first, and what keeps one from getting its events."""
    with connect() as api:
        found = list(api.list_all("notifier", "/v1/subscriptions"))
    if as_json:
        print_json({"items": found})
        return
    rows = [
        (each.get("id"), _state(each), _types(each), _conditions(each), each.get("url")) for each in found
    ]
    print_table("Webhooks", ("id", "state", "types", "only if", "url"), rows)


@app.command("add")
def add_webhook(
    url: Annotated[str, typer.Argument(metavar="URL", help="The address of the endpoint.")],
    event: Annotated[
        list[str] | None,
        typer.Option(
            "--type", metavar="TYPE", help="An event type; repeatable. Without: all about touchpoints."
        ),
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            "--only-if",
            metavar="FIELD=VALUE",
            help="Only events with this value, such as csm_id=ana; repeatable, several values of a field are choices.",
        ),
    ] = None,
    contact: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Who gets mail when the endpoint keeps failing.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The automation platform that this is, for `hand_off`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Subscribe an endpoint. The secret that signs its events is shown once."""
    body: Json = {"url": url, "types": event or [], "filter": _filter(condition or [])}
    body |= {key: value for key, value in {"contact": contact, "name": name}.items() if value is not None}
    with connect() as api:
        made = api.send("POST", "notifier", "/v1/subscriptions", body)
    if as_json:
        print_json(made)
        return
    print_text(f"Subscription {text(made, 'id')}. Its secret, which is not shown again:")
    print_text(text(made, "secret"))
    print_text(f"`drumbeat webhooks test {text(made, 'id')}` sends it a test event.")


@app.command("remove")
def remove_webhook(webhook: Webhook, as_json: AsJson = False) -> None:
    """End a subscription."""
    with connect() as api:
        api.send("DELETE", "notifier", _path(webhook))
    if as_json:
        print_json({"removed": webhook})
    else:
        print_text("The subscription is removed.")


@app.command("test")
def send_test_event(webhook: Webhook, as_json: AsJson = False) -> None:
    """Send a test event now. Exit code 1 when the endpoint does not take it."""
    with connect() as api:
        outcome = api.send("POST", "notifier", _path(webhook, "test"))
    if as_json:
        print_json(outcome)
    else:
        print_text(f"{text(outcome, 'outcome')}: {text(outcome, 'detail')}".removesuffix(": "))
    if outcome.get("delivered") is not True:
        raise typer.Exit(1)


@app.command("deliveries")
def list_deliveries(
    webhook: Webhook,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Show at most this many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was sent to an endpoint, newest first, with the last answer."""
    with connect() as api:
        document = api.get("notifier", _path(webhook, "deliveries"), limit=limit)
    if as_json:
        print_json(document)
        return
    rows = [
        (
            each.get("created_at"),
            each.get("state"),
            each.get("account_id"),
            each.get("touchpoint_type"),
            len(items(each, "attempts")),
            each.get("next_at"),
            each.get("reason"),
        )
        for each in items(document)
    ]
    print_table("Deliveries", ("made", "state", "account", "touchpoint", "tries", "next try", "why"), rows)


@app.command("recover")
def recover_webhook(
    webhook: Webhook,
    since: Annotated[
        str,
        typer.Option(
            metavar="MOMENT",
            help="What was made since then: RFC 3339 with a zone, or a date: since it began in UTC.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Send again what failed since then, and enable the endpoint. Exit code 1 when some is not kept any more."""
    check_moment(since)
    moment = f"{since}T00:00:00Z" if DATE.fullmatch(since) else since
    path = f"{_path(webhook, 'recover')}?{urlencode({'since': moment})}"
    recovered = 0
    with connect() as api:
        answer = api.send("POST", "notifier", path)
        recovered += number(answer, "recovered")
        while number(answer, "remaining") and number(answer, "recovered"):
            answer = api.send("POST", "notifier", path)
            recovered += number(answer, "recovered")
    if as_json:
        print_json({**answer, "recovered": recovered})
    else:
        print_text(" ".join(filter(None, (f"{recovered} are sent again.", text(answer, "detail")))))
    if number(answer, "lost"):
        raise typer.Exit(1)


@app.command("enable")
def enable_webhook(webhook: Webhook, as_json: AsJson = False) -> None:
    """Enable a disabled endpoint. What failed meanwhile is sent again by `recover` only."""
    with connect() as api:
        item = api.send("POST", "notifier", _path(webhook, "enable"))
    if as_json:
        print_json(item)
    else:
        print_text(f"The subscription is {_state(item)}.")


def _path(webhook: str, *action: str) -> str:
    return "/".join(("/v1/subscriptions", quote(webhook, safe=""), *action))


def _filter(conditions: list[str]) -> dict[str, list[str]]:
    """`csm_id=ana` as the API takes it. Raises `typer.BadParameter`."""
    chosen: dict[str, list[str]] = {}
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not (name and equals and value):
            raise typer.BadParameter(f"--only-if {condition}: write FIELD=VALUE, such as csm_id=ana")
        chosen.setdefault(name, []).append(value)
    return chosen


def _state(subscription: Json) -> str:
    if subscription.get("active") is not True:
        return f"disabled: {text(subscription, 'disabled_reason') or 'by hand'}"
    if subscription.get("failing_since"):
        return f"failing since {text(subscription, 'failing_since')[:16].replace('T', ' ')}"
    return "active"


def _types(subscription: Json) -> str:
    names = [name.removeprefix("drumbeat.").removesuffix(".v1") for name in texts(subscription, "types")]
    return ", ".join(names) or "all"


def _conditions(subscription: Json) -> str:
    chosen = nested(subscription, "filter")
    return "; ".join(f"{name}={','.join(texts(chosen, name))}" for name in chosen) or "-"
