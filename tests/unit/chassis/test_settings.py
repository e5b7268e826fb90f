"""Settings: read once; an error names every invalid variable."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.chassis.mail_settings import Email
from services.chassis.settings import Organization, Settings, SettingsRejected, load_settings

NORTHWIND = Organization(name="Northwind", postal_address="1 Long Road, Springfield")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DRUMBEAT_RULES_ENGINE__PORT", "0"),
        ("DRUMBEAT_RULES_ENGINE__PORT", "70000"),
        ("DRUMBEAT_SCHEDULER__PORT", "http"),
        ("DRUMBEAT_CLOCK__RATE", "-1"),
        ("DRUMBEAT_CLOCK__RATE", "nan"),
        ("DRUMBEAT_CLOCK__RATE", "inf"),
        ("DRUMBEAT_CLOCK__START", "2026-03-02T10:00:00"),
        ("DRUMBEAT_CLOCK__ORIGIN", "yesterday"),
        ("DRUMBEAT_DATABASE__POOL_SIZE", "1"),
        ("DRUMBEAT_KAFKA__PARTITIONS", "0"),
        ("DRUMBEAT_KAFKA__SECURITY_PROTOCOL", "TLS"),
        ("DRUMBEAT_MODE", "dry"),
        ("DRUMBEAT_SAMPLE", "perhaps"),
        ("DRUMBEAT_EMAIL__TLS", "ssl"),
        ("DRUMBEAT_KAFKA__BOOTSTRAP", "localhost:9092"),
        ("DRUMBEAT_EMAIL__FROM", "success"),
        ("DRUMBEAT_EMAIL__FROM", "A <a@b.example>, C <c@d.example>"),
        ("DRUMBEAT_EMAIL__FROM", "A <a@b.example>\r\nBcc: all@b.example"),
        ("DRUMBEAT_EMAIL__REPLY_TO", "a@-b.example"),
        ("DRUMBEAT_EMAIL__FALLBACK_TO", "jörg@b.example"),
        ("DRUMBEAT_EMAIL__REDIRECT_TO", "a b@c.example"),
        ("DRUMBEAT_ORGANIZATION__NAME", "Northwind\nBcc: all@b.example"),
        ("DRUMBEAT_ORGANIZATION__POSTAL_ADDRESS", "1 Long Road\x07"),
        ("DRUMBEAT_RULES_ENGINE__URL", "10.0.0.7:8001"),
        ("DRUMBEAT_SCHEDULER__URL", "ftp://10.0.0.7"),
    ],
)
def test_the_error_names_an_invalid_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsRejected, match=f"Invalid setting: {name}: "):
        load_settings()


def test_one_error_names_all_invalid_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUMBEAT_MODE", "dry")
    monkeypatch.setenv("DRUMBEAT_CLOCK__RATE", "-1")
    with pytest.raises(SettingsRejected, match="Invalid settings:\n") as error:
        load_settings()
    assert "DRUMBEAT_MODE" in str(error.value)
    assert "DRUMBEAT_CLOCK__RATE" in str(error.value)


def test_the_environment_wins_over_the_file_and_the_file_over_the_addresses_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".drumbeat").mkdir()
    left = {
        "kafka": {"bootstrap_servers": "left:1"},
        "database": {"url": "postgresql://left"},
        "mode": "hold",
    }
    (tmp_path / ".drumbeat" / "addresses.json").write_text(json.dumps(left))
    (tmp_path / ".env").write_text("DRUMBEAT_DATABASE__URL=postgresql://file\nDRUMBEAT_MODE=observe\n")
    monkeypatch.setenv("DRUMBEAT_MODE", "live")

    settings = load_settings()

    assert settings.mode == "live"
    assert settings.database_url() == "postgresql://file/postgres"
    assert settings.broker() == "left:1"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ann@db", "postgresql://ann@db/postgres"),
        (
            "postgresql://ann@db:5432/?sslmode=verify-full",
            "postgresql://ann@db:5432/postgres?sslmode=verify-full",
        ),
        ("postgresql://ann@db/company", "postgresql://ann@db/company"),
    ],
)
def test_a_database_server_is_asked_in_a_database_that_it_has(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: str
) -> None:
    monkeypatch.setenv("DRUMBEAT_DATABASE__URL", url)

    assert load_settings().database_url() == expected


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"7", b'{"other": 1}', b"\xff"])
def test_without_addresses_the_error_says_what_to_set(tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / ".drumbeat").mkdir()
    if content is not None:
        (tmp_path / ".drumbeat" / "addresses.json").write_bytes(content)
    settings = load_settings()
    with pytest.raises(SettingsRejected, match="DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS"):
        settings.broker()
    with pytest.raises(SettingsRejected, match="DRUMBEAT_DATABASE__URL"):
        settings.database_url()


def test_a_clock_keeps_its_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUMBEAT_CLOCK__START", "2026-03-02T11:00:00+01:00")
    assert load_settings().clock.start == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_a_service_that_listens_on_all_addresses_has_a_loopback_url(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DRUMBEAT_NOTIFIER__HOST", "0.0.0.0")  # noqa: S104
    assert load_settings().url_of("notifier") == "http://127.0.0.1:8003"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "http://127.0.0.1:8003",
        "http://localhost:8003",
        "https://LOCALHOST",
        "http://beat.localhost./",
        "http://[::1]:8003",
        "http://[::ffff:127.0.0.1]",
        "http://0.0.0.0:8003",
        "http://127.1",
        "http://2130706433",
        "http://0x7f.0.0.1",
        "beat.vendor.example",
        "ftp://beat.vendor.example",
        "https://",
        "https://[beat",
    ],
)
def test_with_a_relay_and_no_address_that_customers_reach_their_mail_is_held(url: str | None) -> None:
    """Row 44."""
    hold = Settings(email=Email(host="relay.vendor.example"), public_url=url).mail_hold()

    assert hold is not None
    assert "DRUMBEAT_PUBLIC_URL" in hold


@pytest.mark.parametrize(
    "url", ["https://beat.vendor.example", "http://203.0.113.7:8003", "https://[2001:db8::1]/x"]
)
def test_with_a_relay_and_a_public_address_nothing_is_held(url: str) -> None:
    email = Email(host="127.0.0.1", sender="Northwind <success@northwind.example>")

    assert Settings(email=email, organization=NORTHWIND, public_url=url).mail_hold() is None


def test_with_a_relay_the_hold_names_every_setting_that_is_missing() -> None:
    """Row 45: a mail says who writes, and from where."""
    hold = Settings(email=Email(host="relay.vendor.example")).mail_hold() or ""

    for name in ("PUBLIC_URL", "ORGANIZATION__NAME", "ORGANIZATION__POSTAL_ADDRESS", "EMAIL__FROM"):
        assert f"DRUMBEAT_{name}" in hold
    named = Settings(
        email=Email(host="relay.vendor.example", sender="success@northwind.example"),
        organization=Organization(name="Northwind"),
        public_url="https://beat.vendor.example",
    )
    assert (named.mail_hold() or "").endswith("set DRUMBEAT_ORGANIZATION__POSTAL_ADDRESS")


def test_the_sender_has_two_names_and_the_new_one_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 45."""
    assert load_settings().email.sender == "Drumbeat <drumbeat@localhost>"
    monkeypatch.setenv("DRUMBEAT_EMAIL__SENDER", "old@northwind.example")
    assert load_settings().email.sender == "old@northwind.example"
    monkeypatch.setenv("DRUMBEAT_EMAIL__FROM", "Müller, Söhne & Co <new@northwind.example>")
    assert load_settings().email.sender == "Müller, Söhne & Co <new@northwind.example>"


def test_a_service_elsewhere_is_reached_at_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUMBEAT_RULES_ENGINE__URL", "http://10.0.0.7:9001/")
    assert load_settings().url_of("rules_engine") == "http://10.0.0.7:9001"
    assert load_settings().url_of("scheduler") == "http://127.0.0.1:8002"


def test_mail_that_is_stored_or_redirected_is_not_held_and_without_a_host_it_is() -> None:
    sink = Email(host="127.0.0.1", port=1025, sink="127.0.0.1:1025")
    redirected = Email(host="relay.vendor.example", redirect_to="staging@vendor.example")

    assert Settings(email=Email()).mail_hold() == "there is no mail relay; set DRUMBEAT_EMAIL__HOST"
    assert Settings(email=Email(redirect_to="staging@vendor.example")).mail_hold() is not None
    assert Settings(email=sink).mail_hold() is None
    assert Settings(email=redirected).mail_hold() is None
    other = Email(host="relay.vendor.example", port=1025, sink="127.0.0.1:1025")
    assert Settings(email=other).mail_hold() is not None
