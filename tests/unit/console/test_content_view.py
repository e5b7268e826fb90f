"""Content: each type once, with its languages and where each file comes from."""

from services.console.content_view import content_types
from services.console.json_fields import Json

FILES: list[Json] = [
    {"touchpoint_type": "welcome", "language": "de", "reader": "customer", "origin": "shipped", "text": "a"},
    {"touchpoint_type": "welcome", "language": "en", "reader": "customer", "origin": "policy", "text": "b"},
    {"touchpoint_type": "check_in", "language": "en", "reader": "owner", "origin": "shipped", "text": "c"},
    {"touchpoint_type": "", "language": "en"},
]


def test_a_type_lists_english_first_and_says_what_the_policy_brings() -> None:
    (welcome,) = content_types(FILES, "customer")
    assert [(file.language_name, file.is_own) for file in welcome.files] == [
        ("English", True),
        ("German", False),
    ]
    assert welcome.files[0].name == "content/en/welcome.md"


def test_the_file_for_an_owner_lies_in_a_folder_of_its_own() -> None:
    (check_in,) = content_types(FILES, "owner")
    assert check_in.files[0].name == "content/en/owner/check_in.md"
