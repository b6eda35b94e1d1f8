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
    """These processes and their children meanwhile; gives the file of what they called."""
    if os.geteuid() != 0 or not shutil.which('strace'):
        raise Skip('strace may not attach here')
    out = f'{lab.folder}/strace'
    words = ['strace', '-f', '-q', '-o', out]
    for pid in who:
        words += ['-p', str(pid)]
    for rule in inject:
        words += ['-e', f'inject={rule}']
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lab.children.append(child)
    wait_for('strace is attached', 10, lambda: all(traced(pid) for pid in who) or child.poll() is not None)
    if child.poll() is not None:
        raise Skip('strace cannot attach here')
    try:
        yield out
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(10)
        lab.children.remove(child)


def traced(pid):
    with contextlib.suppress(OSError):
        with open(f'/proc/{pid}/status') as file:
            return 'TracerPid:\t0\n' not in file.read()
    return True
