"""Child processes that end with their parent, and a way for root to run what refuses root. Linux.

The kernel sends the death signal when the *thread* that started the child ends, so children are
started from the main thread. It forgets the signal whenever a process changes its credentials, so
``setpriv`` stands last, after ``unshare`` or the change of user.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from schemas.errors import ConfigurationError

_PR_SET_PDEATHSIG = 1
# access(2) leaves out the capabilities of everybody but root unless this bit is set. PostgreSQL asks it whether its own
# binaries can be run, which stand below a folder of root's alone where the gateway is installed in /root.
_KEEP_CAPABILITIES = ("--securebits=+no_setuid_fixup",)


def die_with_parent(signum: int = signal.SIGTERM) -> Callable[[], None]:
    """A ``preexec_fn`` after which the child gets ``signum`` when this process dies, even by kill -9."""
    libc = ctypes.CDLL(None, use_errno=True)  # loaded before the fork: the child must not
    parent = os.getpid()

    def bind() -> None:
        # Until it runs its own program, the child has the handlers of this process: they would swallow the signal.
        if signum != signal.SIGKILL:  # which has no handler
            signal.signal(signum, signal.SIG_DFL)
        libc.prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return bind


@dataclass(frozen=True, slots=True)
class Footing:
    """How a server is started: the command put before its own, and the user that must own its files."""

    prefix: tuple[str, ...]
    uid: int
    gid: int


def bound(signum: signal.Signals) -> tuple[str, ...]:
    """The command prefix that makes what follows it die with this process, its parent."""
    # The parent may have died before setpriv asked for its signal: then the shell has another one.
    unless_orphan = ("sh", "-c", 'test "$PPID" = "$0" && exec "$@"', str(os.getpid()))
    return (_tool("setpriv"), "--pdeathsig", signum.name.removeprefix("SIG"), *unless_orphan)


def footing(signum: signal.Signals) -> Footing:
    """A footing for a server that refuses to be root, dying by ``signum`` with its parent.

    An ordinary user's is plain. Root's is a user namespace in which it is nobody special; where
    namespaces are refused, the user nobody, allowed to pass folders that are root's own.
    """
    if os.geteuid() != 0:
        return Footing(bound(signum), os.geteuid(), os.getegid())
    if _namespaces():
        unshare = (_tool("unshare"), "--user", "--map-user=1000", "--map-group=1000")
        return Footing((*unshare, *bound(signum)), 0, 0)
    nobody = pwd.getpwnam("nobody")
    become = (
        *(_tool("setpriv"), f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"),
        *(_KEEP_CAPABILITIES if _may_keep_capabilities() else ()),
        *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
    )
    return Footing((*become, *bound(signum)), nobody.pw_uid, nobody.pw_gid)


def working_in(folder: Path) -> list[int]:
    """The processes whose working folder is ``folder``: of a PostgreSQL, all that belong to its data."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _stands_in(entry, folder)]


def _stands_in(entry: Path, folder: Path) -> bool:
    try:
        return (entry / "cwd").readlink() == folder
    except OSError:  # ended meanwhile, or another user's
        return False


@cache
def _namespaces() -> bool:
    command = [_tool("unshare"), "--user", "--map-user=1000", "--map-group=1000", "true"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - our own words


@cache
def _may_keep_capabilities() -> bool:
    """Whether this root has CAP_SETPCAP, which a container may lack."""
    command = [_tool("setpriv"), *_KEEP_CAPABILITIES, "true"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - our own words


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ConfigurationError(
            f"the embedded servers need the command {name} (package util-linux); "
            "or set GATEWAY_DATABASE_URL and GATEWAY_REDIS_URL to servers of your own"
        )
    return found
