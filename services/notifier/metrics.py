"""The metrics of the notifier, besides those of every service."""

from typing import Final

from services.chassis.metric_catalogue import MetricGroup

NOTIFIER: Final = MetricGroup("notifier")
# Counted when written, so a transaction that is rolled back and repeated counts twice.
FINISHED: Final = NOTIFIER.counter(
    "drumbeat_deliveries_total",
    "Deliveries brought to a final state",
    ["channel", "state"],
    unit="deliveries",
)
UNTOLD: Final = NOTIFIER.counter(
    "drumbeat_untold_total",
    "Touchpoints of which nobody could be told: neither a manager nor a mailbox",
    unit="touchpoints",
)
BUDGET_DEFERRALS: Final = NOTIFIER.counter(
    "drumbeat_contact_budget_deferrals_total",
    "Messages that found no room in a contact budget",
    ["budget"],
    unit="messages",
)
ENDPOINTS_FAILING: Final = NOTIFIER.gauge(
    "drumbeat_endpoints_failing",
    "Endpoints that have not answered since their last failure",
    unit="endpoints",
)
ENDPOINTS_DISABLED: Final = NOTIFIER.counter(
    "drumbeat_endpoints_disabled_total",
    "Endpoints that were disabled, for they failed for days or are gone",
    unit="endpoints",
)
