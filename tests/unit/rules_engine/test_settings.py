"""The sources of webhooks and the role: what is configured is checked before anything starts."""

from pathlib import Path

import pytest

from services.chassis.settings import CannotStart, Settings, SettingsRejected, load_settings
from services.rules_engine.settings import read_files, webhook_sources


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def settings_with(monkeypatch: pytest.MonkeyPatch, **variables: object) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"DRUMBEAT_WEBHOOKS__{name}", str(value))
    return load_settings()


def test_a_shipped_source_needs_a_secret_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    configured = settings_with(monkeypatch, HUBSPOT__SECRET="123456")
    source = webhook_sources(configured)["hubspot"]
    assert source.proof.secrets == ("123456",)  # all digits, and still a text
    assert source.url == "http://127.0.0.1:8001/v1/webhooks/hubspot"
    assert (source.token, source.api_url) == (None, "https://api.hubapi.com")
    assert source.event_source == "/webhooks/hubspot"


def test_the_address_is_taken_to_the_letter_and_both_secrets_count(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://drumbeat.example/v1/webhooks/stripe?a=b%2Fc"
    configured = settings_with(
        monkeypatch, STRIPE__SECRET="new", STRIPE__PREVIOUS_SECRET="old", STRIPE__URL=url
    )
    source = webhook_sources(configured)["stripe"]
    assert (source.url, source.proof.secrets) == (url, ("new", "old"))


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    configured = settings_with(monkeypatch, STRIPE__SECRET="hunter2", STRIPE__TOKEN="hunter3")
    assert "hunter" not in repr(configured) + repr(webhook_sources(configured))


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        ("whsec_", "STANDARD__SECRET or __PREVIOUS_SECRET is empty behind whsec_"),
        ("whpk_bm8ga2V5", "is no public key of Ed25519"),
        ("whpk_%%", "is no public key of Ed25519"),
    ],
)
def test_a_secret_that_proves_nothing_stops_the_start(
    secret: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CannotStart, match=problem):
        read_files(settings_with(monkeypatch, STANDARD__SECRET=secret))


def test_a_source_of_ones_own_needs_a_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    configured = settings_with(monkeypatch, ACME_CRM__SECRET="s")
    with pytest.raises(CannotStart, match="DRUMBEAT_WEBHOOKS__ACME_CRM__MAPPING is missing"):
        read_files(configured)


def test_a_mapping_with_a_mistake_stops_the_start_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.yaml").write_text("signature: stripe\ntime: at\nfacts: {}\n")
    configured = settings_with(monkeypatch, STRIPE__SECRET="s", STRIPE__MAPPING="m.yaml")
    with pytest.raises(CannotStart, match=r"m\.yaml:3:8"):
        read_files(configured)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("HUBSPOT__URL", "https://x.example", "DRUMBEAT_WEBHOOKS__HUBSPOT__SECRET: Field required"),
        ("HUBSPOT__SECRT", "s", "did you mean DRUMBEAT_WEBHOOKS__HUBSPOT__SECRET?"),
        ("HUB-SPOT__SECRET", "s", "should match pattern"),
        ("HUBSPOT__ORGANIZATION_ID", "short", "DRUMBEAT_WEBHOOKS__HUBSPOT__ORGANIZATION_ID"),
    ],
)
def test_a_wrong_setting_is_named(
    name: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsRejected) as rejected:
        settings_with(monkeypatch, **{name: value})
    assert problem in str(rejected.value)


@pytest.mark.parametrize("role", ["ingest", "engine"])
def test_one_role_alone_is_refused_on_a_standing_clock(monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    monkeypatch.setenv("DRUMBEAT_RULES_ENGINE__ROLE", role)
    read_files(load_settings())
    monkeypatch.setenv("DRUMBEAT_CLOCK__RATE", "0")
    with pytest.raises(CannotStart, match=f"DRUMBEAT_RULES_ENGINE__ROLE={role} does not go with"):
        read_files(load_settings())
