"""deploy/: what can be said of its files without the programs that read them."""

import configparser
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from clawsite.management.commands import doctor, purge, serve, work
from tests.deploy.image import ROOT, files
from tests.test_docs import read_by_settings

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
KUBERNETES = {
    path.name: [*yaml.safe_load_all(path.read_text())]
    for path in (DEPLOY / "kubernetes").glob("*.yaml")
}
UNITS = sorted((DEPLOY / "systemd").glob("clawsite-*.service"))
COMMANDS = {"serve": serve, "work": work, "purge": purge, "doctor": doctor}


def objects(kind: str) -> list[dict[str, Any]]:
    """Every object of this kind in deploy/kubernetes."""
    return [each for found in KUBERNETES.values() for each in found if each["kind"] == kind]


def pods() -> dict[str, dict[str, Any]]:
    """The pod template of everything that runs, by name."""
    found = {each["metadata"]["name"]: each["spec"]["template"] for each in objects("Deployment")}
    found |= {each["metadata"]["name"]: each["spec"]["template"] for each in objects("Job")}
    for each in objects("CronJob"):
        found[each["metadata"]["name"]] = each["spec"]["jobTemplate"]["spec"]["template"]
    return {name: template["spec"] for name, template in found.items()}


def unit(path: Path) -> configparser.SectionProxy:
    """The section `Service` of a unit."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path)
    return parser["Service"]


def test_it_works() -> None:
    assert {"web", "worker", "migrate", "nginx", "postgres", "redis"} == set(COMPOSE["services"])
    assert {"web", "worker", "migrate", "purge"} == set(pods())
    assert len(UNITS) == 3


def test_every_manifest_is_in_the_kustomization() -> None:
    (kustomization,) = KUBERNETES["kustomization.yaml"]
    assert {*kustomization["resources"], "kustomization.yaml"} == set(KUBERNETES)


def commands() -> list[list[str]]:
    """Every command line of ours, wherever it stands."""
    found = [service["command"] for service in COMPOSE["services"].values() if "build" in service]
    found += [pod["containers"][0]["args"] for pod in pods().values()]
    found += [unit(path)["ExecStart"].split("manage.py ")[1].split() for path in UNITS]
    return found


@pytest.mark.parametrize("line", commands(), ids=" ".join)
def test_every_command_line_is_understood(line: list[str]) -> None:
    name, *arguments = line
    if name == "migrate":
        assert arguments == ["--no-input"]
        return
    parser = COMMANDS[name].Command().create_parser("manage.py", name)
    parser.parse_args(arguments)


def test_there_is_time_for_the_shutdown_of_the_product() -> None:
    grace = settings.CLAW_SHUTDOWN_GRACE + 5
    for name in ("web", "worker"):
        assert float(COMPOSE["services"][name]["stop_grace_period"].rstrip("s")) > grace
        assert pods()[name]["terminationGracePeriodSeconds"] > grace
        assert (
            float(unit(DEPLOY / "systemd" / f"clawsite-{name}.service")["TimeoutStopSec"]) > grace
        )


def test_every_setting_named_is_one() -> None:
    (config,) = objects("ConfigMap")
    named = {*config["data"], *COMPOSE["services"]["web"]["environment"]}
    for path in UNITS:
        named |= set(re.findall(r"^Environment=(\w+)=", path.read_text(), re.MULTILINE))
    dockerfile = (DEPLOY / "docker" / "Dockerfile").read_text()
    named |= set(re.findall(r"\b(CLAW_\w+|DATABASE_URL)=", dockerfile))
    assert named <= read_by_settings()


def test_the_image_can_back_up_the_database_of_compose() -> None:
    """pg_dump refuses a server that is newer than it."""
    dockerfile = (DEPLOY / "docker" / "Dockerfile").read_text()
    (client,) = re.findall(r"postgresql-client-(\d+)", dockerfile)
    (server,) = re.findall(r"^postgres:(\d+)", COMPOSE["services"]["postgres"]["image"])
    assert int(client) >= int(server)
    assert dockerfile.count("FROM python:3.11-slim-trixie") == dockerfile.count("FROM ")


def test_a_unit_sets_nothing_that_a_command_would_miss() -> None:
    """`backup` once left out the journals, whose folder only the server's unit knew."""
    for path in UNITS:
        assert set(re.findall(r"^Environment=(\w+)=", path.read_text(), re.MULTILINE)) <= {
            "LOG_FORMAT"
        }
    written = (DEPLOY.parent / "docs" / "deploy.md").read_text()
    assert "\n   CLAW_DATA_DIR=/var/lib/clawsite/runs\n" in written


def test_nothing_runs_as_root_or_may_become_it() -> None:
    for name, pod in pods().items():
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"], name
        assert not container["securityContext"]["allowPrivilegeEscalation"], name
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
    for path in UNITS:
        assert unit(path)["User"] == "clawsite"
    assert "\nUSER 10001:10001\n" in (DEPLOY / "docker" / "Dockerfile").read_text()


def test_the_limits_of_the_proxies_are_those_of_the_product() -> None:
    (ingress,) = objects("Ingress")
    notes = ingress["metadata"]["annotations"]
    proxy = (DEPLOY / "nginx" / "clawsite-proxy.conf").read_text()
    assert settings.CLAW_TRANSPORT_MAX_BYTES == 1024 * 1024
    assert settings.CLAW_MAX_DOCUMENT_BYTES == 20 * 1024 * 1024
    assert notes["nginx.ingress.kubernetes.io/proxy-body-size"] == "21m"
    assert re.findall(r"client_max_body_size (\w+);", proxy) == ["1m", "21m"]
    silence = max(settings.CLAW_KEEPALIVE_INTERVAL, settings.CLAW_PING_INTERVAL)
    assert float(notes["nginx.ingress.kubernetes.io/proxy-read-timeout"]) > 2 * silence
    (read,) = re.findall(r"proxy_read_timeout (\d+)s;", proxy)
    assert float(read) > 2 * silence
    for name in ("client_header_timeout", "client_body_timeout"):
        assert f"{name} {settings.CLAW_REQUEST_TIMEOUT:.0f}s;" in proxy


def test_the_image_holds_no_secret_and_no_test() -> None:
    inside = {path.relative_to(ROOT).as_posix() for path in files()}
    assert {"manage.py", "requirements.txt", "clawsite/settings.py"} <= inside
    assert not any(re.match(r"\.|tests/|docs/|.*\.sqlite3", name) for name in inside)


@pytest.mark.process
def test_the_image_holds_everything(tmp_path: Path) -> None:
    """From a folder with nothing else, which nobody may write to, all of it starts."""
    for path in files():
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    env = {
        "DATABASE_URL": "sqlite://:memory:",
        "SECRET_KEY": "for-tests-only-8vQ2xLr5nWk9TzYb4Hc7Jd1Mf6Pg3Sa",
        "CLAW_ENCRYPTION_KEYS": settings.CLAW_ENCRYPTION_KEYS[0],
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    program = "import clawsite.asgi, clawsite.server.uvicorn, django; print(clawsite.asgi.__file__)"
    for arguments in (["manage.py", "check"], ["-c", program]):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=env | {"DJANGO_SETTINGS_MODULE": "clawsite.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
