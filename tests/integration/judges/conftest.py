"""Fixtures of the judges' integration tests."""

import pytest
from django.conf import settings


@pytest.fixture
def smollm2_home():
    """Skips, saying so, where the weights are not at hand."""
    if not any(settings.MODELS_DIR.rglob("*.gguf")):
        pytest.skip(f"NO MODEL WEIGHTS beneath {settings.MODELS_DIR}: run `make install`")
