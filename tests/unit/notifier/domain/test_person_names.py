"""S174: a message addresses a person by the first name only when it is clearly one."""

import pytest

from services.notifier.domain.person_names import first_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ann Lee", "Ann"),
        ("  Ann   Lee ", "Ann"),
        ("Ann", "Ann"),
        ("ann lee", "Ann"),
        ("Anne-Marie Müller", "Anne-Marie"),
        ("Maria José García", "Maria"),
        ("D'Arcy Smith", "D'Arcy"),
        ("Søren Ängström", "Søren"),
        ("Иван Петров", "Иван"),
        ("محمد علي", "محمد"),
        ("דוד כהן", "דוד"),
        ("Sukarno", "Sukarno"),
    ],
)
def test_a_first_name_is_used(name: str, expected: str) -> None:
    assert first_name(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        " ",
        "Dr. Ann Lee",
        "Dr Ann Lee",
        "Prof. Dr. Lee",
        "Mr. Lee",
        "Frau Müller",
        "Sra. García",
        "Bapak Joko",
        "Lee, Ann",
        "A. Lee",
        "A Lee",
        "J.P. Lee",
        "JP Lee",
        "MÜLLER Hans",
        "van der Berg",
        "van Berg",
        "ann@acme.example",
        "Ann Lee (Acme)",
        "Ann & Bob",
        "Acme GmbH",
        "Support Team",
        "Info",
        "User 17",
        "李小龙",
        "김철수",
        "山田 太郎",
        "-",
        "🙂",
        "Ann\u202eLee",
        "A" * 41,
        "one two three four five six seven",
    ],
)
def test_in_doubt_there_is_no_first_name(name: str | None) -> None:
    assert first_name(name) is None
