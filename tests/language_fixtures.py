"""Fixtures for the tests of `language`, which load this as a plugin of pytest."""

import pytest
from language_models import load


@pytest.fixture
def smollm2():
    return load("smollm2")


@pytest.fixture
def one_layer():
    return load("one-layer")


@pytest.fixture(params=["smollm2", "one-layer"])
def model(request):
    """Both, one after the other."""
    return load(request.param)
