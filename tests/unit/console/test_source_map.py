"""A position in a policy file links to its line where the page shows it."""

from services.console.source_map import SourceLink, SourceMap

FILES = {"b.yaml": "rhythms:\n  - rule: weekly\n", "a.yaml": "segments:\n"}


def test_a_position_links_to_its_line_where_the_page_shows_it() -> None:
    sources = SourceMap(FILES)
    assert sources.link_of({"file": "/srv/b.yaml", "line": 2}) == SourceLink("b.yaml:2", "line-1-2")
    assert sources.link_of({"file": "b.yaml", "line": 99}) == SourceLink("b.yaml:99")
    assert sources.link_of({"file": "c.yaml", "line": 1}) == SourceLink("c.yaml:1")
    assert sources.link_of({}) == SourceLink()


def test_files_are_listed_by_name_with_the_ids_of_their_lines() -> None:
    first, second = SourceMap(FILES).files()
    assert (first.name, second.name) == ("a.yaml", "b.yaml")
    assert second.lines[1] == ("line-1-2", "  - rule: weekly")
