"""What every test gets: types and shapes checked at every call, a progress folder of its own."""

import jaxtyping
import pytest
from budget_report import pytest_terminal_summary  # noqa: F401  the measured figures
from hypothesis import settings

# Every function and dataclass of course_utils is held to its annotations, tensor shapes included.
jaxtyping.install_import_hook("course_utils", "typechecking.typecheck")

# The same examples every time, no time limit on a busy machine, and no folder left behind.
settings.register_profile("course", derandomize=True, deadline=None, database=None)
settings.load_profile("course")


@pytest.fixture(autouse=True)
def course_work(tmp_path, monkeypatch):
    """Progress is kept in a temporary folder, never in the folder where the tests are started."""
    folder = tmp_path / "course_work"
    folder.mkdir()
    monkeypatch.setenv("COURSE_WORK", str(folder))
    monkeypatch.delenv("COURSE_RESULTS", raising=False)
    return folder
