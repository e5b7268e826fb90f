"""What the doctor finds in a deployment that runs elsewhere, by its answers alone."""

from pathlib import Path

import pytest

from services.chassis.settings import Http, Settings
from services.devstack import doctor
from services.devstack.remote_checks import LIMITS, check_deployment, check_metrics
from tests.dashboards import SPECS
from tests.stack import KEY, free_port

RUNBOOK = Path(__file__).resolve().parents[3] / "docs" / "runbook.md"
LAGGING = """# TYPE drumbeat_consumer_lag gauge
drumbeat_consumer_lag{topic="account.signals",partition="3"} 10001.0
drumbeat_consumer_lag{topic="account.signals",partition="4"} 10000.0
# TYPE drumbeat_outbox_oldest_seconds gauge
drumbeat_outbox_oldest_seconds 121.0
# TYPE drumbeat_part_away gauge
drumbeat_part_away{part="PostgreSQL"} 0.0
"""


def test_what_is_beyond_its_limit_is_named_with_the_section_that_repairs_it() -> None:
    lag, outbox = check_metrics("rules_engine", LAGGING)
    assert lag.result == "10001 records of account.signals/3 wait to be read"
    assert outbox.result == "what it decided has waited for Kafka for 121 s"
    assert outbox.remedy == "see “Records that wait in the outbox” in docs/runbook.md"
    (well,) = check_metrics("rules_engine", LAGGING.replace("10001", "1").replace("121", "1"))
    assert (well.result, well.remedy) == ("metrics: nothing beyond its limit", "")


def test_every_limit_is_of_a_gauge_of_the_catalogue_and_has_its_section() -> None:
    for limit in LIMITS:
        assert SPECS[limit.metric].kind == "gauge"
        assert f"\n## {limit.section}\n" in RUNBOOK.read_text()


@pytest.fixture
def nowhere(tmp_path: Path) -> Settings:
    """The addresses of services that do not run, and a key."""
    (tmp_path / "api-key").write_text(KEY)
    (tmp_path / "api-key").chmod(0o600)
    names = ("rules_engine", "scheduler", "notifier", "console")
    services = {name: Http(port=1, url=f"http://127.0.0.1:{free_port()}") for name in names}
    return Settings(data_dir=tmp_path, **services)  # pyright: ignore[reportArgumentType]


def test_services_that_cannot_be_reached_are_named_with_the_setting_of_their_address(
    nowhere: Settings,
) -> None:
    checks = {check.name: check for check in check_deployment(nowhere)}
    for name in ("rules_engine", "scheduler", "notifier", "console"):
        assert checks[name].result.endswith(": no answer")
        assert f"DRUMBEAT_{name.upper()}__URL" in checks[name].remedy
    assert "DRUMBEAT_API_KEY_FILE" in checks["services"].remedy
    assert not {"data directory", "embedded parts", "Python"} & checks.keys()


def test_the_command_checks_nothing_of_this_machine_when_it_is_asked_about_another(
    nowhere: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRUMBEAT_DATA_DIR", str(nowhere.data_dir))
    monkeypatch.setenv("DRUMBEAT_SCHEDULER__URL", nowhere.url_of("scheduler"))
    monkeypatch.setattr("sys.argv", ["doctor", "--remote"])
    assert doctor.main() == 1
    out = capsys.readouterr().out
    assert f"✗ scheduler: {nowhere.url_of('scheduler')}: no answer" in out
    assert "data directory" not in out
