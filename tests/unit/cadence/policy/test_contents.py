"""Content files belong to the policy: loaded, checked and hashed with it, over the shipped ones."""

from pathlib import Path

import pytest

from services.cadence.content.names import ContentName
from services.cadence.policy.contents import contents_in_force, types_to_customers
from services.cadence.policy.errors import PolicyRefused
from services.cadence.policy.load import (
    SHIPPED,
    SHIPPED_CONTENT,
    load_policy,
    load_policy_texts,
    policy_texts,
    shipped_contents,
)
from tests.unit.cadence.policy_texts import FULL

SURVEY = ContentName("en", "survey", "customer")
TEXT = "---\nsubject: Two questions\n---\nHow is it going?\n"
FILES = {"a.yaml": FULL, SURVEY.path: TEXT}


def test_content_is_read_from_the_folder_of_the_policy(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FULL)
    file = tmp_path / SURVEY.path
    file.parent.mkdir(parents=True)
    file.write_text(TEXT)
    assert [Path(name).name for name in policy_texts(tmp_path)] == ["a.yaml", "survey.md"]
    assert load_policy(tmp_path).content.texts == {SURVEY: TEXT}


def test_content_counts_in_the_hash_of_the_policy_and_line_ends_do_not() -> None:
    own = load_policy_texts(FILES)
    assert own.hash != load_policy_texts({"a.yaml": FULL}).hash
    assert own.hash == load_policy_texts({**FILES, SURVEY.path: TEXT.replace("\n", "\r\n") + "\n\n"}).hash
    assert own.hash != load_policy_texts({**FILES, SURVEY.path: TEXT + "More.\n"}).hash


def test_a_file_of_the_policy_replaces_the_shipped_one_of_the_same_name() -> None:
    contents = contents_in_force(load_policy_texts(FILES).content, shipped_contents())
    assert contents[SURVEY].text == TEXT
    assert contents[SURVEY].origin == "policy"
    german = contents[ContentName("de", "survey", "customer")]
    assert (german.origin, german.text) == ("shipped", shipped_contents()[german.name])


def test_only_types_of_the_catalogue_and_notices_have_content_in_force() -> None:
    contents = contents_in_force(load_policy_texts({"a.yaml": FULL}).content, shipped_contents())
    assert {name.touchpoint_type for name in contents} == {
        "survey",
        "check_in",
        "cadence_told",
        "cadence_changed",
        "invitation",
        "reminder",
    }


def test_mistakes_of_content_are_reported_with_their_places() -> None:
    files = {"a.yaml": FULL, "b/content/en/survey.md": "---\nsubject: x\n---\n{{ csm.nam }}", "notes.md": "x"}
    with pytest.raises(PolicyRefused) as refused:
        load_policy_texts(files)
    assert [error.split(" ")[0] for error in refused.value.errors] == [
        "b/content/en/survey.md:4:1:",
        "notes.md:1:1:",
    ]


def test_a_type_that_goes_to_customers_without_content_is_refused_where_it_is_written() -> None:
    text = FULL.replace("survey", "news")
    with pytest.raises(PolicyRefused) as refused:
        load_policy_texts({"a.yaml": text})
    line = text.split("\n").index("  news:") + 1
    (error,) = refused.value.errors
    assert error.startswith(
        f"a.yaml:{line}:1: 'news' goes to customers and has no content for them: write content/en/news"
    )
    assert load_policy_texts({"a.yaml": text, "content/en/news.md": TEXT})


def test_a_rule_that_hands_a_type_to_automation_makes_it_need_content() -> None:
    text = FULL.replace(
        "    segment: enterprise\n    every:", "    owner: automation\n    channel: email\n    every:", 1
    )
    assert text != FULL
    assert set(types_to_customers(load_policy_texts({"a.yaml": text}).content)) == {"survey", "check_in"}


def test_a_stored_policy_from_before_content_still_loads() -> None:
    assert load_policy_texts({"a.yaml": FULL.replace("survey", "news")}, is_stored=True)


def test_the_shipped_policy_has_no_content_of_its_own_so_that_newer_texts_leave_its_hash() -> None:
    assert load_policy(SHIPPED).content.texts == {}
    assert SHIPPED_CONTENT.parent == SHIPPED.parent


def test_a_policy_has_at_most_two_thousand_content_files() -> None:
    files = {f"content/de/owner/t{number}.md": TEXT for number in range(2_001)}
    with pytest.raises(PolicyRefused, match="at most 2,000 content files, this has 2,001"):
        load_policy_texts({"a.yaml": FULL, **files})
