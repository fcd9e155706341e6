"""A bar is shown where somebody can see it and has to wait."""

import html
import io
import re
import sys
from types import SimpleNamespace

import IPython
import IPython.display
import pytest

from course_utils.progress_bar import progress_bar as one_bar  # the module has its name

bars = sys.modules["course_utils.progress_bar"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when the test says so."""
    now = [100.0]
    monkeypatch.setattr(bars.time, "monotonic", lambda: now[0])

    def wait(seconds):
        now[0] += seconds

    return wait


@pytest.fixture
def terminal(monkeypatch):
    made = Terminal()
    monkeypatch.setattr(bars, "sys", SimpleNamespace(stderr=made, modules=sys.modules))
    return made


@pytest.fixture
def notebook(monkeypatch):
    """A kernel, and what it displays."""
    shown = []

    class Handle:
        def update(self, picture, raw):
            words = re.sub("<.*?> ?", "", picture["text/html"])
            assert raw and html.unescape(words) == picture["text/plain"]
            shown.append(picture["text/html"])

    def display(picture, display_id, raw):
        assert display_id
        Handle().update(picture, raw)
        return Handle()

    class Shell:
        kernel = None

    monkeypatch.setattr(IPython, "get_ipython", Shell)
    monkeypatch.setattr(IPython.display, "display", display)
    return shown


def test_short_work_has_no_bar(clock, terminal, notebook):
    with one_bar("Reading", 4) as done:
        for _ in range(4):
            clock(0.24)
            done(1)
    assert terminal.getvalue() == "" and notebook == []


def test_in_a_notebook_it_is_the_browsers_own_with_its_label(clock, notebook):
    with one_bar("Reading <texts>", 4) as done:
        for _ in range(4):
            clock(2)
            done(1)
    assert notebook[0] == (
        '<label>Reading &lt;texts&gt;: <progress value="1" max="4"></progress> 1 of 4, 6 s left'
        "</label>"
    )
    assert len(notebook) == 5 and notebook[-1] == "<label>Reading &lt;texts&gt;: 4 in 8 s</label>"
    assert sum(map(len, notebook)) < 1000


def test_on_a_terminal_it_is_a_line(clock, terminal, monkeypatch):
    monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    with one_bar("Reading", None) as done:
        for _ in range(2000):
            clock(0.01)
            done(1)
    lines = [line.strip() for line in terminal.getvalue().split("\r")]
    assert lines[1] == "Reading: 100" and lines[-1] == "Reading: 2,000 in 20 s"
    assert terminal.getvalue().endswith("\n") and 20 / bars.PERIOD * 0.9 < len(lines) < 90


def test_elsewhere_and_when_not_wanted_there_is_none(clock, terminal, monkeypatch):
    monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    for show, stream in ((False, terminal), (True, io.StringIO())):
        monkeypatch.setattr(bars.sys, "stderr", stream)
        with one_bar("Reading", 2, show=show) as done:
            clock(5)
            done(2)
        assert stream.getvalue() == ""


def test_it_ends_also_with_an_error(clock, notebook):
    with pytest.raises(ZeroDivisionError), one_bar("Reading", 9) as done:
        clock(3)
        done(3)
        raise ZeroDivisionError
    assert re.search("3 in 3 s", notebook[-1])
