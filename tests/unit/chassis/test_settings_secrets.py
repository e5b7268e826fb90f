"""No key, password or content of a key file is in what a process prints: settings errors, doctor, the log of a start."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.chassis.settings import SettingsRejected, load_settings

MARK = "m4rk3rs3cr3t"
SECRETS: Mapping[str, str] = {
    "DRUMBEAT_DATABASE__URL": f"postgresql://drumbeat:{MARK}@127.0.0.1:1/",
    "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "DRUMBEAT_KAFKA__SASL_USERNAME": MARK,
    "DRUMBEAT_KAFKA__SASL_PASSWORD": MARK,
    "DRUMBEAT_EMAIL__HOST": "127.0.0.1",
    "DRUMBEAT_EMAIL__PORT": "1",
    "DRUMBEAT_EMAIL__USERNAME": MARK,
    "DRUMBEAT_EMAIL__PASSWORD": MARK,
    "DRUMBEAT_SMS__TOKEN": MARK,
    "DRUMBEAT_SLACK__TOKEN": MARK,
    "DRUMBEAT_PHONE__TOKEN": MARK,
}
MISTAKES: Mapping[str, Mapping[str, str]] = {
    "a wrong value beside the secrets": {"DRUMBEAT_EMAIL__PORT": "many"},
    "a misspelt secret": {"DRUMBEAT_EMAIL__PASWORD": MARK},
    "a group as JSON with an error": {"DRUMBEAT_EMAIL": json.dumps({"password": MARK, "tls": "x"})},
    "a group as JSON of another type": {"DRUMBEAT_CLOCK": json.dumps([MARK])},
    "a group that is no JSON": {"DRUMBEAT_CLOCK": MARK},
    "a secret that is no text": {"DRUMBEAT_CLOCK": json.dumps({"start": {"x": MARK}})},
    "a token that is too long": {"DRUMBEAT_SMS__TOKEN": MARK * 20},
    "a gateway with a password and a query": {"DRUMBEAT_SMS__URL": f"https://ann:{MARK}@x/?y"},
    "a service URL with a password": {"DRUMBEAT_SCHEDULER__URL": f"ftp://ann:{MARK}@x"},
}
STARTS: Mapping[str, tuple[tuple[str, ...], Mapping[str, str], str]] = {
    "a service with a key file that has no key": (
        ("services.rules_engine", "serve"),
        {},
        "does not contain a key",
    ),
    "a service with a secrets key that is none": (
        ("services.rules_engine", "serve"),
        {"secrets": "none"},
        "is not a key",
    ),
    "a service without its database": (("services.scheduler", "serve"), {"key": "db_k_"}, "outage.began"),
    "doctor": (("services.devstack.doctor",), {"key": "db_k_"}, "scheduler"),
    "doctor with a public URL that has a password": (
        ("services.devstack.doctor",),
        {"key": "db_k_", "DRUMBEAT_PUBLIC_URL": f"http://ann:{MARK}@127.0.0.1"},
        "links in messages",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_error_in_the_settings_names_the_variable_and_no_secret(
    mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**SECRETS, **MISTAKES[mistake]}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsRejected) as rejected:
        load_settings()
    shown = str(rejected.value)
    assert MARK not in shown
    assert "DRUMBEAT_" in shown or "clock" in shown


@pytest.mark.parametrize("start", STARTS)
def test_a_start_that_fails_prints_no_secret(start: str, tmp_path: Path) -> None:
    arguments, given, expected = STARTS[start]
    for name in ("api-key", "address-key", "secrets-key"):
        (tmp_path / name).write_text(f"{given.get('key', '')}{MARK}\n")
    if "secrets" not in given:  # read first: without a key in it nothing starts
        (tmp_path / "secrets-key").write_text("5e" * 32)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DRUMBEAT_")}
    own = {"PYTHONPATH": str(Path.cwd()), "DRUMBEAT_DATA_DIR": str(tmp_path)}
    settings = {name: value for name, value in given.items() if name.startswith("DRUMBEAT_")}
    ports = {
        f"DRUMBEAT_{name}__PORT": str(port) for port, name in enumerate(("RULES_ENGINE", "SCHEDULER"), 47311)
    }
    command = [sys.executable, "-m", *arguments]
    environment = {**inherited, **own, **ports, **SECRETS, **settings}
    printed = list[str]()
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            printed.append(line)
            if expected in line and "serve" in arguments:
                process.kill()  # it waits for its database
    assert expected in "".join(printed)
    assert MARK not in "".join(printed)
