"""Fixtures that several test files use. What builds files and checks drawings is in `support`."""

import gc
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch loads: tests run side by side, each on one core

pytest.register_assert_rewrite("support")
pytest_plugins = ["support.records", "support.processor_time", "support.stores"]

# a busy machine is no fault of the code; the same examples everywhere, so that a change fails for what it changed:
# OPTIONS=--hypothesis-profile=search looks for others
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile("suite")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

gc.set_threshold(50_000)  # loading libraries makes objects by the thousand and no garbage


def pytest_collection_finish():
    """Search what libraries have loaded for garbage no more: it was a tenth of the time of the tests."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def no_wait_for_the_disk():
    """Files are not forced to the disk one by one, which only a power cut would tell; a third of the time of some tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda number: None)
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real Theia L3A data, beside the project and never part of it; the test skips where it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real Theia L3A data is not at {folder}")
    return folder


@pytest.fixture(scope="session")
def browser():
    """Debian's chromium, driven by playwright; the test skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("no chromium or google-chrome is installed")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def is_whole() -> Callable:
    """Asserts that a drawing is whole; see `support.drawings`."""
    from support.drawings import assert_whole

    return assert_whole
