"""The samples under ``deploy/`` name commands, settings, ports and pages that the gateway has."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from gateway.api import health
from gateway.cli.state import ENV_STATE_DIR
from gateway.kit.settings import ENV_CONFIG, Settings, load
from gateway.runtime.supervisor import GRACE_SECONDS
from tests.kit.command_line import environment_with, run_command
from tests.kit.programs import program
from tests.layout import ROOT

DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
KUBERNETES = "1.30"  # the oldest release that the manifests are for
MANIFESTS = sorted(DEPLOY.glob("kubernetes/*.yaml"))


def documents() -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text())


def pods() -> Iterator[dict[str, Any]]:
    """The pod of every kind of thing that has pods."""
    for document in documents():
        spec = document.get("spec", {})
        template = spec.get("jobTemplate", document)["spec"].get("template") if spec else None
        if template is not None:
            yield template["spec"]


def commands() -> Iterator[tuple[str, ...]]:
    for path in [*UNITS, DEPLOY / "cron" / "esim-gateway"]:
        for words in re.findall(r"/bin/esim-gateway (.*)", path.read_text()):
            yield tuple(shlex.split(words))
    for pod in pods():
        for container in pod["containers"]:
            yield tuple(container["args"])


def settings_of(model: type[BaseModel], prefix: str = "GATEWAY_") -> Iterator[str]:
    for name, described in model.model_fields.items():
        yield prefix + name.upper()
        if isinstance(described.annotation, type) and issubclass(described.annotation, BaseModel):
            yield from settings_of(described.annotation, f"{prefix}{name.upper()}__")


@pytest.mark.parametrize("words", sorted(set(commands())), ids=" ".join)
def test_every_command_is_one_of_the_gateway(words: tuple[str, ...]) -> None:
    ended = run_command(environment_with(), *words, "--help")
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_variable_is_a_setting(path: Path) -> None:
    known = {*settings_of(Settings), ENV_CONFIG, ENV_STATE_DIR}
    named = set(re.findall(r"^(?:Environment=|\s*)(GATEWAY_\w+)\s*[:=]", path.read_text(), re.MULTILINE))
    assert named <= known


def test_the_environment_of_the_units_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for line in (DEPLOY / "systemd" / "environment.example").read_text().splitlines():
        name, found, value = line.partition("=")
        if found and not line.startswith("#") and name != ENV_CONFIG and value:
            monkeypatch.setenv(name, *shlex.split(value))
    assert [str(network) for network in load().trusted_proxies] == ["127.0.0.0/8"]


def test_the_settings_of_the_manifests_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data,) = (document["data"] for document in documents() if document["kind"] == "ConfigMap")
    config = tmp_path / "gateway.toml"
    config.write_text(data.pop("gateway.toml"))
    for name, value in data.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(ENV_CONFIG, str(config))
    assert load().sync.interval_seconds == 24 * 60 * 60


def test_processes_get_the_time_that_they_need_to_end() -> None:
    for path in UNITS:
        if "esim-gateway serve" in path.read_text() or "esim-gateway worker" in path.read_text():
            (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", path.read_text(), re.MULTILINE)
            assert int(seconds) > GRACE_SECONDS
    graces = [pod["terminationGracePeriodSeconds"] for pod in pods() if pod.get("restartPolicy") is None]
    assert len(graces) == 2
    assert min(graces) > GRACE_SECONDS


def test_probes_and_ports_are_those_of_the_processes() -> None:
    pages = {route.path for route, *_ in health.routes.routes}
    ports = {"http": {8080}, "metrics": {load().metrics.port, load().metrics.worker_port}}
    seen = 0
    for pod in pods():
        for container in pod["containers"]:
            for name in ("startupProbe", "livenessProbe", "readinessProbe"):
                probe = container.get(name, {}).get("httpGet")
                if probe is not None:
                    seen += 1
                    assert probe["path"] in pages
            for port in container.get("ports", ()):
                assert port["containerPort"] in ports[port["name"]]
    assert seen == 3
    for path in (DEPLOY / "nginx" / "esim-gateway.conf", DEPLOY / "caddy" / "Caddyfile"):
        assert "127.0.0.1:8080" in path.read_text()
        assert set(re.findall(r"\s(/\w+z)\b", path.read_text())) <= pages


def test_haproxy_takes_the_configuration(tmp_path: Path) -> None:
    text = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
    assert set(re.findall(r"\s(/\w+z)\b", text)) <= {route.path for route, *_ in health.routes.routes}
    config = tmp_path / "haproxy.cfg"
    config.write_text(re.sub(r" ssl crt \S+ alpn \S+", "", text))  # the certificate is not on this machine
    ended = subprocess.run([program("haproxy"), "-c", "-f", str(config)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for path in UNITS:
        # The one thing of them that is not on this machine: the installed gateway.
        (tmp_path / path.name).write_text(re.sub(r"/opt/esim-gateway/bin/esim-gateway", "/bin/true", path.read_text()))
    units = sorted(str(path) for path in tmp_path.iterdir())
    words = [program("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no", *units]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_systemd_finds_a_wrong_unit(tmp_path: Path) -> None:
    unit = tmp_path / "wrong.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nTimeoutStopSec=soon\n")
    words = [program("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no", str(unit)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "Failed to parse time value" in ended.stderr


@pytest.mark.parametrize(
    "document", list(documents()), ids=lambda document: f"{document['kind']} {document['metadata']['name']}"
)
def test_kubernetes_takes_the_manifests(document: dict[str, Any]) -> None:
    import kubernetes_validate

    kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_compose_takes_the_file() -> None:
    words = [program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_hadolint_has_nothing_to_say_of_the_dockerfile() -> None:
    ended = subprocess.run([program("hadolint"), "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")
