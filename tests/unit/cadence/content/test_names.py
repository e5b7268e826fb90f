"""Content files are named by language, reader and type; a language falls back to a closer one, then to English."""

import pytest

from services.cadence.content.names import ContentName, fallback_languages, name_of


@pytest.mark.parametrize(
    ("language", "languages"),
    [
        ("pt-BR", ("pt-BR", "pt", "en")),
        ("de", ("de", "en")),
        ("en_GB", ("en-GB", "en")),
        (None, ("en",)),
        ("", ("en",)),
    ],
)
def test_a_language_falls_back_to_english_in_the_end(
    language: str | None, languages: tuple[str, ...]
) -> None:
    assert fallback_languages(language) == languages


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("content/en/tips.md", ContentName("en", "tips", "customer")),
        ("/a/b/content/pt-BR/owner/check_in.md", ContentName("pt-BR", "check_in", "owner")),
        ("a\\content\\en\\tips.md", ContentName("en", "tips", "customer")),
        ("en/owner/check_in", ContentName("en", "check_in", "owner")),
        ("content/tips.md", None),
        ("content/en/Tips.md", None),
        ("readme.md", None),
    ],
)
def test_the_name_of_a_file_says_what_it_is_for(file: str, name: ContentName | None) -> None:
    found = name_of(file)
    assert found == name
    if found is not None:
        assert name_of(found.path) == name_of(found.key) == found
