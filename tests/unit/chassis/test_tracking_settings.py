"""Nothing is measured until it is switched on, and each kind by itself."""

import pytest

from services.chassis.settings import Settings, SettingsRejected, load_settings


def settings(**values: object) -> Settings:
    return load_settings(_env_file=None, **values)


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ({}, set[str]()),
        ({"clicks": True}, {"clicked"}),
        ({"opens": True}, {"opened"}),
        ({"clicks": "1", "opens": "true"}, {"clicked", "opened"}),
    ],
)
def test_each_kind_is_switched_on_by_itself(values: dict[str, object], kinds: set[str]) -> None:
    assert settings(tracking=values).tracking.kinds == kinds


def test_a_value_that_is_neither_on_nor_off_is_refused_by_name() -> None:
    with pytest.raises(SettingsRejected, match="DRUMBEAT_TRACKING__CLICKS"):
        settings(tracking={"clicks": "sometimes"})
