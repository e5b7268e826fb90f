"""What `make run` prints once everything is ready: addresses, and commands to copy."""

import json
from datetime import datetime
from typing import Final

from services.chassis.database import without_password
from services.chassis.outbox import timestamp
from services.devstack.supervisor.options import RunOptions

ACCOUNT: Final = "northwind"  # of the sample


def first_event(now: datetime) -> dict[str, object]:
    """An event about an account of the sample, at service time `now`."""
    time = timestamp(now.replace(microsecond=0))
    return {
        "specversion": "1.0",
        "type": "drumbeat.health.scored.v1",
        "source": "/me",
        "id": f"hello-{time}",
        "subject": ACCOUNT,
        "time": time,
        "data": {"score": 35},
    }


def ready_text(  # noqa: PLR0913 - what a run has to show
    options: RunOptions,
    *,
    bootstrap: str,
    database_url: str,
    mode: str,
    now: datetime,
    seconds: float,
    policy: str = "that of the settings",
) -> str:
    """The text of the first screen. `now` is service time; `mode` and `policy` are in force; the start took `seconds`."""
    settings = options.settings
    engine, scheduler, notifier = (
        settings.url_of(name) for name in ("rules_engine", "scheduler", "notifier")
    )
    return f"""
Drumbeat is ready ({seconds:.1f} s). Ctrl-C stops it; the data stays in {options.folder.path}

  console       {settings.url_of("console")}
  rules_engine  {engine}     events in, accounts and their plans
  scheduler     {scheduler}     the calendar
  notifier      {notifier}     deliveries, webhooks, the live stream
  Kafka         {bootstrap}
  PostgreSQL    {without_password(database_url)}
  mail          {_mail_line(options)}
  mode          {mode}{"" if mode == "live" else ": nothing reaches customers; `drumbeat mode live` lets it"}
  policy        {policy}
  API key       {options.key_file}
{_first_steps(options, now)}"""


def _first_steps(options: RunOptions, now: datetime) -> str:
    """Commands to copy: they read the key from its file."""
    engine, scheduler = options.settings.url_of("rules_engine"), options.settings.url_of("scheduler")
    key = f'-H "Authorization: Bearer $(cat {options.key_file})"'
    event = first_event(now)
    body = json.dumps(event, separators=(",", ":"))
    return f"""
A first event: the health of the account `{ACCOUNT}` turns red

  curl -s {engine}/v1/events {key} -H "Content-Type: application/cloudevents+json" -d '{body}'

What Drumbeat did with it, and which touchpoints of the account, and of all accounts, are due

  curl -s "{engine}/v1/events?source=/me&id={event["id"]}" {key}
  curl -s "{scheduler}/v1/touchpoints?account_id={ACCOUNT}" {key}
  curl -s "{scheduler}/v1/touchpoints?status=due" {key}
"""


def _mail_line(options: RunOptions) -> str:
    email, hold = options.settings.email, options.settings.mail_hold()
    if email.host is None:
        return f"stored in {options.folder.mail_folder}, not delivered; DRUMBEAT_EMAIL__HOST names a relay that sends it"
    warning = f"; mail to customers is held: {hold}" if hold is not None else ""
    return f"{email.host}:{email.port}{warning}"
