"""`drumbeat policy explain` and `diff` on files of events."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cadence.events import shipped, shipped_text
from tests.unit.console.drumbeat import drumbeat

Capture = pytest.CaptureFixture[str]
CHECK_IN_MINUTES = shipped().catalogue["check_in"].minutes


def event_line(kind: str, account: str, number: int, day: int, /, **data: object) -> str:
    event = {
        "specversion": "1.0",
        "type": f"drumbeat.{kind}.v1",
        "source": "/crm",
        "id": str(number),
        "subject": account,
        "time": f"2026-03-{day:02}T09:00:00Z",
        "data": data,
    }
    return json.dumps(event)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    text = shipped_text()
    (tmp_path / "old.yaml").write_text(text)
    (tmp_path / "new.yaml").write_text(
        text.replace("every: 14d\n    urgency: soon", "every: 21d\n    urgency: soon")
    )
    lines = [
        event_line("account.described", "acme", 1, 1, arr=50_000, csm_id="dana"),
        event_line(
            "contract.changed", "acme", 2, 1, contract_id="c", status="active", starts_on="2024-01-01"
        ),
        event_line("health.scored", "acme", 3, 2, score=55),
        event_line("account.described", "bold", 4, 1, arr=5_000),
        event_line("program.announced", "*", 5, 1, program_id="p", kind="webinar", at="2026-03-20T09:00:00Z"),
        event_line("csm.described", "dana", 6, 1, name="Dana"),
    ]
    (tmp_path / "facts.ndjson").write_text("\n".join(lines))
    (tmp_path / "facts.json").write_text(f"[{','.join(reversed(lines))}]")
    return tmp_path


def explain(folder: Path, *options: str, file: str = "facts.ndjson") -> list[str]:
    paths = [str(folder / "old.yaml"), "--facts", str(folder / file)]
    return ["policy", "explain", *paths, "--account", "acme", *options]


def test_the_plan_of_an_account_is_printed_with_its_reasons(folder: Path, capsys: Capture) -> None:
    result = drumbeat(capsys, *explain(folder))

    assert result.code == 0
    assert result.out.startswith("acme at 2026-03-02 09:00 UTC\nmid_market, growth, health yellow\n")
    assert "check_in every 2 weeks, by call, led by CSM" in result.out
    assert "Health is yellow, so the CSM checks in every other week. [yellow-check-in]" in result.out
    assert "webinar_invitation 2026-03-06 09:00" in result.out
    assert "Did not apply\n  mid-market-check-in/growth (check_in): yellow-check-in " in result.out


def test_the_order_and_the_form_of_the_file_do_not_matter(folder: Path, capsys: Capture) -> None:
    lines = drumbeat(capsys, *explain(folder, "--json")).out
    array = drumbeat(capsys, *explain(folder, "--json", file="facts.json")).out

    assert json.loads(lines)["plan"]["rhythms"]
    assert json.loads(lines) == json.loads(array)


def test_a_rule_is_explained_with_its_clauses_and_events(folder: Path, capsys: Capture) -> None:
    out = drumbeat(capsys, *explain(folder, "--rule", "red-check-in")).out
    assert out.startswith('red-check-in does not fire: `color == "red"` is not true (')
    assert 'fails         color == "red"   (color = yellow)' in out
    assert "health.scored /crm 3 2026-03-02 09:00 UTC" in out


def test_a_touchpoint_type_is_explained_at_a_time(folder: Path, capsys: Capture) -> None:
    why: dict[str, Any] = json.loads(
        drumbeat(capsys, *explain(folder, "--touchpoint", "check_in", "--json")).out
    )
    assert (why["account_id"], why["fires"], why["rule"]) == ("acme", True, "yellow-check-in")
    options = ("--rule", "yellow-check-in", "--at", "2026-03-01T12:00:00Z", "--json")
    assert json.loads(drumbeat(capsys, *explain(folder, *options)).out)["at"] == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--rule", "red-chek-in"], 1, "did you mean 'red-check-in'"),
        (["--touchpoint", "chek_in"], 1, "did you mean 'check_in'"),
        (["--account", "nobody"], 1, "there is no account 'nobody'; this file has: acme, bold"),
        (["--rule", "a", "--touchpoint", "b"], 2, "use --rule or --touchpoint, not both"),
        (["--at", "2026-03-01"], 2, "write it like"),
        (["--at", "soon"], 2, "Invalid value for '--at'"),
        (["--facts", "/nowhere"], 2, "/nowhere cannot be read (No such file or directory)"),
    ],
)
def test_wrong_use_has_a_message_and_an_exit_code(
    folder: Path, capsys: Capture, options: list[str], code: int, message: str
) -> None:
    result = drumbeat(capsys, *explain(folder, *options))

    assert result.code == code
    assert message in result.error_text


def test_every_line_that_is_not_an_event_is_named(folder: Path, capsys: Capture) -> None:
    bad = folder / "bad.ndjson"
    lines = [event_line("nps.answered", "acme", 1, 1, score=30), "", "not json"]
    bad.write_text("\n".join([*lines, event_line("nps.answerd", "a", 2, 1)]))
    result = drumbeat(capsys, *explain(folder, "--facts", str(bad)))

    assert result.code == 1
    positions = [line.split(": ")[0] for line in result.err.splitlines()]
    assert positions == [f"{bad}:1", f"{bad}:3", f"{bad}:4"]
    assert "did you mean drumbeat.nps.answered.v1?" in result.err


def test_the_difference_of_two_policies_is_printed_by_account_and_in_total(
    folder: Path, capsys: Capture
) -> None:
    policies = [folder / "old.yaml", folder / "new.yaml"]
    facts = ["--facts", folder / "facts.ndjson"]
    result = drumbeat(capsys, "policy", "diff", *policies, *facts)
    assert result.code == 0
    assert result.out.startswith("acme (mid_market)\n  Check in every 21 days instead of every 14 days.")
    assert "1 of 2 accounts change; 0 to another segment or stage" in result.out

    document: dict[str, Any] = json.loads(
        drumbeat(capsys, "policy", "diff", *policies, *facts, "--json", "--days", "84").out
    )
    check_in = document["totals"]["check_in"]
    assert (check_in["difference"], check_in["minutes_difference"]) == (-2, -2 * CHECK_IN_MINUTES)
    assert document["totals"]["tips"]["difference"] == 0


def test_a_policy_does_not_differ_from_itself(folder: Path, capsys: Capture) -> None:
    policy = folder / "old.yaml"
    result = drumbeat(capsys, "policy", "diff", policy, policy, "--facts", folder / "facts.ndjson", "--json")
    assert json.loads(result.out)["changed"] == 0


def test_revenue_is_converted_at_the_rates_of_a_file(folder: Path, capsys: Capture) -> None:
    """Row 24."""
    yen = event_line("account.described", "acme", 9, 2, arr=1_500_000, currency="JPY")
    (folder / "yen.ndjson").write_text(yen)
    (folder / "rates.yaml").write_text("date: 2026-03-01\nrates: {JPY: 0.0065}\n")

    unknown = drumbeat(capsys, *explain(folder, file="yen.ndjson"))
    known = drumbeat(capsys, *explain(folder, "--rates", str(folder / "rates.yaml"), file="yen.ndjson"))
    wrong = drumbeat(capsys, *explain(folder, "--rates", str(folder / "old.yaml"), file="yen.ndjson"))

    assert "\nself_service, " in unknown.out
    assert "\nsmall_business, " in known.out
    assert wrong.code == 1
    assert "write it like {date:" in wrong.err
