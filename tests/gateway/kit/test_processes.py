"""Children end with their parent, at whatever moment it is killed."""

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from gateway.kit.processes import bound

HOUSE = Path(__file__).parents[3]
PARENT = """
    import os, signal, subprocess, sys, time
    from gateway.kit.processes import die_with_parent

    signal.signal(signal.SIGTERM, lambda *_: None)  # as every server of ours has one
    bind, parent = die_with_parent(), os.getpid()

    def killed_before_the_child_runs_its_own_program():
        bind()
        open(sys.argv[1], "w").write(str(os.getpid()))
        os.kill(parent, signal.SIGKILL)
        while os.getppid() == parent:
            time.sleep(0.01)

    subprocess.Popen(["sleep", "600"], preexec_fn=killed_before_the_child_runs_its_own_program)
"""


def ended(pid, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_child_whose_parent_is_killed_before_it_runs_its_own_program_ends(tmp_path):
    file = tmp_path / "child"
    command = [sys.executable, "-c", textwrap.dedent(PARENT), str(file)]
    assert subprocess.run(command, check=False, cwd=HOUSE, timeout=60).returncode == -signal.SIGKILL
    child = int(file.read_text())
    try:
        assert ended(child)
    finally:
        subprocess.run(["kill", "-9", str(child)], check=False, capture_output=True)


def test_a_server_whose_parent_died_before_it_could_ask_for_its_signal_is_not_started(tmp_path):
    # A shell in between stands for whatever adopts an orphan: it is not the process that the prefix was made in.
    orphan = ["sh", "-c", '"$@"; exit $?', "sh", *bound(signal.SIGTERM), "touch", str(tmp_path / "started")]
    assert subprocess.run(orphan, check=False, timeout=60).returncode != 0
    assert not (tmp_path / "started").exists()
    subprocess.run([*bound(signal.SIGTERM), "touch", str(tmp_path / "started")], check=True, timeout=60)
    assert (tmp_path / "started").exists()
