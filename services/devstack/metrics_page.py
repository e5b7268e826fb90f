"""docs/metrics.md: every metric of every service."""

from collections.abc import Iterator

from services.chassis.metric_catalogue import MetricGroup
from services.chassis.telemetry import CHASSIS
from services.notifier.metrics import NOTIFIER
from services.rules_engine.metrics import RULES_ENGINE
from services.scheduler.metrics import SCHEDULER

GROUPS = (CHASSIS, RULES_ENGINE, SCHEDULER, NOTIFIER)
_HEAD = """# Metrics

What `/metrics` of each service shows, besides those of Python and the process. It asks for no key. Labels name topics,
channels, states and routes, never an account, a person or an address. A histogram has the series `_bucket`, `_sum` and
`_count`. Dashboards and alert rules: [observability](observability.md). Written by `make generate`.
"""


def _lines(group: MetricGroup) -> Iterator[str]:
    yield f"\n## Of {group.owner}\n"
    yield "| metric | type | labels | unit | meaning |"
    yield "|---|---|---|---|---|"
    for spec in sorted(group.specs):
        labels = ", ".join(f"`{label}`" for label in spec.labels)
        yield f"| `{spec.name}` | {spec.kind} | {labels} | {spec.unit} | {spec.meaning} |"


def metrics_page() -> str:
    """Markdown: a table of each service, and one of what all have."""
    return _HEAD + "\n".join(line for group in GROUPS for line in _lines(group)) + "\n"
