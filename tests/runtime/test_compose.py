"""What docker-compose.yml and the Dockerfile promise, read as data: no engine is needed."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

_ROOT = Path(__file__).parents[2]
_COMPOSE: dict[str, Any] = yaml.safe_load((_ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
_SERVICES: dict[str, dict[str, Any]] = _COMPOSE["services"]
_PROCESSES = {"migrate", "api", "worker", "sender", "scheduler", "poller"}
_STORES = {"db", "valkey"}
_SECRET_NAME = re.compile(r"PASSWORD|SECRET|_URL$")
_MAY_BE_EMPTY = {"SIYU_TELEGRAM_API_BASE", "SIYU_TELEGRAM_BOT_TOKEN", "SIYU_SECRET_OLDER_KEYS"}
_REQUIRED = re.compile(r"\$\{[A-Z_]+:\?[^}]+\}")

each_service = pytest.mark.parametrize("name", sorted(_SERVICES))


def test_every_process_and_store_is_a_service() -> None:
    assert set(_SERVICES) == _PROCESSES | _STORES


@each_service
def test_a_service_has_no_rights_that_it_does_not_need(name: str) -> None:
    service = _SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged", False)
    assert str(service["user"]).split(":")[0] not in {"", "0", "root"}
    assert not {"network_mode", "pid", "ipc", "userns_mode", "devices"} & set(service)


@each_service
def test_a_service_writes_to_named_volumes_and_small_memory_only(name: str) -> None:
    service = _SERVICES[name]
    for volume in service.get("volumes", []):
        assert volume.split(":")[0] in _COMPOSE["volumes"]
    for mount in service["tmpfs"]:
        options = mount.split(":")[1].split(",")
        assert {"noexec", "nosuid", "nodev"} <= set(options)
        assert any(option.startswith("size=") for option in options)


@each_service
def test_a_service_has_limits_and_bounded_logs(name: str) -> None:
    service = _SERVICES[name]
    assert {"cpus", "memory", "pids"} <= set(service["deploy"]["resources"]["limits"])
    assert {"max-size", "max-file"} <= set(service["logging"]["options"])


@each_service
def test_a_service_that_stays_is_watched_and_restarted(name: str) -> None:
    service = _SERVICES[name]
    if name == "migrate":
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries"} <= set(service["healthcheck"])


def test_stores_are_reachable_by_siyu_alone() -> None:
    assert _COMPOSE["networks"]["backend"]["internal"] is True
    for name in _STORES:
        assert _SERVICES[name]["networks"] == ["backend"]
        assert "ports" not in _SERVICES[name]
        assert "expose" not in _SERVICES[name]


def test_only_the_api_is_published_and_only_to_this_machine() -> None:
    published = {name: service["ports"] for name, service in _SERVICES.items() if "ports" in service}
    assert set(published) == {"api"}
    assert all(port.startswith("127.0.0.1:") for port in published["api"])
    assert {name for name, service in _SERVICES.items() if "edge" in service["networks"]} == {"api"}


@pytest.mark.parametrize("name", sorted(_PROCESSES))
def test_a_process_runs_its_own_command_after_what_it_needs(name: str) -> None:
    service = _SERVICES[name]
    assert service["command"] == [name]
    needs = {other: need["condition"] for other, need in service["depends_on"].items()}
    assert needs["db"] == "service_healthy"
    if name != "migrate":
        assert needs == {
            "db": "service_healthy",
            "valkey": "service_healthy",
            "migrate": "service_completed_successfully",
        }


@each_service
def test_no_secret_has_a_default(name: str) -> None:
    secrets_seen = 0
    for variable, value in _SERVICES[name]["environment"].items():
        if _SECRET_NAME.search(variable) and variable not in _MAY_BE_EMPTY:
            secrets_seen += 1
            assert _REQUIRED.search(value), f"{variable} starts without being set"
    assert secrets_seen > 0


@each_service
def test_no_password_stands_on_a_command_line(name: str) -> None:
    assert not re.search(r"(?<!\$)\$\{?[A-Z_]*(PASSWORD|SECRET|TOKEN)", str(_SERVICES[name]["command"]))


def test_the_example_names_every_variable_and_holds_no_secret() -> None:
    text = (_ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    required = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    lines = (_ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert required <= set(example)
    assert all(example[variable] == "" for variable in required)


def test_the_image_runs_as_nobody_in_particular_from_the_hashed_lock() -> None:
    lines = (_ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users == ["10001:10001"]
    installs = [line for line in lines if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
    assert not any(line.startswith(("ADD", "ENV SIYU_SECRET")) for line in lines)
