"""Content files are checked at once, every mistake with its place."""

import pytest

from services.cadence.content.check import check_content, check_file
from services.cadence.content.mistakes import ContentRefused
from services.cadence.content.parse import parse_content

CUSTOMER = "content/en/value_report.md"
OWNER = "content/en/owner/value_report.md"
FRONT = "---\nsubject: Hello\n---\n"


def mistakes_of(body: str, file: str = CUSTOMER, front: str = FRONT) -> list[str]:
    return [f"{each.line}:{each.column} {each.text}" for each in check_file(file, front + body)]


def test_a_sound_file_has_no_mistakes() -> None:
    body = (
        "Hi {{ contact.first_name | otherwise: there }},\n\n{{ usage.chart }}\n\nThe report is ready.\n\n"
        "- {{ usage.seats_used | one: # seat | other: # seats }} in use\n\n"
        "[Book]({{ csm.booking_url }}), [write](mailto:{{ csm.email }}), [call](tel:{{ csm.phone }}), <https://a.example>"
    )
    assert mistakes_of(body) == []


@pytest.mark.parametrize(
    ("body", "mistake"),
    [
        ("Hi {{ contact.nam }}", "4:4 unknown placeholder 'contact.nam'; did you mean 'contact.name'?"),
        ("a\n\nb {{ touchpoint.purpose }}", "6:3 'touchpoint.purpose' is for owners only; a customer never reads it"),
        ("x {{ account.arr }}", "4:3 'account.arr' is for owners only; a customer never reads it"),
        ("See {{ usage.chart }}", "4:5 'usage.chart' is a block (chart): write it alone in a paragraph of the body"),
        ("# {{ usage.chart }}\n\nx", "4:3 'usage.chart' is a block (chart): write it alone in a paragraph of the body"),
        ("x {{ usage.seats | one: # seat }}", "4:3 plural forms of the language 'en' are missing: other"),
        (
            "x {{ usage.seats | few: # | one: # | other: # }}",
            "4:3 the language 'en' has no plural 'few'; it has: one, other",
        ),
        ("x {{ csm.name | one: a | other: b }}", "4:3 'csm.name' is no number (text), so it has no plural"),
        ("x\n{{ csm.name", "5:1 write a placeholder as {{ account.name }}, on one line"),
        ("<b>x</b>", "4:1 raw HTML is not allowed; write Markdown"),
        ("x\n\n<div>\nx\n</div>", "6:1 raw HTML is not allowed; write Markdown"),
        ("![x](https://a.example/b.png)", "4:1 images are not allowed; a chart is {{ usage.chart }}"),
        ("x [a](page.html)", "4:1 'page.html' leads nowhere: write https://..., mailto: or tel:"),
        ("x [a](javascript:alert(1))", "4:1 'javascript:alert(1)' leads nowhere: write https://..., mailto: or tel:"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_body_has_its_line_and_column(body: str, mistake: str) -> None:
    assert mistake in mistakes_of(body)


def test_what_is_for_owners_only_is_right_in_their_files() -> None:
    assert mistakes_of("Why: {{ touchpoint.reason }}\n\nRead the notes.", OWNER) == []


@pytest.mark.parametrize(
    "body",
    [
        "Hi {{ contact.first_name | otherwise: there }},\n\n{{ csm.name }} calls.",
        "# Title\n\n- {{ usage.seats }}",
        "",
    ],
)
def test_a_body_that_would_be_empty_without_values_is_a_mistake(body: str) -> None:
    assert any("nothing of the body would stand" in each for each in mistakes_of(body))


def test_what_is_needed_stands() -> None:
    front = "---\nsubject: Hello {{ csm.name }}\nneeds: [csm.name]\n---\n"
    assert mistakes_of("{{ csm.name }} calls.", front=front) == []


@pytest.mark.parametrize(
    ("front", "mistake"),
    [
        ("Hello", "1:1 the front matter is missing"),
        ("---\nsubject: x\n", "1:1 the front matter is missing"),
        ("---\n---\n", "2:1 write keys here"),
        ("---\npreheader: x\n---\n", "1:1 'subject' is missing in the front matter"),
        ("---\nsubject: x\nsubjet: y\n---\n", "3:1 unknown key 'subjet'; did you mean 'subject'?"),
        ("---\nsubject: x\nsubject: y\n---\n", "3:1 duplicate key 'subject'"),
        ("---\nsubject: x\nagenda: [a]\n---\n", "3:1 unknown key 'agenda'"),
        ("---\nsubject: [a]\n---\n", "2:10 'subject' is one line of text"),
        ("---\nsubject: x\nneeds: csm.name\n---\n", "3:8 'needs' is a list of texts"),
        ("---\nsubject: x\nneeds: [csm.nam]\n---\n", "3:9 'needs': unknown placeholder 'csm.nam'"),
        ("---\nsubject: x\nprogram: party\n---\n", "3:10 program 'party' is not one of these"),
        ("---\nsubject: {{ csm.name }}\n---\n", "2:10 'subject' is one line of text; put it in quotes"),
        ('---\nsubject: "Hi {{ csm.name }}"\n---\n', "2:14 the subject always stands"),
        ('---\nsubject: "Hi {{ links.page }}"\n---\n', "2:14 'links.page' is a link; subject is text alone"),
        ("---\nsubject: &a x\n---\n", "2:10 YAML aliases and tags are not allowed"),
        ("---\nsubject: *a\n---\n", "2:10 YAML aliases and tags are not allowed"),
        ("---\nsubject: !!str x\n---\n", "2:10 YAML aliases and tags are not allowed"),
        ("---\nsubject: \ud800\n---\n", "2:1 YAML:"),
    ],
)
def test_a_mistake_in_the_front_matter_has_its_line_and_column(front: str, mistake: str) -> None:
    assert any(each.startswith(mistake) for each in mistakes_of("Text.", front=front)), mistakes_of(
        "Text.", front=front
    )


def test_every_mistake_of_every_file_comes_at_once() -> None:
    files = {
        "a/content/en/tips.md": f"{FRONT}{{{{ a.b }}}} and {{{{ c.d }}}}",
        "a/content/xx/value_report.md": f"{FRONT}Text.",
        "a/content/de/welcom.md": f"{FRONT}Text.",
        "a/notes.md": "x",
    }
    told = [str(each) for each in check_content(files, ["tips", "welcome", "call"], {"call": ("60.yaml", 7)})]
    assert [each.partition(": ")[0] for each in told] == [
        "60.yaml:7:1",
        *["a/content/de/welcom.md:1:1"] * 2,
        "a/content/en/tips.md:4:1",
        "a/content/en/tips.md:4:15",
        *["a/content/xx/value_report.md:1:1"] * 3,
        "a/notes.md:1:1",
    ]
    assert "'call' goes to customers and has no content for them: write content/en/call.md" in told[0]
    assert "content/en/welcom.md is missing" in told[1]
    assert "did you mean 'welcome'?" in told[2]


def test_a_file_of_another_language_needs_one_in_the_default_language() -> None:
    file = {"content/de/tips.md": f"{FRONT}Text."}
    assert "content/en/tips.md is missing" in str(check_content(file, ["tips"], {})[0])
    assert check_content(file | {"content/en/tips.md": f"{FRONT}Text."}, ["tips"], {}) == []


def test_a_file_with_mistakes_of_form_is_refused_with_all_of_them() -> None:
    with pytest.raises(ContentRefused) as refused:
        parse_content("---\nsubjet: x\nfoo: y\n---\nText", file=CUSTOMER)
    assert len(refused.value.mistakes) == 3
