"""How the tests are shared out among processes: what measures time runs alone, after all others.

`@pytest.mark.quiet` is for a test that measures time. `@pytest.mark.together("name")` is for tests
that share something dear, such as a notebook that has been run: one process gets them all. So it
is with all tests in a browser. Two browsers at once are too much for two processors: anywidget
gives a panel two seconds to appear.

The processes of xdist find all tests and say which there are, but not how they are marked. So they
write that into files. (xdist's own groups have no effect with pytest 9.2: its issue 1386.)
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

QUIET = "quiet"
FOLDER = pytest.StashKey[str]()


def group(item: pytest.Item) -> str:
    together = item.get_closest_marker("together")
    names = together.args if together else ()
    if item.path.parent.name == "browser":
        names = ("browser",)
    return " ".join([*names, *([QUIET] if item.get_closest_marker(QUIET) else ())])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process where to write."""
    if FOLDER not in node.config.stash:
        folder = tempfile.TemporaryDirectory()
        node.config.stash[FOLDER] = folder.name
        node.config.add_cleanup(folder.cleanup)
    node.workerinput["groups"] = str(Path(node.config.stash[FOLDER], node.gateway.id))


@pytest.hookimpl(tryfirst=True)  # before xdist says that all tests are found
def pytest_collection_finish(session: pytest.Session) -> None:
    """Write, in such a process."""
    if path := getattr(session.config, "workerinput", {}).get("groups"):
        groups = {item.nodeid: name for item in session.items if (name := group(item))}
        Path(path).write_text(json.dumps(groups), encoding="utf-8")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return QuietLast(config, log)


class QuietLast(LoadScopeScheduling):
    """Large groups first, then single tests; quiet ones when all processes but one have ended."""

    def schedule(self) -> None:
        paths = Path(self.config.stash[FOLDER]).iterdir()
        self._groups = json.loads(next(paths).read_text(encoding="utf-8"))
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return self._groups.get(nodeid, nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        loud = (name for name in self.workqueue if name.split()[-1] != QUIET)
        if name := next(loud, None):
            self.workqueue.move_to_end(name, last=False)  # the next one
        elif node is not self.nodes[0]:
            return node.shutdown()  # when it has done what it was given
        elif len(self.nodes) > 1:
            return
        super()._assign_work_unit(node)

    def remove_node(self, node: Any) -> str | None:
        """The process has ended, or crashed: then what it had not begun is for the others."""
        given = self.assigned_work.pop(node)
        crashed = next((i for tests in given.values() for i in tests if not tests[i]), None)
        for name, tests in given.items():
            left = {i: False for i, done in tests.items() if not done and i != crashed}
            if left:
                self.workqueue[name] = left
        for other in self.nodes:
            self._reschedule(other)
        return crashed
