"""The hash of a policy depends on its content alone, and stays what it is for files that are published."""

from services.cadence.policy.load import load_policy_texts
from tests.unit.cadence.policy_texts import FULL

HASH = "00f8dfee454c4d0a0f3878b74f4af034118878d06db654fb1b70d98964f81e38"


def test_the_hash_of_a_policy_with_every_section_stays_the_same() -> None:
    assert load_policy_texts({"p.yaml": FULL}).hash == HASH


def test_the_names_of_files_and_comments_do_not_change_the_hash() -> None:
    head, rest = FULL.split("rhythms:\n", 1)

    assert load_policy_texts({"a.yaml": f"# first\n{head}", "b.yaml": f"rhythms:\n{rest}"}).hash == HASH


def test_a_changed_reason_changes_the_hash() -> None:
    assert load_policy_texts({"p.yaml": FULL.replace("Nobody is there.", "Nobody is here.")}).hash != HASH
