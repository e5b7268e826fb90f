"""Seeing it run: one trace from a posted event to the webhook and the mail, and what metrics and dashboards show."""

import re
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.devstack.metrics_page import GROUPS
from tests.dashboards import Sample, queries, read_samples, run_queries
from tests.otlp import Span, SpanReceiver, receiving_spans
from tests.stack import KEY, PARTS, Receiver, Stack, event, receiving, until

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(900)]

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
TRACE, STEP = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ORIGIN = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-{STEP}-01"
STRUCTURED = "application/cloudevents+json"
FROM_THE_POST_TO_THE_WEBHOOK = [
    ("notifier", "client", "POST webhook"),
    ("notifier", "consumer", "process touchpoint.events"),
    ("scheduler", "producer", "send touchpoint.events"),
    ("scheduler", "internal", "touchpoint event"),
    ("scheduler", "consumer", "process touchpoint.commands"),
    ("rules_engine", "producer", "send touchpoint.commands"),
    ("rules_engine", "consumer", "process account.signals"),
    ("rules_engine", "producer", "send account.signals"),
    ("rules_engine", "server", "POST /v1/events"),
]


async def test_one_trace_leads_from_a_posted_event_to_the_webhook_and_the_mail() -> None:
    async with _running() as (stack, spans, receiver):
        await _post_red_health(stack)
        await until(lambda: _traced(receiver), 240, "the webhook of what came due")
        for name in ("send mail", "delivery sent"):
            await until(lambda wanted=name: _named(spans, wanted), 240, f"the span {name!r}")
        _check_the_way(spans, _traced(receiver)[0])
        _check_the_mail(spans)
        _check_that_nobody_is_named(spans)
        await _check_metrics(stack)
        await _check_requests(stack)


@asynccontextmanager
async def _running() -> AsyncGenerator[tuple[Stack, SpanReceiver, Receiver]]:
    with tempfile.TemporaryDirectory(prefix="drumbeat-seeing-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with receiving_spans() as spans, receiving() as receiver:
            settings = {"DRUMBEAT_TRACING__ENDPOINT": spans.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
            async with Stack(folder, start=MONDAY, settings=settings) as stack:
                await stack.run(*PARTS)
                await stack.post("notifier", "/v1/subscriptions", {"url": receiver.url})
                account = {"name": "Acme Ltd", "arr": 50_000, "csm_id": "kim"}
                kim = {"name": "Kim", "email": "kim@example.com"}
                await stack.tell(
                    event("csm.described", "kim", kim, id="kim", time=MONDAY),
                    event("account.described", "acme", account, id="acme", time=MONDAY),
                )
                yield stack, spans, receiver


async def _post_red_health(stack: Stack) -> None:
    """An event that began in another trace, posted within one."""
    answer = await stack.client.post(
        f"{stack.processes['rules_engine'].url}/v1/events",
        json={
            **event("health.scored", "acme", {"color": "red"}, id="red", time=MONDAY),
            "traceparent": f"00-{ORIGIN}-00f067aa0ba902b7-01",
        },
        headers={"content-type": STRUCTURED, "traceparent": TRACEPARENT, "x-request-id": "from-a-test"},
    )
    assert answer.status_code == 202, answer.text
    assert answer.headers["x-request-id"] == "from-a-test"


def _traced(receiver: Receiver) -> list[str]:
    """The traceparents of the webhooks of what came due, in the trace of the post."""
    return [
        headers["traceparent"]
        for headers, body in receiver.hits
        if b'"drumbeat.touchpoint.due.v1"' in body and TRACE in headers.get("traceparent", "")
    ]


def _named(spans: SpanReceiver, name: str) -> list[Span]:
    return [span for span in spans.of(TRACE) if span.name == name]


def _check_the_way(spans: SpanReceiver, traceparent: str) -> None:
    by_id = {span.id: span for span in spans.of(TRACE)}
    step = traceparent.split("-")[2]
    way: list[Span] = []
    while step != STEP:
        way.append(by_id[step])
        step = by_id[step].parent
    # What was announced and came due at once is one step of the notifier: below the one, linked with the other.
    named = [re.sub("touchpoint (due|scheduled)", "touchpoint event", span.name) for span in way]
    found = [(span.service, span.kind, name) for span, name in zip(way, named, strict=True)]
    assert found == FROM_THE_POST_TO_THE_WEBHOOK
    webhook, applied = way[0], way[6]
    assert webhook.attributes["http.response.status_code"] == 204
    assert applied.attributes["messaging.consumer.group.name"] == "rules_engine"
    assert ORIGIN in [trace for trace, _ in applied.links]
    # Each step that stored something has its transaction, or is linked with the step whose transaction it shared.
    stored = {span.parent for span in spans.spans if span.name.startswith("transaction drumbeat_")}
    shared = {other for span in spans.spans if span.id in stored for _, other in span.links}
    assert {span.id for span in way if span.kind == "consumer"} <= stored | shared
    # A batch that was repeated is there twice, and the trace goes on from what was committed.
    assert not [span for span in way if span.is_error]


def _check_the_mail(spans: SpanReceiver) -> None:
    by_id = {span.id: span for span in spans.of(TRACE)}
    mail, sent = _named(spans, "send mail")[0], _named(spans, "delivery sent")[0]
    assert by_id[mail.parent].name == "process touchpoint.events"
    assert mail.attributes["drumbeat.outcome"] == "delivered"
    assert by_id[sent.parent].name == "process touchpoint.events"


def _check_that_nobody_is_named(spans: SpanReceiver) -> None:
    shown = " ".join(f"{span.name} {span.attributes}" for span in spans.spans)
    assert not re.search(r"kim|Kim|acme|Acme|example\.com|db_", shown)


async def _check_metrics(stack: Stack) -> None:
    """What each service shows is what the catalogue lists, and every query of the dashboards has a result over it."""
    samples: list[Sample] = []
    groups = {group.owner: group.specs for group in GROUPS}
    for name in PARTS:
        text = (await stack.client.get(f"{stack.processes[name].url}/metrics")).text
        shown = {
            family.name + ("_total" if family.type == "counter" else ""): (family.type, family.documentation)
            for family in text_string_to_metric_families(text)
            if family.name.startswith("drumbeat_") and not family.name.endswith("_created")
        }
        listed = [*groups["every service"], *groups.get(name, ())]
        assert shown == {spec.name: (spec.kind, spec.meaning) for spec in listed}, name
        found = read_samples(text, f"drumbeat-{name}")
        labels = {spec.name: {*spec.labels, "job"} for spec in listed}
        for sample in found:
            of = labels.get(sample.name) or labels[re.sub(r"_(bucket|count|sum)$", "", sample.name)]
            assert sample.labels.keys() - {"le"} == of, sample
            assert not re.search("kim|acme|example", " ".join(sample.labels.values()).lower()), sample
        samples += found
    if shutil.which("promtool") is not None:
        assert run_queries(queries(), samples, stack.folder) == ""


async def _check_requests(stack: Stack) -> None:
    """An id that is none is replaced; a request that is refused has one, too, also on the console."""
    for name in PARTS:
        url = f"{stack.processes[name].url}/v1/nothing-here"
        answer = await stack.client.get(url, headers={"x-request-id": "no id\tat all", "authorization": KEY})
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"]), name
    lines = stack.processes["rules_engine"].log.read_text()
    assert '"event": "service.started"' in lines
    assert TRACE not in lines or '"span_id"' in lines
