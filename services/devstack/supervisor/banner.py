"""What a newcomer sees once everything runs: where things are, and lines to copy."""

from services.devstack.supervisor.plan import Plan
from services.devstack.supervisor.stack import without_password

_HEALTH = (
    '{{"specversion":"1.0","id":"hello-1","source":"/me","type":"drumbeat.health.scored.v1",'
    '"subject":"acme","time":"{now}","data":{{"score":35}}}}'
)


def greeting(plan: Plan, *, bootstrap: str, database_url: str, now: str, seconds: float) -> str:
    """The text of the first screen. `now` is service now, so that the first event is not in the future."""
    settings = plan.settings
    engine, scheduler, notifier = (settings.url_of(x) for x in ("rules_engine", "scheduler", "notifier"))
    key = f'-H "Authorization: Bearer {plan.key}"'
    event = _HEALTH.format(now=now)
    return f"""
Drumbeat is ready ({seconds:.1f} s). Ctrl-C stops it; the data stays in {plan.folder.path}

  console       {settings.url_of("console")}
  rules_engine  {engine}     facts in, accounts and their plans
  scheduler     {scheduler}     the calendar
  notifier      {notifier}     deliveries, webhooks, the live stream
  Kafka         {bootstrap}
  PostgreSQL    {without_password(database_url)}
  mail          {_mail(plan)}
  API key       {plan.key_file}

A first event: the health of the account `acme` turns red

  curl -s {engine}/v1/events {key} -H "Content-Type: application/cloudevents+json" -d '{event}'

What became of it, and what is due

  curl -s "{engine}/v1/events?source=/me&id=hello-1" {key}
  curl -s "{scheduler}/v1/touchpoints?account_id=acme" {key}
  curl -s "{scheduler}/v1/touchpoints?status=due" {key}
"""


def _mail(plan: Plan) -> str:
    email = plan.settings.email
    return f"{email.host}:{email.port}" if email.host else f"kept in {plan.folder.mail_folder}, not delivered"
