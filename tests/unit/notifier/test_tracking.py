"""What is measured follows from the settings, and nothing where all mail is redirected."""

from pathlib import Path

from services.chassis.settings import Settings, load_settings
from services.notifier.domain.link_token import LinkKeys
from services.notifier.settings import measured
from services.notifier.tracking import make_tracking

KEYS = LinkKeys({1: b"k" * 32})


def settings(tmp_path: Path, **values: object) -> Settings:
    return load_settings(
        _env_file=None, data_dir=tmp_path, public_url="https://drumbeat.example.com/", **values
    )


def test_nothing_is_measured_unless_the_settings_say_so(tmp_path: Path) -> None:
    assert make_tracking(settings(tmp_path), KEYS) is None


def test_links_of_what_is_measured_lead_to_the_public_address(tmp_path: Path) -> None:
    tracking = make_tracking(settings(tmp_path, tracking={"clicks": True}), KEYS)

    assert tracking is not None
    assert (tracking.kinds, tracking.base_url) == ({"clicked"}, "https://drumbeat.example.com")


def test_nothing_is_measured_where_all_mail_is_redirected(tmp_path: Path) -> None:
    redirected = settings(
        tmp_path, tracking={"clicks": True, "opens": True}, email={"redirect_to": "qa@vendor.example"}
    )

    assert make_tracking(redirected, KEYS) is None
    assert measured(redirected) == frozenset()
