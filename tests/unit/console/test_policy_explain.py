"""Policy tools on files of events: the plan and its reasons, a why, and the difference of two policies."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from services.cadence.account.codec import AccountState
from services.cadence.account.issued import Issued
from services.cadence.evaluation.policy_diff import Difference, Period
from services.cadence.expressions.parser import parse
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio
from services.console import policy_commands as cli
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event, shipped, shipped_text
from tests.unit.cadence.policies import policy, rhythm, trigger

MINUTES = shipped().catalogue["check_in"].minutes
Capture = pytest.CaptureFixture[str]


def line(kind: str, account: str, number: int, day: int, /, **data: object) -> str:
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
        line("account.described", "acme", 1, 1, arr=50_000, csm_id="dana"),
        line("contract.changed", "acme", 2, 1, contract_id="c", status="active", starts_on="2024-01-01"),
        line("health.scored", "acme", 3, 2, score=55),
        line("account.described", "bold", 4, 1, arr=5_000),
        line("program.announced", "*", 5, 1, program_id="p", kind="webinar", at="2026-03-20T09:00:00Z"),
        line("csm.described", "dana", 6, 1, name="Dana"),
    ]
    (tmp_path / "facts.ndjson").write_text("\n".join(lines))
    (tmp_path / "facts.json").write_text(f"[{','.join(reversed(lines))}]")
    return tmp_path


def run(words: list[str], capsys: Capture) -> tuple[int, str, str]:
    code = cli.policy(words)
    out, err = capsys.readouterr()
    return code, out, err


def explain(folder: Path, *more: str, file: str = "facts.ndjson") -> list[str]:
    return ["explain", str(folder / "old.yaml"), "--facts", str(folder / file), "--account", "acme", *more]


def test_the_plan_of_an_account_is_told_with_its_reasons(folder: Path, capsys: Capture) -> None:
    code, out, _ = run(explain(folder), capsys)

    assert code == 0
    assert out.startswith("acme at 2026-03-02 09:00 UTC\nmid_market, growth, health yellow\n")
    assert "check_in every 14 days, by call, led by csm" in out
    assert "Health is yellow, so the CSM checks in every other week. [yellow-check-in]" in out
    assert "webinar_invitation 2026-03-06 09:00" in out
    assert "mid-market-check-in/growth (check_in): yellow-check-in comes first [precedence]" in out


def test_the_order_and_the_form_of_the_file_mean_nothing(folder: Path, capsys: Capture) -> None:
    _, lines, _ = run(explain(folder, "--json"), capsys)
    _, array, _ = run(explain(folder, "--json", file="facts.json"), capsys)

    assert json.loads(lines) == json.loads(array)


def test_a_rule_and_a_touchpoint_are_explained(folder: Path, capsys: Capture) -> None:
    _, out, _ = run(explain(folder, "--rule", "red-check-in"), capsys)
    assert out.startswith(
        'red-check-in does not fire: `color == "red"` does not hold (the health colour is yellow). '
    )
    assert 'fails       color == "red"   (color = yellow)' in out
    assert "health.scored /crm 3 2026-03-02 09:00 UTC" in out
    _, out, _ = run(explain(folder, "--touchpoint", "check_in", "--json"), capsys)
    why: dict[str, Any] = json.loads(out)
    assert (why["account_id"], why["fires"], why["rule"]) == ("acme", True, "yellow-check-in")
    _, out, _ = run(
        explain(folder, "--rule", "yellow-check-in", "--at", "2026-03-01T12:00:00Z", "--json"), capsys
    )
    assert json.loads(out)["at"] == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (["--rule", "red-chek-in"], 1, "did you mean 'red-check-in'"),
        (["--touchpoint", "chek_in"], 1, "did you mean 'check_in'"),
        (["--rule", "a", "--touchpoint", "b"], 2, "not allowed with"),
        (["--at", "2026-03-01"], 2, "has no zone"),
        (["--at", "soon"], 2, "--at: soon is no time; write it as"),
        (["--account", "nobody"], 1, "nothing is told of an account 'nobody'"),
        (["--facts", "/nowhere"], 2, "there is no such file"),
    ],
)
def test_wrong_use_is_told(folder: Path, capsys: Capture, more: list[str], code: int, told: str) -> None:
    found, _, err = run(explain(folder, *more), capsys)

    assert found == code
    assert told in err


def test_every_line_that_is_no_event_is_told_with_its_place(folder: Path, capsys: Capture) -> None:
    bad = folder / "bad.ndjson"
    bad.write_text(
        line("nps.answered", "acme", 1, 1, score=30) + "\n\nnot json\n" + line("nps.answerd", "a", 2, 1)
    )
    code, _, err = run(explain(folder, "--facts", str(bad)), capsys)

    assert code == 1
    assert [each.split(": ")[0] for each in err.splitlines()] == [f"{bad}:1", f"{bad}:3", f"{bad}:4"]
    assert "did you mean drumbeat.nps.answered.v1?" in err


def test_the_difference_of_two_policies_is_told_by_account_and_in_sum(folder: Path, capsys: Capture) -> None:
    words = [
        "diff",
        str(folder / "old.yaml"),
        str(folder / "new.yaml"),
        "--facts",
        str(folder / "facts.ndjson"),
    ]
    code, out, _ = run(words, capsys)
    assert code == 0
    assert out.startswith("acme (mid_market)\n  Check in every 21 days instead of every 14 days.")
    assert "1 of 2 accounts change; 0 of another segment or stage" in out
    _, out, _ = run([*words, "--json", "--days", "84"], capsys)
    told: dict[str, Any] = json.loads(out)
    check_in = told["totals"]["check_in"]
    assert (check_in["difference"], check_in["minutes_difference"]) == (-2, -2 * MINUTES)
    assert told["totals"]["tips"]["difference"] == 0
    same = [*words[:2], words[1], *words[3:], "--json"]
    assert json.loads(run(same, capsys)[1])["changed"] == 0


def compared(old: Policy, new: Policy, days: int = 60) -> Difference:
    found = Difference(old, new, Period(NOW, days))
    for revenue in (10, 2_000):
        found.compare(
            AccountState(facts_after([make_event("account.described", NOW, arr=revenue)]), Issued()),
            Portfolio(),
        )
    return found


def test_what_is_counted_is_what_an_oracle_counts_by_hand() -> None:
    large = parse("arr is not null and arr >= 1000")
    old = policy(rhythm("all", "check_in", 30), rhythm("tips", "tips", 7, owner="automation"))
    new = policy(
        rhythm("all", "check_in", 30),
        rhythm("large", "check_in", 10, large),
        trigger("ask", "nps.answered", "advocacy_ask", 7),
    )
    found = compared(old, new)

    assert (found.compared, found.changed, found.undecided) == (2, 2, 0)
    check_in, tips = found.totals["check_in"], found.totals["tips"]
    assert (check_in.before, check_in.after) == (60 / 30 * 2, 60 / 30 + 60 / 10)
    assert (check_in.minutes_before, check_in.minutes_after) == (4 * 30, 8 * 30)
    assert (tips.before, tips.after, tips.minutes_before) == (60 / 7 * 2, 0, 0)
    changes = [cast("list[dict[str, str]]", account["changes"]) for account in found.accounts]
    kinds = [{each["kind"] for each in each_account} for each_account in changes]
    assert kinds == [{"rhythm_removed"}, {"rhythm_changed", "rhythm_removed"}]


def test_one_offs_that_open_after_the_period_are_not_counted() -> None:
    old = policy()
    new = policy(trigger("later", "nps.answered", "advocacy_ask", 40, after=timedelta(days=30)))
    account_state = AccountState(facts_after([make_event("nps.answered", NOW - DAY, score=9)]), Issued())
    for days, count in ((28, 0), (31, 1)):
        found = Difference(old, new, Period(NOW, days))
        found.compare(account_state, Portfolio())
        assert sum(each.after for each in found.totals.values()) == count
        assert found.changed == 1
