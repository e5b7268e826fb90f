"""Tables through the running services: what a dry run says, what an import does, and an export that is imported."""

import json
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.stack import Stack, until
from tests.unit.connectors.tables.bad_tables import BAD_TABLES

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(600)]

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
CSMS = """\ufeffUser ID,Full name,E-mail,Time zone,Capacity,Work days,Urlaub
dana,Dana,dana@drumbeat.example,Europe/Berlin,1200,Mon-Fri,2026-08-03/2026-08-14
"""
ACCOUNTS = """sep=;
Kundennummer;Firma;Land;Jahresumsatz (EUR);Betreuer;Notiz
acme;Ácme;DE;60.000,00;dana;"zwei
Zeilen"
=1+2;Formula;DE;12.500,50;dana;
"""
CONTACTS = """Record ID,Associated Company ID,First Name,Full Name,Email,Contact role
55,acme,Ann,Ann Example,ann@acme.example,Champion
56,acme,Bob,Bob,not an address,user
"""
CONTRACTS = """Contract Number,Account ID,Contract Status,Start Date,Renewal Date,ARR
K-1,acme,Active,{start:%d/%m/%Y},{end:%d/%m/%Y},"€60,000.00"
K-2,=1+2,Active,15/01/2026,15/01/2027,"€12,500.50"
"""


def contracts() -> bytes:
    ends = MONDAY + 45 * DAY
    return CONTRACTS.format(start=ends - 365 * DAY, end=ends).encode()


async def test_a_table_of_contracts_leads_to_the_renewal_steps_that_its_dry_run_named() -> None:
    """U10: import and export of CSV."""
    with tempfile.TemporaryDirectory(prefix="drumbeat-tables-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder, rate=0, start=MONDAY) as stack:
            await stack.run()
            await _the_people_and_accounts_are_imported(stack, folder)
            forecast = await _a_dry_run_changes_nothing(stack)
            await _the_import_does_what_it_said(stack, folder, forecast)
            await _a_corrected_row_changes_that_row(stack)
            await _an_export_comes_back_as_it_is(stack, folder)
            await _bad_tables_are_told_why(stack)
            await _everything_is_audited(stack)


async def _import(stack: Stack, content: bytes, **query: str) -> httpx.Response:
    return await stack.client.post(
        f"{stack.processes['rules_engine'].url}/v1/imports",
        content=content,
        params=query,
        headers={"content-type": "text/csv"},
        timeout=240,
    )


async def _the_people_and_accounts_are_imported(stack: Stack, folder: Path) -> None:
    (folder / "csms.csv").write_bytes(CSMS.encode())
    (folder / "kunden.csv").write_bytes(ACCOUNTS.encode("cp1252"))
    (folder / "contacts.csv").write_bytes(CONTACTS.encode())
    for file, code, shown in (
        ("csms.csv", 0, "1 row accepted"),
        ("kunden.csv", 0, "2 rows accepted"),
        ("contacts.csv", 1, "'not an address'"),
    ):
        ran = await stack.drumbeat("import", file, "--yes")
        assert (ran.returncode, shown in ran.stdout) == (code, True), (ran.stdout, ran.stderr)

    async def are_known() -> bool:
        account = await stack.find("rules_engine", "/v1/accounts/acme")
        return account is not None and [each["name"] for each in account["contacts"]] == ["Ann Example"]

    await until(are_known, 120, "the accounts and their contact")
    account = await stack.get("rules_engine", "/v1/accounts/acme")
    facts = {name: fact["value"] for name, fact in account["facts"].items()}
    assert (facts["name"], facts["arr"], facts["currency"], facts["csm_id"]) == (
        "Ácme",
        60_000,
        "EUR",
        "dana",
    )
    ran = await stack.drumbeat("import", "contacts.csv")
    assert (ran.returncode, "Import it?" in ran.stdout) == (1, True), "without an answer nothing is imported"


async def _a_dry_run_changes_nothing(stack: Stack) -> dict[str, Any]:
    answer = await _import(stack, contracts(), validate_only="true", file_name="contracts.csv")
    assert answer.status_code == 202, answer.text
    checked = answer.json()
    assert (checked["rows"], checked["accepted"], checked["unchanged"], checked["refused"]) == (2, 2, 0, [])
    assert checked["columns"]["Renewal Date"] == "renews_on"
    assert checked["forms"]["Start Date"]["dates"] == "dmy"
    forecast: dict[str, Any] = checked["dry_run"]
    gained = {
        kind: pair["after"] - pair["before"]
        for part in ("touchpoints", "messages")
        for kind, pair in forecast[part].items()
    }
    assert any(kind.startswith("renewal") and count > 0 for kind, count in gained.items()), forecast
    account = await stack.get("rules_engine", "/v1/accounts/acme")
    assert account["contracts"] == []
    return forecast


async def _the_import_does_what_it_said(stack: Stack, folder: Path, forecast: dict[str, Any]) -> None:
    (folder / "contracts.csv").write_bytes(contracts())
    released = await _released(stack)
    ran = await stack.drumbeat("import", "contracts.csv", "--yes", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["accepted"] == 2

    async def is_planned() -> bool:
        account: dict[str, Any] = await stack.get("rules_engine", "/v1/accounts/acme")
        planned: list[dict[str, Any]] = account["plan"]["touchpoints"] if account["plan"] else []
        return "renewal_discussion" in {str(each["touchpoint_type"]) for each in planned}

    await until(is_planned, 180, "the steps of the renewal in the plan")
    then = _counts(forecast, "after")
    last = Counter[str]()

    async def is_as_forecast() -> bool:
        again = (await _import(stack, contracts(), validate_only="true")).json()
        last.clear()
        last.update(_counts(again["dry_run"], "before") + await _released(stack) - released)
        # The two accounts may be on two partitions: the row of the other one may not be applied yet.
        return (again["unchanged"], again["accepted"]) == (2, 2) and last == then

    try:
        await until(is_as_forecast, 180, "what comes is what the dry run named")
    except AssertionError as late:
        raise AssertionError(f"{last} came, {then} was named") from late
    before = await stack.get("rules_engine", "/v1/accounts/acme/decisions")
    again = await _import(stack, contracts())
    assert (again.status_code, again.json()["unchanged"]) == (202, 2)
    assert await stack.get("rules_engine", "/v1/accounts/acme/decisions") == before


def _counts(forecast: dict[str, Any], side: str) -> Counter[str]:
    """Of touchpoints and messages together, by type."""
    pairs = {**forecast["touchpoints"], **forecast["messages"]}
    return Counter({kind: pair[side] for kind, pair in pairs.items() if pair[side]})


async def _released(stack: Stack) -> Counter[str]:
    """What has come due so far, by type."""
    page: dict[str, Any] = await stack.get("scheduler", "/v1/touchpoints", limit=500)
    return Counter(item["type"] for item in page["items"] if item["released_at"])


async def _a_corrected_row_changes_that_row(stack: Stack) -> None:
    corrected = contracts().replace(b"12,500.50", b"12,500.75")
    answer = (await _import(stack, corrected)).json()
    assert (answer["accepted"], answer["unchanged"]) == (2, 1)

    async def is_known() -> bool:
        account = await stack.get("rules_engine", "/v1/accounts/=1+2")
        return [each["arr"] for each in account["contracts"]] == [12_500.75]

    await until(is_known, 120, "the corrected row")


async def _an_export_comes_back_as_it_is(stack: Stack, folder: Path) -> None:
    for kind in ("csms", "accounts", "contacts", "contracts"):
        ran = await stack.drumbeat("export", kind, f"exported-{kind}.csv")
        assert ran.returncode == 0, ran.stderr
        content = (folder / f"exported-{kind}.csv").read_bytes()
        answer = (await _import(stack, content)).json()
        rows = {"csms": 1, "accounts": 2, "contacts": 1, "contracts": 2}[kind]
        assert (answer["kind"], answer["rows"], answer["unchanged"]) == (kind, rows, rows), answer
    text = (folder / "exported-accounts.csv").read_text()
    assert "\n'=1+2," in text, "no cell is a formula"


async def _bad_tables_are_told_why(stack: Stack) -> None:
    for name, body, line in BAD_TABLES:
        answer = await _import(stack, body, kind="accounts")
        assert answer.status_code in (400, 422), (name, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        found = problem["line"] if "line" in problem else problem["refused"][0]["line"]
        assert found == line, (name, problem)


async def _everything_is_audited(stack: Stack) -> None:
    async def listed() -> bool:
        entries = (await stack.get("rules_engine", "/v1/audit", limit=500))["items"]
        actions = [(entry["action"], entry["object"]) for entry in entries]
        exported = {
            ("table.exported", f"table/{kind}") for kind in ("csms", "accounts", "contacts", "contracts")
        }
        return exported <= set(actions) and actions.count(("table.imported", "table/contracts")) >= 3

    await until(listed, 120, "entries of the audit log")
