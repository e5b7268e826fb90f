"""The metrics of the rules engine, besides those of every service."""

from typing import Final

from services.chassis.metric_catalogue import MetricGroup

RULES_ENGINE: Final = MetricGroup("rules_engine")
UNDECIDED: Final = RULES_ENGINE.gauge(
    "drumbeat_accounts_undecided",
    "Accounts that cannot be read, or for which no plan can be made",
    unit="accounts",
)
EVENTS: Final = RULES_ENGINE.counter(
    "drumbeat_events_total", "Events by what became of them", ["topic", "outcome"], unit="events"
)
WEBHOOKS: Final = RULES_ENGINE.counter(
    "drumbeat_webhooks_total",
    "Webhooks that came in, by what became of them",
    ["source", "outcome"],
    unit="requests",
)
WEBHOOK_ITEMS: Final = RULES_ENGINE.counter(
    "drumbeat_webhook_items_total",
    "What webhooks brought, by what became of it",
    ["source", "outcome"],
    unit="items",
)
PROGRAMS_UNREADABLE: Final = RULES_ENGINE.gauge(
    "drumbeat_programs_unreadable",
    "Programs that reach nobody: their audience cannot be read",
    unit="programs",
)
PROGRAMS_LEFT_OUT: Final = RULES_ENGINE.gauge(
    "drumbeat_programs_left_out",
    "Programs that reach nobody, for 500 others are nearer in time",
    unit="programs",
)
SIGN_INS: Final = RULES_ENGINE.counter(
    "drumbeat_sign_ins_total", "Attempts to sign in", ["method", "outcome"], unit="attempts"
)
