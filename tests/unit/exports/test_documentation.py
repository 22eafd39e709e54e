"""What is there is documented: every format and every choice."""

from dataclasses import fields
from pathlib import Path

import pytest

from exports.choices import Choices
from exports.containers import CONTAINERS
from exports.formats import FORMATS

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "exports.md").read_text()


@pytest.mark.parametrize("name", [*FORMATS, *CONTAINERS, *(spec.name for spec in fields(Choices))])
def test_it_is_described(name):
    assert f"`{name}`" in TEXT
