"""Records of `audit.entries`: entries and uses of keys are read by their type."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.audit import AUDIT_RECORDED, KEY_USED, AuditEntry, KeyUsed
from schemas.problems import Malformed
from services.chassis import audit, key_usage
from services.chassis.dead_letters import Record
from services.rules_engine.entrypoints.audit_consumer import latest_uses, read_report

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
MOMENTS = st.integers(0, 100).map(lambda seconds: NOW + timedelta(seconds=seconds))


def record(type_: str, data: dict[str, object]) -> Record:
    headers = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/drumbeat/scheduler", "ce_type": type_}
    headers |= {
        "ce_subject": "scheduler",
        "ce_time": "2026-03-02T10:00:00Z",
        "content-type": "application/json",
    }
    packed = tuple((name, value.encode()) for name, value in headers.items())
    return Record(audit.TOPIC, 0, 1, b"scheduler", json.dumps(data).encode(), packed, 0)


def test_the_chassis_writes_the_types_of_the_schemas() -> None:
    assert (audit.TYPE, key_usage.TYPE, audit.TOPIC) == (AUDIT_RECORDED, KEY_USED, key_usage.TOPIC)


def test_a_record_is_an_entry_a_report_of_uses_or_refused() -> None:
    used = read_report(
        record(KEY_USED, {"service": "scheduler", "used": {"0123abcd": "2026-03-02T10:00:00Z"}})
    )
    assert used == KeyUsed(service="scheduler", used={"0123abcd": NOW})
    fields = {
        "id": "e",
        "at": "2026-03-02T10:00:00Z",
        "service": "scheduler",
        "actor": "a",
        "action": "b.c",
        "object": "d/e",
    }
    assert isinstance(read_report(record(AUDIT_RECORDED, {**fields})), AuditEntry)
    with pytest.raises(Malformed):
        read_report(record(KEY_USED, {"service": "elsewhere", "used": {}}))
    with pytest.raises(Malformed):
        read_report(record("drumbeat.plan.adjusted.v1", {**fields}))


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), MOMENTS), max_size=5))
def test_the_latest_use_counts_whatever_the_order_of_the_reports(uses: list[dict[str, datetime]]) -> None:
    reports = [KeyUsed(service="scheduler", used=each) for each in uses]
    latest = latest_uses(reports)
    assert latest == latest_uses(reversed(reports))
    assert latest == {key: max(each[key] for each in uses if key in each) for each in uses for key in each}
