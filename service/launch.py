"""Start one program tied to the life of the process that asked for it.

Executed by its path (`python -I -S launch.py …`), never imported: a parent-death signal is set after `fork`
and before `exec`, and doing that in a fresh interpreter keeps `preexec_fn`, unsafe beside threads, out of the
service. The order matters: a change of user clears the signal, so the user is changed first (prctl(2)).

Arguments: death signal, expected parent pid, umask (octal), `uid:gid` or `-`, then the program and its
arguments.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
CANNOT_START = 127  # what a shell answers for a program that cannot be executed


def main() -> None:
    death_signal, parent_pid, umask, user, *command = sys.argv[1:]
    os.umask(int(umask, 8))
    if user != "-":
        uid, gid = (int(part) for part in user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(parent_pid):
        sys.exit(0)  # the parent died before the signal was set; nobody is left to serve
    # The interpreter ignores SIGPIPE, and what is ignored stays ignored through exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execv(command[0], command)  # noqa: S606  # no shell is meant to see this
    except OSError as error:
        sys.stderr.write(f"cannot start {command[0]}: {error.strerror}\n")
        sys.exit(CANNOT_START)


if __name__ == "__main__":
    main()
