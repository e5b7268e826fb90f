"""Signing in leads to a page of this console only."""

import pytest

from services.console.auth import local_path


def test_a_path_of_this_console_is_kept() -> None:
    assert local_path("/?account=a") == "/?account=a"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/\n",
    ],
)
def test_any_other_target_becomes_the_first_page(target: str) -> None:
    assert local_path(target) == "/"
