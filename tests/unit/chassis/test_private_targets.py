"""The setting of private targets: on, off or a list, with a sentence about what is wrong with an entry."""

from ipaddress import ip_address, ip_network

import pytest

from services.chassis.private_targets import EVERYTHING, NONE, PrivateTargets
from services.chassis.settings import SettingsRejected, load_settings


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("1", EVERYTHING),
        ("True", EVERYTHING),
        ("0", NONE),
        ("false", NONE),
        ("hooks.internal", PrivateTargets(hosts=frozenset({"hooks.internal"}))),
        (
            " Hooks.Internal. , 10.1.0.0/16,10.2.3.4, [fd00::]/8",
            PrivateTargets(
                hosts=frozenset({"hooks.internal"}),
                networks=(ip_network("10.1.0.0/16"), ip_network("10.2.3.4"), ip_network("fd00::/8")),
            ),
        ),
        ("localhost", PrivateTargets(hosts=frozenset({"localhost"}))),
    ],
)
def test_the_setting_is_on_off_or_a_list(
    text: str, targets: PrivateTargets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRUMBEAT_WEBHOOK_ALLOW_PRIVATE", text)

    assert load_settings().webhook_allow_private == targets


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("10.1.0.1/16", "write 10.1.0.0/16 for the network or 10.1.0.1 for the address"),
        ("10.1.0.0/33", "'10.1.0.0/33' is not a network"),
        ("hooks.internal,", "nothing between two commas, or after the last"),
        ("http://hooks.internal", "without scheme, port and path"),
        ("hooks.internal:8080", "without scheme, port and path"),
        ("10.1", "'10.1' is not an address"),
        ("999.1.1.1", "is not an address"),
        ("two words", "'two words' is not a host"),
        ("b\u00fccher.internal", "xn-- form"),
        ("*.internal", "'*.internal' is not a host"),
    ],
)
def test_a_wrong_entry_is_named_with_what_to_write(
    text: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRUMBEAT_WEBHOOK_ALLOW_PRIVATE", text)

    with pytest.raises(SettingsRejected) as refused:
        load_settings()

    assert "DRUMBEAT_WEBHOOK_ALLOW_PRIVATE" in str(refused.value)
    assert problem in str(refused.value)


def test_a_mapped_address_belongs_to_its_network() -> None:
    listed = PrivateTargets(networks=(ip_network("10.1.0.0/16"),))

    assert listed.includes_address(ip_address("::ffff:10.1.2.3"))
    assert not listed.includes_address(ip_address("::ffff:10.2.2.3"))
    assert not listed.includes_address(ip_address("fd00::1"))
