"""The page on personal data names every retention time with its default."""

from pathlib import Path

from services.chassis.retention_settings import Retention

PAGE = (Path(__file__).parents[3] / "docs" / "privacy.md").read_text()
PREFIX = "DRUMBEAT_RETENTION__"


def test_the_page_on_personal_data_has_every_setting_and_its_default() -> None:
    """Issue 16, point 5: retention by kind."""
    shown = {
        setting.removeprefix(PREFIX).lower(): days
        for line in PAGE.splitlines()
        if line.startswith("| ") and len(cells := [cell.strip() for cell in line.split("|")]) == 6
        for setting, days in [(cells[2].strip("`"), cells[3])]
        if setting.startswith(PREFIX)
    }
    assert shown == {name: str(field.default) for name, field in Retention.model_fields.items()}
