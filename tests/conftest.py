"""What every test gets: types and shapes checked at every call, a progress folder of its own."""

import signal

import jaxtyping
import pytest
import torch
from budget_report import pytest_terminal_summary  # noqa: F401  the measured figures
from hypothesis import settings
from quiet_last import (  # noqa: F401  which test runs where and when
    pytest_collection_finish,
    pytest_configure_node,
    pytest_xdist_make_scheduler,
)

# Every function and dataclass of course_utils is held to its annotations, tensor shapes included.
jaxtyping.install_import_hook("course_utils", "typechecking.typecheck")

# The same examples every time, no time limit on a busy machine, and no folder left behind.
settings.register_profile("course", derandomize=True, deadline=None, database=None)
settings.load_profile("course")

# As the notebooks do. Threads that share small sums wait for each other, and very long when
# another process has one of the processors.
torch.set_num_threads(1)

# A shell that starts something in the background may let it ignore Ctrl-C, and what it starts too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def course_work(tmp_path, monkeypatch):
    """Progress is kept in a temporary folder, never in the folder where the tests are started."""
    folder = tmp_path / "course_work"
    folder.mkdir()
    monkeypatch.setenv("COURSE_WORK", str(folder))
    monkeypatch.delenv("COURSE_RESULTS", raising=False)
    return folder
