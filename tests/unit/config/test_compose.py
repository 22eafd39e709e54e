"""docker-compose.yml against the compose specification's schema.

`tests/data/compose-spec.json` is the specification's own (Apache-2.0), as check-jsonschema 0.39 carries it.
"""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from config.launcher import commands

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = ROOT / "tests" / "data" / "compose-spec.json"
ONE_SHOT = {"migrate"}


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def errors(document: dict) -> list[str]:
    validator = Draft202012Validator(json.loads(SCHEMA.read_text()))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def test_it_follows_the_specification(compose):
    assert errors(compose) == []


def test_the_schema_would_have_told(compose):
    broken = {**compose, "services": {"web": {"image": "x", "helthcheck": {}}}}
    assert len(errors(broken)) == 1
    assert "helthcheck" in errors(broken)[0]


def test_everything_that_stays_up_has_a_health_check(compose):
    unchecked = {name for name, service in compose["services"].items() if "healthcheck" not in service}
    assert unchecked == ONE_SHOT


def test_the_judges_have_a_processor_and_a_gpu_profile(compose):
    services = compose["services"].items()
    judges = {name: service["profiles"] for name, service in services if "profiles" in service}
    assert judges == {"judge": ["cpu"], "judge-gpu": ["gpu"]}
    (device,) = compose["services"]["judge-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]


def test_every_part_runs_somewhere_under_its_name(compose):
    words = [service.get("command", "").split() for service in compose["services"].values()]
    started = {command[-1] for command in words if "config.launcher" in command}
    assert started == set(commands())


def test_nothing_depends_on_a_service_that_is_not_there(compose):
    services = compose["services"]
    wanted = {needed for service in services.values() for needed in service.get("depends_on", {})}
    assert wanted <= services.keys()


def test_no_secret_has_a_default(compose):
    text = (ROOT / "docker-compose.yml").read_text()
    assert "${SECRET_KEY:?}" in text and "${POSTGRES_PASSWORD:?}" in text
    assert "SECRET_KEY:-" not in text and "POSTGRES_PASSWORD:-" not in text
