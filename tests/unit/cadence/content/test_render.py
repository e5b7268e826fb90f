"""Messages: what is known is written, what is not known leaves no trace."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.zones import find_zone
from services.cadence.content import Rendered, parse_content, render_content
from services.cadence.content.placeholders import PLACEHOLDERS, Kind
from services.cadence.content.values import Amount, Chart, Items, Link, Markdown, Share, Value

BERLIN = find_zone("Europe/Berlin")


def render(body: str, values: Mapping[str, Value | None], language: str = "en", front: str = "") -> Rendered:
    text = f"---\nsubject: Hello\n{front}---\n{body}\n"
    content = parse_content(text, file=f"content/{language}/welcome.md")
    return render_content(content, values, language=language, zone=BERLIN)


def test_a_paragraph_with_an_unknown_value_is_left_out() -> None:
    rendered = render("Known.\n\n{{ csm.name }} calls.", {})
    assert (rendered.html, rendered.text) == ("<p>Known.</p>", "Known.")
    assert rendered.missing == ("csm.name",)


def test_a_list_without_items_goes_with_the_sentence_and_the_heading_that_announce_it() -> None:
    rendered = render("Hi.\n\n## Seats\n\nIn use:\n\n- {{ usage.seats }}\n- {{ usage.seats_used }}", {})
    assert rendered.html == "<p>Hi.</p>"


def test_a_heading_stays_for_a_heading_below_it_that_has_content() -> None:
    body = "# One\n\n## Two\n\n{{ csm.name }}\n\n## Three\n\nText.\n\n# Four\n\n## Five\n\n{{ csm.name }}"
    assert render(body, {}).text == "One\n\nThree\n\nText."


def test_a_line_ends_what_stands_below_a_heading() -> None:
    assert render("A.\n\n# One\n\n{{ csm.name }}\n\n---\n\nB.", {}).text == "A.\n\n---\n\nB."


def test_a_telephone_number_is_written_once_in_text() -> None:
    rendered = render("Call [{{ csm.phone }}](tel:{{ csm.phone }}).", {"csm.phone": "+49 30 1"})
    assert (rendered.text, rendered.html) == (
        "Call +49 30 1.",
        '<p>Call <a href="tel:+49301">+49 30 1</a>.</p>',
    )


def test_a_table_row_with_an_unknown_value_is_left_out_and_a_table_without_rows() -> None:
    body = "| What | Number |\n|---|---|\n| Seats | {{ usage.seats }} |\n| Used | {{ usage.seats_used }} |"
    assert render(body, {"usage.seats": 50}).text == "What   Number\nSeats  50"
    assert render(body, {}).is_empty


def test_a_fallback_stands_in_and_an_empty_one_takes_the_space_before_it_along() -> None:
    body = "Hi {{ contact.first_name | otherwise: there }}, dear {{ contact.first_name | otherwise: }}!"
    assert render(body, {}).text == "Hi there, dear!"
    assert render(body, {"contact.first_name": "Ada"}).text == "Hi Ada, dear Ada!"


def test_a_comma_before_an_empty_fallback_goes_too() -> None:
    body = "Hola, {{ contact.first_name | otherwise: }}!"
    assert render(body, {}).text == "Hola!"
    assert render(body, {"contact.first_name": "Ada"}).text == "Hola, Ada!"


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 users"), (1, "1 user"), (1.04, "1 user"), (1.5, "1.5 users"), (1234, "1,234 users")],
)
def test_a_plural_agrees_with_the_number_as_it_is_shown(number: float, text: str) -> None:
    body = "{{ usage.active_users | one: # user | other: # users }}"
    assert render(body, {"usage.active_users": number}).text == text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "31 March 2027, Friday, 11 December 2026 at 15:00 CET, 25%, +2.5%, €50,000"),
        ("de", "31. März 2027, Freitag, 11. Dezember 2026 um 15:00 MEZ, 25 %, +2,5 %, 50.000 €"),
        (
            "pt",
            "31 de março de 2027, sexta-feira, 11 de dezembro de 2026 às 15:00 GMT+1, 25%, +2,5%, € 50.000",
        ),
        ("es", "31 de marzo de 2027, viernes, 11 de diciembre de 2026, 15:00 CET, 25 %, +2,5 %, 50.000 €"),
        ("id", "31 Maret 2027, Jumat, 11 Desember 2026 pukul 15.00 GMT+1, 25%, +2,5%, €50.000"),
    ],
)
def test_dates_shares_and_money_are_written_as_the_language_does(language: str, text: str) -> None:
    body = (
        "{{ contract.renews_on }}, {{ program.at }}, {{ usage.seats_share }}, "
        "{{ usage.seats_used_change }}, {{ account.arr }}"
    )
    values: dict[str, Value | None] = {
        "contract.renews_on": date(2027, 3, 31),
        "program.at": datetime(2026, 12, 11, 14, tzinfo=UTC),
        "usage.seats_share": Share(0.25),
        "usage.seats_used_change": Share(0.025, signed=True),
        "account.arr": Amount(50_000, "EUR"),
    }
    assert render(body, values, language).text.replace("\xa0", " ") == text


@pytest.mark.parametrize("language", ["de", "en", "es", "id", "pt"])
def test_a_day_has_no_leading_zero_in_a_moment_as_it_has_none_in_a_date(language: str) -> None:
    values = {"program.at": datetime(2026, 3, 9, 14, tzinfo=UTC), "contract.renews_on": date(2026, 3, 9)}
    assert "09" not in render("{{ program.at }}, {{ contract.renews_on }}", values, language).text


@pytest.mark.parametrize(
    ("due_on", "text"), [(1, "First"), (6, "First"), (7, "Day 7"), (40, "Day 40"), (None, "Next")]
)
def test_a_series_of_messages_has_a_text_for_each_day_of_the_term(due_on: int | None, text: str) -> None:
    body = "{{ contract.day | 1+: First | 7+: Day # | otherwise: Next }}"
    values: dict[str, Value | None] = {"contract.starts_on": date(2026, 11, 1)}
    if due_on is not None:
        values["touchpoint.due_at"] = datetime(2026, 11, 1, 9, tzinfo=UTC) + timedelta(days=due_on - 1)
    assert render(body, values).text == text


def test_a_value_never_becomes_markdown_or_html() -> None:
    name = "<b>**A** [x](https://evil.example) | `c` {{ csm.name }}\n\n# B"
    rendered = render("# {{ account.name }}\n\n| {{ account.name }} |\n|---|\n| a |", {"account.name": name})
    assert rendered.html.count("&lt;b&gt;**A** [x](https://evil.example) | `c` {{ csm.name }} # B") == 2
    assert not re.search("<(b|a|strong|code)[ >]", rendered.html)


def test_the_text_of_a_program_is_markdown_without_html_images_and_script_addresses() -> None:
    body = (
        "# News\n\nRead *this* <script>x</script> ![pic](https://x.example/p.png) "
        "[a](javascript:alert(1))\n\n- [b](https://b.example)"
    )
    rendered = render("{{ program.body }}", {"program.body": Markdown(body)})
    assert rendered.html == (
        "<h3>News</h3>\n<p>Read <em>this</em> &lt;script&gt;x&lt;/script&gt; pic a</p>\n"
        '<ul>\n<li><a href="https://b.example">b</a></li>\n</ul>'
    )


def test_links_are_words_and_address_in_text_and_one_without_address_takes_its_block_along() -> None:
    body = (
        "[Book a time]({{ csm.booking_url }})\n\nOr [write]({{ csm.booking_url }}) today.\n\n"
        "[Mail](mailto:{{ csm.email }})"
    )
    rendered = render(body, {"csm.booking_url": Link("https://b.example/?a=1&b=2", "Ben")})
    assert (
        rendered.text
        == "Book a time: https://b.example/?a=1&b=2\n\nOr write (https://b.example/?a=1&b=2) today."
    )
    assert rendered.html.startswith(
        '<p class="action"><a href="https://b.example/?a=1&amp;b=2">Book a time</a></p>'
    )
    assert "javascript" not in render(body, {"csm.booking_url": "javascript:alert(1)"}).html


def test_a_chart_is_a_table_of_bars_with_its_numbers_as_text() -> None:
    rendered = render("{{ usage.chart }}", {"usage.chart": Chart([("W1", 5), ("W2", None), ("W3", 10)])})
    assert rendered.text == f"W1  {'█' * 12} 5\nW2  \u2013\nW3  {'█' * 24} 10"
    assert rendered.html.count("bgcolor") == 2
    assert "<img" not in rendered.html


def test_a_name_that_runs_from_right_to_left_is_isolated() -> None:
    rendered = render("Hi {{ contact.name }}!", {"contact.name": "\u202eעדה"})
    assert (rendered.html, rendered.text) == ("<p>Hi <bdi>עדה</bdi>!</p>", "Hi \u2068עדה\u2069!")


def test_nothing_is_sent_without_what_it_needs() -> None:
    rendered = render("Text.", {}, front="needs: [program.title]\n")
    assert (rendered.is_empty, rendered.missing) == (True, ("program.title",))
    assert not render("Text.", {"program.title": "News"}, front="needs: [program.title]\n").is_empty


def test_content_in_another_language_than_the_readers_has_the_dates_of_its_own() -> None:
    content = parse_content("---\nsubject: x\n---\n{{ contract.renews_on }}", file="content/en/welcome.md")
    rendered = render_content(content, {"contract.renews_on": date(2027, 3, 1)}, language="fr", zone=BERLIN)
    assert rendered.text == "1 March 2027"
    american = render_content(
        content, {"contract.renews_on": date(2027, 3, 1)}, language="en-US", zone=BERLIN
    )
    assert american.text == "March 1, 2027"


TEXTS = st.text(min_size=0, max_size=30)
NUMBERS = st.one_of(st.integers(0, 10**7), st.floats(allow_nan=True))
OF_KIND: Mapping[Kind, st.SearchStrategy[Value]] = {
    "text": TEXTS,
    "number": NUMBERS,
    "date": st.dates(),
    "date and time": st.datetimes(timezones=st.just(UTC)),
    "share": st.builds(Share, st.floats(-2, 20), st.booleans()),
    "money": st.builds(Amount, st.floats(0, 10**9), st.sampled_from(["EUR", "USD", "JPY", "XXX"])),
    "link": st.one_of(
        st.just("https://x.example/a?b=c"), TEXTS, st.builds(Link, st.just("https://y.example"), TEXTS)
    ),
    "list": st.builds(Items, st.lists(TEXTS, max_size=3)),
    "Markdown": st.builds(Markdown, TEXTS),
    "chart": st.builds(Chart, st.lists(st.tuples(TEXTS, st.none() | st.floats(allow_nan=True)), max_size=4)),
}
VALUES = st.fixed_dictionaries(
    {}, optional={name: st.none() | OF_KIND[placeholder.kind] for name, placeholder in PLACEHOLDERS.items()}
)
NAMES = sorted(PLACEHOLDERS)
BODY = "\n\n".join(
    f"## About {index}\n\nIt is:\n\n{{{{ {name} }}}}\n\n- it {{{{ {name} }}}}\n\n> quoted {{{{ {name} }}}}"
    for index, name in enumerate(NAMES)
)
CONTENT = parse_content(f"---\nsubject: Hello\n---\nHello.\n\n{BODY}", file="content/en/owner/welcome.md")
HOLLOW = re.compile(r"<(p|li|ul|ol|h\d|td|th|blockquote|bdi|a|em|strong)( [^>]*)?>\s*</\1>")


@settings(max_examples=60, deadline=None)
@given(VALUES, st.sampled_from(["en", "de", "pt-BR", "es", "id", "ar", "xx"]))
def test_whatever_is_unknown_leaves_no_trace(values: Mapping[str, Value | None], language: str) -> None:
    rendered = render_content(CONTENT, values, language=language, zone=BERLIN)
    assert not HOLLOW.search(
        re.sub('<table role="presentation".*?\n</table>', "chart", rendered.html, flags=re.DOTALL)
    )
    texts = [value for value in values.values() if isinstance(value, str)]
    if not any("None" in text or "nan" in text or "{{" in text for text in map(str, texts)):
        assert not re.search(r"\bNone\b|\bnan\b|\binf\b|\{\{", rendered.text)
    assert "\ue000" not in rendered.html + rendered.text
    assert rendered.text.count("About") <= len(NAMES)
    if not values:
        assert (rendered.text, rendered.html) == ("Hello.", "<p>Hello.</p>")
