# SPDX-License-Identifier: GPL-2.0-or-later
"""System calls of the daemon that are refused, interrupted or slow, by strace, which root may attach to what no debugger
of its own user may."""

import contextlib
import os
import shutil
import signal
import subprocess

from lab import wait_for
from tap import Skip


@contextlib.contextmanager
def strace(lab, who, *inject):
    """These processes and their children meanwhile; gives the file of what they called. A function tells whose they are:
    who dies of the first call that is refused, before strace is seen to be attached, has a successor."""
    if os.geteuid() != 0 or not shutil.which('strace'):
        raise Skip('strace may not attach here')
    out = f'{lab.folder}/strace'
    rules = [word for rule in inject for word in ('-e', f'inject={rule}')]
    for _ in range(5 if callable(who) else 1):
        pids = wait_for('whom to trace', 60, lambda: living(who() if callable(who) else who))
        child = subprocess.Popen(['strace', '-f', '-q', '-o', out, *rules, *(f'-p{pid}' for pid in pids)],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lab.children.append(child)
        wait_for('strace is attached', 10, lambda: all(traced(pid) for pid in pids) or child.poll() is not None)
        if child.poll() is None and living(pids):
            break
        lab.end(child)
    else:
        raise Skip('strace cannot attach here')
    try:
        yield out
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(10)
        lab.children.remove(child)


def living(pids):
    """These, if all live; else nothing."""
    return pids if all(pid and os.path.exists(f'/proc/{pid}') for pid in pids) else []


def traced(pid):
    with contextlib.suppress(OSError):
        with open(f'/proc/{pid}/status') as file:
            return 'TracerPid:\t0\n' not in file.read()
    return True
