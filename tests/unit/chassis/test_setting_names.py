"""A variable that looks like a setting and is none is found, with the setting that was probably meant (A10)."""

from pathlib import Path

import pytest

from services.chassis.setting_names import unknown_settings
from services.chassis.settings import Settings, SettingsRejected, load_settings


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("DRUMBEAT_POLICI", "DRUMBEAT_POLICY"),
        ("DRUMBEAT_MOD", "DRUMBEAT_MODE"),
        ("DRUMBEAT_CLOKC__RATE", "DRUMBEAT_CLOCK__RATE"),
        ("DRUMBEAT_KAFKA_BOOTSTRAP_SERVERS", "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS"),
        ("DRUMBEAT_EMAIL_FROM", "DRUMBEAT_EMAIL__FROM"),
        ("drumbeat_data_directory", "DRUMBEAT_DATA_DIR"),
    ],
)
def test_a_misspelt_setting_names_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, variable: str, meant: str
) -> None:
    monkeypatch.setenv(variable, "x")
    (problem,) = unknown_settings(Settings)
    assert problem == f"{variable.upper()} has no effect: there is no such setting; did you mean {meant}?"


def test_a_variable_like_no_setting_leads_to_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUMBEAT_ZQX", "1")
    assert unknown_settings(Settings)[0].endswith("docs/settings.md lists all of them")


def test_the_file_of_settings_is_read_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DRUMBEAT_POLICI=mine.yaml\nDRUMBEAT_MODE=hold\n")
    (problem,) = unknown_settings(Settings)
    assert problem.startswith("DRUMBEAT_POLICI (in .env) has no effect")


@pytest.mark.parametrize(
    "name",
    [
        "DRUMBEAT_EMAIL__FROM",
        "DRUMBEAT_KAFKA",
        "drumbeat_policy",
        "OTHER_POLICI",
        "DRUMBEAT_WEBHOOKS__ACME_CRM__SECRET",
        "DRUMBEAT_WEBHOOKS__ACME_CRM",
    ],
)
def test_settings_and_variables_of_others_are_not_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")
    assert unknown_settings(Settings) == []


@pytest.mark.parametrize("source", ["environment", "file"])
def test_a_misspelt_member_of_a_group_stops_the_start_and_its_value_is_not_printed(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source == "file":
        (tmp_path / ".env").write_text("DRUMBEAT_EMAIL__PASWORD=hunter2\n")
    else:
        monkeypatch.setenv("DRUMBEAT_EMAIL__PASWORD", "hunter2")
    with pytest.raises(SettingsRejected) as rejected:
        load_settings()
    assert "DRUMBEAT_EMAIL__PASWORD: there is no such setting; did you mean DRUMBEAT_EMAIL__PASSWORD?" in str(
        rejected.value
    )
    assert "hunter2" not in str(rejected.value)
