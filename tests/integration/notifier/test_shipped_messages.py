"""The shipped content through the running services: each message names the facts of its account, in its language."""

import tempfile
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.stack import Stack, event, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
]

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BODY = {"en": "Three customers tell how they did it.", "de": "Drei Kunden erzählen, wie es ging."}
PROGRAMS: Mapping[str, Mapping[str, object]] = {
    "newsletter": {"title": "News of March", "at": "2026-03-01T09:00:00Z"},
    "webinar": {"title": "Reports for all", "at": "2026-03-16T15:00:00Z"},
    "event": {"title": "Customer day", "at": "2026-03-28T08:00:00Z"},
    "release": {"title": "Reports in one click", "at": "2026-02-28T08:00:00Z", "meaningful": True},
}


def facts() -> list[dict[str, Any]]:
    stark: dict[str, object] = {
        "name": "Stark",
        "arr": 250_000,
        "currency": "USD",
        "csm_id": "kim",
        "sales_id": "sam",
    }
    tony = {"contact_id": "tony", "name": "Tony Maras", "email": "tony@stark.example", "role": "champion"}
    contract = {
        "contract_id": "c1",
        "status": "active",
        "starts_on": "2025-04-01",
        "renews_on": "2026-04-01",
        "arr": 250_000,
        "currency": "USD",
    }
    asked = {"request_id": "r1", "channel": "email"}
    met = {"channel": "call", "notes": "They want the export by April.", "initiated_by": "us"}
    kim = {"name": "Kim Okoro", "email": "kim@us.example", "phone": "+49 30 901820", "role": "csm"}
    milestone = {"milestone": "all teams on board", "kind": "success", "reached_at": "2026-02-20T10:00:00Z"}
    about = [
        event("account.described", "stark", stark, id="a", time=NOON - timedelta(days=40)),
        event("contact.described", "stark", {**tony, "timezone": "Europe/Berlin"}, id="t", time=NOON),
        event("contract.changed", "stark", contract, id="c", time=NOON - timedelta(days=39)),
        event("request.received", "stark", asked, id="r", time=NOON - timedelta(days=2)),
        event("interaction.logged", "stark", met, id="i", time=NOON - timedelta(days=3)),
        event("milestone.reached", "stark", milestone, id="m", time=NOON),
        event("csm.described", "kim", kim, id="kim", time=NOON),
        event("csm.described", "sam", {**kim, "name": "Sam Roy", "role": "sales"}, id="sam", time=NOON),
    ]
    days = [(number, 40 if number <= 30 else 32) for number in range(1, 61)]
    usage = [
        event("usage.reported", "stark", _usage(number, active), id=f"u{number}", time=NOON)
        for number, active in days
    ]
    programs = [
        event(
            "program.announced",
            "*",
            {"program_id": kind, "kind": kind, "url": "https://us.example/p", "body": BODY, **fields},
            id=f"p-{kind}",
            time=NOON,
        )
        for kind, fields in PROGRAMS.items()
    ]
    return [*about, *usage, *programs]


def _usage(days_ago: int, active: int) -> dict[str, object]:
    day = (NOON - timedelta(days=days_ago)).date()
    return {
        "period_start": f"{day}T00:00:00Z",
        "period_end": f"{day + timedelta(days=1)}T00:00:00Z",
        "active_users": active,
        "seats": 50,
        "seats_used": 44 if days_ago <= 30 else 40,
        "features": {"reports": 3},
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncGenerator[Stack]:
    with tempfile.TemporaryDirectory(prefix="drumbeat-shipped-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder, start=NOON) as made:
            await made.run()
            await made.tell(*facts())

            async def is_known() -> bool:
                shown = await preview(made, "newsletter", "en")
                report = await preview(made, "value_report", "en")
                return shown.get("not_sent") is None and report.get("not_sent") is None

            await until(is_known, 60, "facts and content known to the notifier")
            yield made


async def preview(stack: Stack, kind: str, language: str, reader: str = "customer") -> dict[str, Any]:
    url = f"{stack.processes['notifier'].url}/v1/preview"
    wanted = {"touchpoint_type": kind, "account_id": "stark", "language": language, "reader": reader}
    answer = await stack.client.get(url, params=wanted)
    return answer.json() if answer.status_code == 200 else {"not_sent": answer.text}


FOR_CUSTOMERS = {
    "value_report": ("40", "44", "50", "+25%"),  # S128, S174
    "usage_report": ("44", "50"),
    "renewal_value_summary": ("1 April 2026", "44"),  # S85
    "renewal_reminder": ("1 April 2026",),  # S92
    "renewal_urgency": ("1 April 2026",),  # S88
    "survey": ("/p/",),  # S65
    "newsletter": ("News of March", "Three customers tell", "https://us.example/p"),  # S130, S218
    "webinar_invitation": ("Reports for all", "16 March 2026", "https://us.example/p"),  # S124, S136
    "event_invitation": ("Customer day", "28 March 2026"),  # S135
    "product_update": ("Reports in one click",),  # S132
    "welcome": ("Kim Okoro",),
}
FOR_OWNERS = {
    "business_review": ("1 April 2026", "44", "wins, gaps, goals"),  # S122
    "renewal_negotiation": ("1 April 2026", "$250,000"),  # S93
    "expansion_proposal": ("44",),  # S109
    "training_session": ("Reports",),  # S119
    "check_in": ("40", "44"),  # S174
}


@pytest.mark.parametrize("kind", [*FOR_CUSTOMERS])
async def test_a_customer_reads_the_facts_of_their_own_account(stack: Stack, kind: str) -> None:
    """S65, S85, S88, S92, S124, S128, S130, S132, S135, S136, S174, S218."""
    shown = await preview(stack, kind, "en")

    assert shown["not_sent"] is None
    assert shown["subject"]
    for part in ("text", "html"):
        assert [words for words in FOR_CUSTOMERS[kind] if words not in shown[part] + shown["subject"]] == []
        assert "They want the export" not in shown[part]  # a note is for people of ours


@pytest.mark.parametrize("kind", [*FOR_OWNERS])
async def test_an_owner_reads_what_to_do_with_the_figures_of_the_account(stack: Stack, kind: str) -> None:
    """S93, S109, S119, S122, S172, S174."""
    shown = await preview(stack, kind, "en", "owner")

    assert shown["not_sent"] is None
    assert [words for words in FOR_OWNERS[kind] if words not in shown["text"]] == []


@pytest.mark.parametrize(
    ("language", "day"),
    [
        ("de", "1. April 2026"),
        ("pt", "1 de abril de 2026"),
        ("es", "1 de abril de 2026"),
        ("id", "1 April 2026"),
    ],
)
async def test_every_language_writes_dates_as_its_readers_do(stack: Stack, language: str, day: str) -> None:
    """S85 in German, Portuguese, Spanish and Indonesian: another subject than in English, and the contract's own date."""
    shown = await preview(stack, "renewal_value_summary", language)
    english = await preview(stack, "renewal_value_summary", "en")

    assert shown["language"].partition("-")[0] == language
    assert shown["subject"] != english["subject"]
    assert day in shown["text"].replace("\xa0", " ")
