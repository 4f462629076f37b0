"""The processes that dev keeps: reported when they end, stopped together, never left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from gateway.cli.children import ChildEndedError, Children

HOUSE = Path(__file__).parents[3]
PARENT = """
    import sys, time
    from pathlib import Path
    from gateway.cli.children import Children
    children = Children(Path(sys.argv[1]))
    children.start("sandbox", "--port", "0")
    print(children.pids()["sandbox"], flush=True)
    time.sleep(600)
"""


@pytest.fixture
def children(tmp_path):
    made = Children(tmp_path / "logs")
    yield made
    made.close()


def ended(pid):
    for _ in range(6000):
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.02)
    return False


def until_ended(children):
    for _ in range(6000):
        children.check()
        time.sleep(0.02)


def test_a_child_that_ends_is_named_with_the_end_of_its_log(children, tmp_path):
    children.start("keys-of-nobody")
    with pytest.raises(ChildEndedError, match=r"(?s)keys-of-nobody ended by itself \(exit code 2\).*No such command"):
        until_ended(children)


def test_a_killed_child_is_named_with_the_signal(children):
    children.start("sandbox", "--port", "0")
    os.kill(children.pids()["sandbox"], signal.SIGKILL)
    with pytest.raises(ChildEndedError, match=r"sandbox ended by itself \(SIGKILL\)"):
        until_ended(children)


def test_the_log_before_is_kept(children, tmp_path):
    for _ in range(2):
        children.start("--help")
        with pytest.raises(ChildEndedError):
            until_ended(children)
    assert "esim-gateway" in (tmp_path / "logs" / "--help.log.1").read_text()


def test_closing_stops_all(children):
    children.start("sandbox", "--port", "0")
    pid = children.pids()["sandbox"]
    children.check()
    children.close()
    assert ended(pid)
    assert children.pids() == {}


def test_a_command_run_to_its_end_gives_its_exit_code(children, capfd):
    assert children.run("db", "--help") == 0
    assert "upgrade" in capfd.readouterr().out
    assert children.run("no-such-command") == 2


def test_kill_9_of_the_parent_ends_the_children(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(tmp_path)]
    with subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    assert ended(child)
