#!/usr/bin/env python3
"""Sets up the course and starts it.

    python3 course.py lab     open the course in JupyterLab
    python3 course.py test    run all its tests

Both set up everything they need in the folder .venv, the first time and whenever what is
needed has changed. Options for JupyterLab or pytest go after two dashes:

    python3 course.py lab -- --no-browser --port 9000

Needs nothing but Python 3.10 to 3.13 with its standard library, and a network the first time.
"""

# The syntax is old on purpose: an old Python must get as far as the sentence about its age.
from __future__ import print_function

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

OLDEST, NEWEST = (3, 10), (3, 13)
ROOT = os.path.dirname(os.path.abspath(__file__))
NO_VENV = (
    "This Python cannot make virtual environments: install its venv module (on Debian and "
    "Ubuntu: `sudo apt install python3-venv`). Then run the same command again."
)
AGAIN = "Then run the same command again; it goes on from here."
ANEW = "Download the course again, over this folder (your own work, in work/, stays). "

# JupyterLab as a learner should first see it: no news, no update check, the course map as a page,
# and no tools that the course does not use.
LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension:plugin": {
        "defaultViewers": {"markdown": "Markdown Preview"},
    },
}
LAB_PAGE = {
    "disabledExtensions": {
        "@jupyterlab/apputils-extension:announcements": True,
        "@jupyterlab/debugger-extension": True,
        "@jupyterlab/extensionmanager-extension": True,
        "@jupyterlab/lsp-extension": True,
        "jupyterlab-jupytext": True,
    }
}


class Problem(Exception):
    """Something that the user has to know, in a sentence that says what to do."""


# Paths


def in_root(*parts):
    return os.path.join(ROOT, *parts)


def venv_folder():
    return in_root(".venv")


def venv_python():
    where = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(venv_folder(), *where)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, content):
    """Replace a file in one step: whoever is interrupted leaves the old one or the new one."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".course-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)  # mkstemp gives a private file
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def digest(*contents):
    return hashlib.sha256(b"\0".join(contents)).hexdigest()


# Setting up


def check_python(version):
    """Say so when this Python is too old or too new."""
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        raise Problem(
            "This course needs Python 3.%d to 3.%d, and this is Python %d.%d: "
            "install one of those and start course.py with it."
            % (OLDEST[1], NEWEST[1], version[0], version[1])
        )


def wanted():
    """What the environment must have been made from to be used as it is."""
    version = "%d.%d" % tuple(sys.version_info[:2])
    sources = [read(in_root(name)) for name in ("requirements.lock", "pyproject.toml")]
    return digest(version.encode(), ROOT.encode("utf-8", "surrogateescape"), *sources)


def is_ready():
    if not os.access(venv_python(), os.X_OK):  # gone, or a link to a Python that is gone
        return False
    try:
        return read(os.path.join(venv_folder(), "course-ready")) == wanted().encode()
    except OSError:
        return False


@contextlib.contextmanager
def one_at_a_time():
    """Wait while another set-up runs. The system frees the lock even if that one is killed."""
    with open(in_root(".setup.lock"), "w") as file:
        if os.name == "nt":
            import msvcrt

            def attempt():
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

        else:
            import fcntl

            # pip holds the lock too, in case this process is killed and pip goes on.
            os.set_inheritable(file.fileno(), True)

            def attempt():
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

        told = False
        while True:
            try:
                attempt()
                break
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
                    break  # a file system without locks: better no lock than no course
                if not told:
                    print("Another set-up of this folder is running; waiting for it.")
                    told = True
                time.sleep(0.5)
        yield


def set_up():
    """Make .venv complete. What an interrupted run has already done is kept."""
    if is_ready():
        return
    with one_at_a_time():
        if is_ready():
            return
        print("Setting up the course in %s (a few minutes, once)." % venv_folder())
        forget_halves()
        make_venv()
        install_torch()
        step("other packages", ["--no-deps", "-r", in_root("requirements.lock")])
        step("the course itself", ["--no-deps", "--no-build-isolation", "-e", ROOT])
        write(os.path.join(venv_folder(), "course-ready"), wanted().encode())
        print("The course is set up.")


def forget_halves():
    """Let pip install again what an interrupted run left half installed.

    pip takes a package as installed as soon as its .dist-info folder is there. The data of a
    package (most of JupyterLab) comes later, and the file INSTALLER after that.
    """
    version = "python%d.%d" % tuple(sys.version_info[:2])
    parts = ("Lib",) if os.name == "nt" else ("lib", version)
    packages = os.path.join(venv_folder(), *(parts + ("site-packages",)))
    for name in os.listdir(packages) if os.path.isdir(packages) else []:
        folder = os.path.join(packages, name)
        if name.endswith(".dist-info") and not os.path.exists(os.path.join(folder, "INSTALLER")):
            shutil.rmtree(folder)


def make_venv():
    """Make the virtual environment, unless a working one of this Python version is there."""
    probe = (
        "import sys, importlib.metadata as m; m.version('pip');"
        "print('%d.%d' % sys.version_info[:2])"
    )
    try:
        found = subprocess.check_output([venv_python(), "-c", probe], stderr=subprocess.DEVNULL)
        if found.decode().strip() == "%d.%d" % tuple(sys.version_info[:2]):
            return
    except (OSError, subprocess.CalledProcessError):
        pass
    import importlib.util  # not at the top: Python 2 has no such thing

    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise Problem(NO_VENV)
    if not os.path.isdir(venv_folder()):
        os.mkdir(venv_folder())  # the venv module does not say it well if a file is in the way
    run = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", venv_folder()],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=clean_environment(),
        close_fds=os.name == "nt",  # as in step
    )
    if run.returncode:
        raise explain(run.stdout.decode(errors="replace"), "the virtual environment")


def pinned(package):
    """`package==version` as the lock has it."""
    lock = read(in_root("requirements.lock")).decode(errors="replace")
    found = re.search(r"^%s==[^\s;]+" % re.escape(package), lock, re.MULTILINE)
    if not found:
        raise Problem("requirements.lock is damaged. " + ANEW + AGAIN)
    return found.group()


def install_torch():
    """Install PyTorch without gigabytes of CUDA, wherever a CPU build is on offer.

    macOS and Windows have no other build on the usual index. On Linux the configured index or
    folder may hold one; else uv knows where PyTorch keeps its own; only then the usual one.
    """
    torch = pinned("torch")
    if not sys.platform.startswith("linux"):
        step("PyTorch", ["--no-deps", torch])
        return
    if step("PyTorch for the CPU", ["--no-deps", torch + "+cpu"], may_be_missing=True):
        return
    if step(
        "uv, which finds PyTorch's CPU build", ["--no-deps", pinned("uv")], may_be_missing=True
    ):
        uv = [venv_python(), "-m", "uv", "pip", "install", "--python", venv_python()]
        options = ["--no-deps", "--torch-backend", "cpu", torch]
        if step("PyTorch for the CPU", options, installer=uv, may_be_missing=True):
            return
    print("  No CPU build of PyTorch is on offer: taking the usual one, with some GB of CUDA.")
    step("PyTorch", [torch])


def step(what, options, installer=None, may_be_missing=False):
    """Run one installation, with its output in a log and its progress in a line.

    Returns True when it went well. False, when `may_be_missing`, if the index has no such thing
    or cannot be asked; every other failure is a Problem.
    """
    began = time.time()
    show("  %s ..." % what)
    command = list(installer or [venv_python(), "-m", "pip", "install", "--no-input"]) + options
    log = os.path.join(venv_folder(), "install.log")
    environment = clean_environment()
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    environment["PIP_USER"] = "0"  # whatever pip.conf says: here it installs into .venv
    over = "\r" if sys.stdout.isatty() else "\n"
    with open(log, "ab") as out:
        start = out.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            close_fds=os.name == "nt",  # elsewhere pip is to hold the lock of one_at_a_time
        )
        try:
            while process.poll() is None:
                time.sleep(0.2)
                if over == "\r":
                    show("\r  %s ... %d s " % (what, time.time() - began))
        except BaseException:
            process.terminate()
            process.wait()
            raise
    said = read(log)[start:].decode(errors="replace")
    if process.returncode == 0:
        print("%s  %s: done in %d s." % (over, what, time.time() - began))
        return True
    print("%s  %s: not done.  " % (over, what))
    missing = re.search(
        "No matching distribution|no version of|unsatisfiable|Failed to fetch", said
    )
    if may_be_missing and not re.search(FULL, said):
        # uv asks PyTorch's own index, which may be out of reach where the usual one is not.
        if installer or (missing and not re.search(NETWORK, said)):
            return False
    raise explain(said, what)


NETWORK = (
    "NewConnectionError|NameResolutionError|Temporary failure in name resolution|ConnectTimeout"
    "|ReadTimeout|Network is unreachable|Connection refused|Connection reset|getaddrinfo failed"
    "|ProxyError|Connection broken|Connection aborted|IncompleteRead|SSLError|SSL: CERTIFICATE"
    "|confirming the ssl certificate"
)
FULL = "No space left on device|Disk quota exceeded"


def explain(said, what):
    """The sentence for what an installer wrote before it gave up."""
    if re.search(FULL, said):
        return Problem("The disk is full: make about 3 GB of room. " + AGAIN)
    if "ensurepip" in said:
        return Problem(NO_VENV)
    if re.search(NETWORK, said):
        return Problem(
            "The package index could not be reached: check the network, or the proxy. " + AGAIN
        )
    errors = [line for line in said.splitlines() if "error" in line.lower()]
    last = (errors or said.strip().splitlines() or ["no message"])[-1].strip()[:300]
    return Problem(
        "Installing %s failed (%s). The whole story is in %s; if that does not help, delete the "
        "folder .venv. %s" % (what, last, os.path.join(".venv", "install.log"), AGAIN)
    )


def show(text):
    sys.stdout.write(text)
    sys.stdout.flush()


# Notebooks


def hand_out(source, work):
    """Copy the notebooks to the learner's folder. Nothing that a learner changed is touched.

    A notebook that has a newer version is replaced if the learner never changed it; else the
    new one is put beside it. What was handed out under which name is kept in .shipped.json.
    """
    if not os.path.isdir(work):
        os.mkdir(work)
    record = os.path.join(work, ".shipped.json")
    try:
        shipped = json.loads(read(record).decode())
    except (OSError, ValueError):
        shipped = {}
    if not isinstance(shipped, dict):
        shipped = {}
    for name in sorted(os.listdir(source)):
        if not name.endswith(".ipynb"):
            continue
        new = read(os.path.join(source, name))
        mine = os.path.join(work, name)
        if not os.path.exists(mine):
            write(mine, new)
        elif shipped.get(name) != digest(new) and read(mine) != new:
            if digest(read(mine)) == shipped.get(name):
                write(mine, new)
                print("%s was updated; you had not changed it." % name)
            else:
                beside = put_beside(mine, new, shipped)
                print("There is a newer %s. Yours is kept; the new one is %s." % (name, beside))
        shipped[name] = digest(new)
    write(record, json.dumps(shipped, indent=1).encode())


def put_beside(mine, new, shipped):
    """Write `new` next to `mine`, over what was put there before if the learner left it alone."""
    stem, number = mine[: -len(".ipynb")], 1
    while True:
        beside = "%s.new%s.ipynb" % (stem, "" if number == 1 else "-%d" % number)
        name = os.path.basename(beside)
        if not os.path.exists(beside) or digest(read(beside)) == shipped.get(name):
            write(beside, new)
        if read(beside) == new:
            shipped[name] = digest(new)
            return name
        number += 1


# The two commands


def clean_environment():
    """The environment without what would make the course's Python look elsewhere."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}


def environment_for(work):
    """The environment of JupyterLab: the course's Python first, its settings kept in work/."""
    environment = clean_environment()
    scripts = os.path.dirname(venv_python())
    environment["PATH"] = scripts + os.pathsep + environment.get("PATH", "")
    environment["VIRTUAL_ENV"] = venv_folder()
    environment["COURSE_WORK"] = work
    environment["JUPYTERLAB_SETTINGS_DIR"] = os.path.join(work, ".lab", "settings")
    environment["JUPYTERLAB_WORKSPACES_DIR"] = os.path.join(work, ".lab", "workspaces")
    return environment


def settle_lab():
    """Write JupyterLab's settings into the environment."""
    places = {
        ("share", "jupyter", "lab", "settings", "overrides.json"): LAB_SETTINGS,
        ("etc", "jupyter", "labconfig", "page_config.json"): LAB_PAGE,
    }
    for parts, content in places.items():
        path = os.path.join(venv_folder(), *parts)
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path))
        write(path, json.dumps(content, indent=1).encode())


def fetch_models(environment):
    """Fetch the weights of published networks. What does not need them works without."""
    command = [venv_python(), "-m", "course_utils", "models", "--quiet"]
    if subprocess.call(command, env=environment, cwd=ROOT):
        print("Going on without it; only what needs it will say so again.")


def lab(options):
    work = in_root("work")
    hand_out(in_root("notebooks"), work)
    settle_lab()
    environment = environment_for(work)
    fetch_models(environment)
    subprocess.check_call(
        [venv_python(), "-m", "course_utils", "start-page", work], env=environment, cwd=work
    )
    command = [venv_python(), "-m", "jupyterlab", "--ServerApp.root_dir=" + work]
    command += ["--LabApp.default_url=/lab/tree/START.md"]
    command += ["--ServerApp.answer_yes=True"]  # one Ctrl-C stops it, without a question
    prompt = "course_utils.server.PromptConnection"  # sliders are answered at once
    command += ["--ServerApp.kernel_websocket_connection_class=" + prompt]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container everyone is root
    print("JupyterLab opens in your browser. Stop it here with Ctrl-C.")
    return become(command + options, environment, work)


def test(options):
    fetch_models(clean_environment())  # if this fails, so do the tests of real networks
    # Two processes, then one for what measures time: tests/quiet_last.py.
    command = [venv_python(), "-m", "pytest", "-n", "2"]
    return become(command + options, clean_environment(), ROOT)


def become(command, environment, folder):
    """Go on as another program, so that Ctrl-C and signals reach it and nobody else."""
    sys.stdout.flush()
    if os.name != "nt":
        os.chdir(folder)
        os.execve(command[0], command, environment)
    process = subprocess.Popen(command, env=environment, cwd=folder)
    while True:  # Windows cannot do that; there, Ctrl-C reaches both
        try:
            return process.wait()
        except KeyboardInterrupt:
            pass


def main(arguments):
    commands = {"lab": lab, "test": test}
    before, after = arguments, []
    if "--" in arguments:
        cut = arguments.index("--")
        before, after = arguments[:cut], arguments[cut + 1 :]
    if before in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    if len(before) != 1 or before[0] not in commands:
        print(__doc__)
        print("Say what to do: `python3 course.py lab` or `python3 course.py test`.")
        return 2
    try:
        check_python(sys.version_info)
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")  # a folder's name may not be printable here
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # stops as Ctrl-C does
        set_up()
        return commands[before[0]](after)
    except Problem as problem:
        print("\n%s" % problem)
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.")
        return 130
    except subprocess.CalledProcessError as error:
        print("\nThis did not work: %s. Delete the folder .venv. %s" % (error.cmd, AGAIN))
    except OSError as error:
        print("\n%s" % os_problem(error))
    return 1


def os_problem(error):
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", -1)):
        return "The disk is full: make about 3 GB of room. " + AGAIN
    path = getattr(error, "filename2", None) or error.filename or "here"  # 2: where to, if moved
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "No permission to write %s: move the course to a folder of your own. " % path + AGAIN
    if error.errno in (errno.EEXIST, errno.EISDIR, errno.ENOTDIR):
        return "%s is in the way: move it elsewhere. %s" % (path, AGAIN)
    if error.errno == errno.ENOENT and not str(path).startswith(venv_folder()):
        return "%s is missing. %s%s" % (path, ANEW, AGAIN)
    return "The system said: %s. If it says so again, delete the folder .venv. %s" % (error, AGAIN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
