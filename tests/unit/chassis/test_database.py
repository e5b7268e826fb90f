"""Database URLs."""

from services.chassis.database import database_url, without_password


def test_a_password_is_never_shown() -> None:
    shown = without_password("postgresql://ann:secret@db:5432/x")
    assert shown == "postgresql://ann@db:5432/x"
    assert without_password("postgresql://db/x") == "postgresql://db/x"


def test_a_service_has_its_own_database_on_the_server_of_the_settings() -> None:
    assert database_url("postgresql://ann:secret@db:5432/x", "drumbeat_rules") == (
        "postgresql://ann:secret@db:5432/drumbeat_rules"
    )
    assert database_url("postgresql+asyncpg://db/", "drumbeat_rules") == "postgresql://db/drumbeat_rules"
