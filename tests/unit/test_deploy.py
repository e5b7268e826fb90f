"""The files of deploy/: valid by the schemas of those who read them, and true about the services."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import compose_spec
import kubernetes_validate
import pytest
import yaml

from services.chassis.settings import Settings
from tests.unit.architecture.sources import ROOT

DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "drumbeat"
SERVICES = ("rules_engine", "scheduler", "notifier", "console")
COMPOSE: Mapping[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNIT = (DEPLOY / "systemd" / "drumbeat@.service").read_text()
ENVIRONMENT = (DEPLOY / "systemd" / "drumbeat.env").read_text()
RENDERED = DEPLOY / "helm" / "rendered.yaml"


def setting_names() -> set[str]:
    """Every setting as an environment variable; a group's members with two underscores."""
    names: set[str] = set()
    for name, field in Settings.model_fields.items():
        members: Sequence[str] = tuple(getattr(field.annotation, "model_fields", ()))
        names |= {f"DRUMBEAT_{name}__{member}".upper() for member in members} or {f"DRUMBEAT_{name}".upper()}
    return names | {"DRUMBEAT_EMAIL__FROM"}


def test_the_dockerfile_passes_its_linter() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_copies_files_that_exist() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = [line.split()[1:-1] for line in dockerfile.splitlines() if re.match(r"COPY (?!--from)", line)]
    removed = re.findall(r"services/devstack/\S+", dockerfile)
    paths = [path for paths in copied for path in paths] + removed
    assert len(paths) >= 9
    assert not [path for path in paths if not (ROOT / path).exists()]
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert {f"!{path}" for paths in copied for path in paths} <= set(allowed)


def test_the_compose_file_is_valid_and_starts_every_service() -> None:
    compose_spec.PyCompose.from_yaml(yaml.safe_dump(dict(COMPOSE))).validate()
    commands = {name: service.get("command") for name, service in COMPOSE["services"].items()}
    assert {name: commands[name] for name in SERVICES} == {name: ["serve", name] for name in SERVICES}
    for name in SERVICES:
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        port = getattr(Settings.model_construct(), name).port
        assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
        assert f":{port}/readyz" in service["healthcheck"]["test"][-1]


def test_a_misspelt_key_of_the_compose_file_is_found() -> None:
    services = {**COMPOSE["services"], "kafka": {**COMPOSE["services"]["kafka"], "imagee": "kafka"}}
    with pytest.raises(ValueError, match="imagee"):
        compose_spec.PyCompose.from_yaml(yaml.safe_dump({**COMPOSE, "services": services}))


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.*")), ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    if path.is_file():
        named = set(re.findall(r"DRUMBEAT_[A-Z_]*[A-Z]", path.read_text()))
        assert named - setting_names() <= {"DRUMBEAT_"}, path


def test_the_units_start_what_the_compose_file_starts() -> None:
    assert re.findall(r"^ExecStart=\S+/drumbeat (.+)$", UNIT, re.MULTILINE) == ["serve %i"]
    target = (DEPLOY / "systemd" / "drumbeat.target").read_text()
    assert set(re.findall(r"drumbeat@(\w+)\.service", target)) == set(SERVICES)
    for name in ("DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS", "DRUMBEAT_DATABASE__URL", "DRUMBEAT_MODE"):
        assert re.search(rf"^{name}=.", ENVIRONMENT, re.MULTILINE)


def test_every_object_of_the_chart_is_valid() -> None:
    objects = [each for each in yaml.safe_load_all(RENDERED.read_text()) if each]
    for each in objects:
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)
    kinds = [each["kind"] for each in objects]
    for kind in ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"):
        assert kinds.count(kind) == len(SERVICES), kind
    deployments = {each["metadata"]["name"]: each for each in objects if each["kind"] == "Deployment"}
    for name in SERVICES:
        pod = deployments[f"drumbeat-{name.replace('_', '-')}"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert container["args"] == ["serve", name]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["ports"][0]["containerPort"] == getattr(Settings.model_construct(), name).port
        assert pod["securityContext"]["runAsNonRoot"] is True


@pytest.mark.skipif(shutil.which("helm") is None, reason="needs Helm")
def test_the_rendered_objects_are_those_of_the_chart() -> None:
    command = ["helm", "template", "drumbeat", CHART, "--kube-version", "1.31.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert list(yaml.safe_load_all(done.stdout)) == list(yaml.safe_load_all(RENDERED.read_text()))
