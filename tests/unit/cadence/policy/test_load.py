"""A policy that is wrong is refused when it is loaded, with every mistake placed."""

from pathlib import Path

import pytest

from services.cadence.policy.load import PolicyRefused, load_policy, load_policy_texts
from tests.unit.cadence.events import shipped, shipped_text

TEXT = shipped_text()
HEAD = """\
health: {red_below: 40, yellow_below: 70}
segments:
  - {segment: self_service, when: true}
stages:
  - {stage: growth, when: true}
touchpoints:
  check_in: {topic: account, owner: automation, channel: email, purpose: P, aim: solve_problem, expects: Calm, minutes: 0}
rhythms:
  - rule: first
    touchpoint: check_in
    every: 7d
    because: So it is.
    when: """


def refused(text: str) -> tuple[str, ...]:
    with pytest.raises(PolicyRefused) as caught:
        load_policy_texts({"policy.yaml": text})
    return caught.value.errors


BROKEN = {
    "unknown field": (
        'helth_score == "red"',
        "13:11: first.when: unknown field 'helth_score'; did you mean 'health_score'?",
    ),
    "number against text": (
        'arr is not null and arr > "100"',
        "13:35: first.when: cannot compare a number with a text",
    ),
    "truth against number": (
        "paid_success > 3",
        "13:24: first.when: cannot compare true or false with a number",
    ),
    "choice against number": ("segment > 3", "13:19: first.when: segment has no order; use `==` or `!=`"),
    "text arithmetic": ("csm_id - 1 > 2", "13:11: first.when: `-` needs numbers, this is a text"),
    "no condition": ("arr + 1.0", "13:11: first.when: a condition is true or false, this is a number"),
    "number as a part of and": (
        "arr and paid_success",
        "13:11: first.when: `and` needs true or false, this is a number",
    ),
    "no such choice": (
        'segment == "enterprize"',
        "13:22: first.when: 'enterprize' is not a value of segment",
    ),
    "no such member": (
        'segment in ["enterprise", 3]',
        "13:37: first.when: cannot compare segment with a number",
    ),
    "unguarded null": (
        "nps_score <= 6",
        "13:11: first.when: nps_score can be null here; write `nps_score is not null",
    ),
    "unknown function": ("foo(arr) > 1.0", "13:11: first.when: unknown function 'foo'"),
    "syntax": ("paid_success == == true", "13:27: first.when: unexpected '=='"),
    "never true": (
        "days_to_renewal is not null and days_to_renewal < 30 and days_to_renewal > 60",
        "13:84: first.when: never true",
    ),
}


@pytest.mark.parametrize(("condition", "error"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_condition_is_refused_with_its_place(condition: str, error: str) -> None:
    errors = refused(HEAD + condition + "\n")

    assert len(errors) == 1
    assert errors[0].startswith(f"policy.yaml:{error}")


def test_a_mistake_in_a_folded_condition_is_placed_on_its_own_line() -> None:
    errors = refused(HEAD + ">-\n      paid_success and\n      not paid_succes\n")

    assert errors[0].startswith(
        "policy.yaml:15:11: first.when: unknown field 'paid_succes'; did you mean 'paid_success'?"
    )


def test_a_mistake_in_a_quoted_condition_is_placed_inside_the_quotes() -> None:
    assert refused(HEAD + "'paid_success and x'\n")[0].startswith("policy.yaml:13:29: ")
    assert refused(HEAD + '"segment == \\"x\\""\n')[0].startswith("policy.yaml:13:24: ")


def test_all_mistakes_are_reported_at_once_and_in_order() -> None:
    text = HEAD + "nps_score > 3 and csat > 2\n    evry: 3\n    owner: nobody\n"

    errors = refused(text)

    assert [line.split(":")[1] for line in errors] == ["13", "13", "14", "15"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (HEAD + "true\n    every: 7d\n", "14:5: first: duplicate key 'every'"),
        (HEAD + "true\n    evry: 7d\n", "14:5: first: unknown key 'evry'; did you mean 'every'?"),
        (
            HEAD.replace("every: 7d", "every: often") + "true\n",
            "11:12: first.every: an interval such as 14d, week on wednesday, month on 15 or quarter is expected",
        ),
        (
            HEAD.replace("every: 7d", "every: 36h") + "true\n",
            "11:12: first.every: whole days are expected here, such as 1d or 14d",
        ),
        (
            HEAD.replace("touchpoint: check_in", "touchpoint: chek_in") + "true\n",
            "10:17: first.touchpoint: 'chek_in'",
        ),
        (
            HEAD.replace("So it is.", "So {is} it.") + "true\n",
            "12:14: first.because: unknown field 'is' in braces",
        ),
        (
            HEAD.replace("minutes: 0", "minutes: many") + "true\n",
            "7:121: check_in.minutes: a whole number from 0 to 600 is expected here, not 'many'",
        ),
        (HEAD.replace("  - rule", "  - &a rule") + "true\n  - *a\n", "14:5: YAML aliases are not allowed"),
        ("rhythms: [\n", "2:1: YAML: "),
        ("[" * 30, "1:17: nested deeper than 16"),
        ("", "1:1: the file is empty"),
        ("health: {red_below: 40, yellow_below: 70}\n", "1:1: section 'segments' is missing"),
        (
            HEAD.replace("when: true}\nstages", "when: paid_success}\nstages") + "true\n",
            "3:5: self_service: the last one must hold",
        ),
    ],
)
def test_a_broken_file_is_refused_with_its_place(text: str, error: str) -> None:
    assert refused(text)[0].startswith(f"policy.yaml:{error}")


def test_hostile_conditions_are_refused_in_bounded_time() -> None:
    for hostile in (
        "(" * 500 + "true" + ")" * 500,
        "not " * 400 + "true",
        " and ".join(["paid_success"] * 400),
        "arr * 9999999999999999999999 > 1",
        "arr " + "+ 1 " * 700,
        "__import__",
        "arr.__class__",
        "segment in [" + ", ".join(['"enterprise"'] * 65) + "]",
    ):
        assert len(refused(HEAD + hostile + "\n")) >= 1


def test_the_order_of_rules_and_the_spacing_change_neither_hash_nor_bits() -> None:
    head, rhythms, rest = (
        TEXT.partition("\nrhythms:\n")[0],
        *TEXT.partition("\nrhythms:\n")[2].split("\nminimum:\n", 1),
    )
    rules = [f"\n  - rule: {rule}" for rule in rhythms.split("\n  - rule: ")[1:]]
    reordered = (
        head + "\nrhythms:\n" + "\n".join(reversed(rules)) + "\n\nminimum:\n" + rest.replace(" >= ", "  >=  ")
    )

    policy = load_policy_texts({"reordered.yaml": reordered})

    assert policy.hash == shipped().hash
    assert policy.bits == shipped().bits


def test_a_changed_threshold_is_another_policy() -> None:
    assert load_policy_texts({"p": TEXT.replace("100_000", "90_000")}).hash != shipped().hash


def test_a_folder_of_files_is_one_policy(tmp_path: Path) -> None:
    head, _, catalogue = TEXT.partition("\ntouchpoints:\n")
    (tmp_path / "a.yaml").write_text(head, encoding="utf-8")
    (tmp_path / "b.yaml").write_text("touchpoints:\n" + catalogue, encoding="utf-8")

    assert load_policy(tmp_path).hash == shipped().hash


def test_a_folder_without_policy_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyRefused, match=r"no \*\.yaml file"):
        load_policy(tmp_path)
    with pytest.raises(PolicyRefused, match="cannot be read"):
        load_policy(tmp_path / "none.yaml")
