# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom the daemon tells: a service manager that watches it, does not read, or is none; a standard error that nobody reads."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import Lab, wait_for  # noqa: E402
from tap import figure, holds, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
SOCKET = '/run/notify'
WATCHDOG_S = 2
lab = None
count = 10


def follows(seconds=5):
    global count
    count += 1
    address, began = f'81.2.69.{count}', time.monotonic()
    lab.set_address(address)
    wait_for('the rule follows', seconds, lambda: f'ip daddr {address} tcp' in lab.rules())
    return time.monotonic() - began


@contextlib.contextmanager
def environment(**variables):
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


class Manager:
    """The service manager's end."""

    def __init__(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(SOCKET)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(SOCKET)
        self.heard = []

    def hear(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.heard.append(self.socket.recv(4096).decode())
        return self.heard

    def pings(self, seconds):
        self.hear()
        before = self.heard.count('WATCHDOG=1')
        time.sleep(seconds)
        return self.hear().count('WATCHDOG=1') - before


def watchdog():
    """READY=1 only after the first look at the rules; signs of life come from the loop: a core that stands still gives none"""
    manager = Manager()
    lab.load_rules('81.2.69.1')
    with environment(NOTIFY_SOCKET=SOCKET, WATCHDOG_USEC=str(WATCHDOG_S * 1000000)):
        lab.start_daemon(wait=False)
    wait_for('READY=1', 20, lambda: 'READY=1' in manager.hear())
    holds('F76', 'READY=1 comes when the rules are in step, not before', 'ip daddr 81.2.69.10 tcp' in lab.rules())
    wait_for('it answers', 10, lab.status)
    alive = manager.pings(3 * WATCHDOG_S)
    figure('F76', f'signs of life in three times WatchdogSec ({WATCHDOG_S} s)', alive, '>= 3')
    core = lab.processes()['core']
    os.kill(core, signal.SIGSTOP)
    try:
        wait_for('what was said before is heard', 10, lambda: not manager.pings(1))
        figure('F76', 'signs of life in three times WatchdogSec while the core stands still', manager.pings(3 * WATCHDOG_S), 0)
    finally:
        os.kill(core, signal.SIGCONT)
    wait_for('a sign of life', 10, lambda: manager.pings(0.2))
    follows()
    same(lab.stop_daemon(), 0)
    assert 'STOPPING=1' in manager.hear()


def not_ready_before():
    """Wherever the core stands still while it starts: READY=1 was not said unless the rules are in step"""
    manager, early = Manager(), 0
    for delay in (0, 0.002, 0.004, 0.007, 0.01, 0.05):
        lab.load_rules('81.2.69.1')
        manager.hear()
        manager.heard.clear()
        with environment(NOTIFY_SOCKET=SOCKET, WATCHDOG_USEC='60000000'):
            lab.start_daemon(wait=False)
        core = wait_for('a core', 20, lambda: lab.processes()['core'], every=0.001)
        time.sleep(delay)
        os.kill(core, signal.SIGSTOP)
        try:
            time.sleep(0.1)     # who hears of the core says it by now
            ready, in_step = 'READY=1' in manager.hear(), f'ip daddr {lab.address} tcp' in lab.rules()
            print(f'# after {delay} s: {"ready" if ready else "not ready"}, {"in step" if in_step else "not in step"}')
            early += ready and not in_step
        finally:
            os.kill(core, signal.SIGCONT)
        wait_for('READY=1', 20, lambda: 'READY=1' in manager.hear())
        wait_for('it answers', 20, lab.status)
        same(lab.stop_daemon(), 0)
    figure('F76', 'starts of 6, stopped anywhere, with READY=1 before the rules were in step', early, '== 0')


def deaf_manager():
    """A manager's socket that is full, a file, a directory, a FIFO, a stream, nothing: nobody waits for it"""
    full = Manager()
    with contextlib.suppress(BlockingIOError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as talker:
        while True:
            talker.sendto(b'x', SOCKET)
    stream = socket.socket(socket.AF_UNIX)
    stream.bind('/run/notify-stream')
    stream.listen()
    open('/run/notify-file', 'w').close()
    os.mkdir('/run/notify-directory')
    os.mkfifo('/run/notify-fifo')
    slowest = 0
    for name in (SOCKET, '/run/notify-stream', '/run/notify-file', '/run/notify-directory', '/run/notify-fifo', '/run/none',
                 '@', '', 'relative', '/' + 200 * 'x'):
        with environment(NOTIFY_SOCKET=name, WATCHDOG_USEC='1000000'):
            lab.start_daemon()
        slowest = max(slowest, follows())
        began = time.monotonic()
        same(lab.stop_daemon(), 0)
        assert time.monotonic() - began < 5, name
    stream.close()
    assert full
    figure('S42', 'slowest rule with a notify socket that is full, no socket, or nothing, seconds', slowest, 5)


def full_pipe():
    """Standard error is a pipe that nobody reads, at the highest level"""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    lab.daemon = subprocess.Popen(
        ['nsenter', '--net=/run/netns/router', f'{lab.build}/hairpind', '-l', 'debug'], stdin=subprocess.DEVNULL, stdout=writer,
        stderr=writer, env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    os.close(writer)
    lab.children.append(lab.daemon)
    wait_for('it answers', 20, lab.status)
    slowest = max(follows() for _ in range(20))
    figure('F71', 'slowest of 20 rules while standard error is a full pipe, seconds', slowest, 5)
    first = os.read(reader, 1 << 16)
    assert first
    follows()
    os.set_blocking(reader, False)

    def said():
        nonlocal first
        with contextlib.suppress(BlockingIOError):
            first += os.read(reader, 1 << 16)
        return b'lines lost because nobody read them' in first
    wait_for('the lost lines are counted', 10, said)
    began = time.monotonic()
    same(lab.stop_daemon(), 0)
    figure('F71', 'seconds to stop', time.monotonic() - began, 5)
    os.close(reader)


def main():
    global lab
    with Lab(build=BUILD) as lab:
        lab.set_address('81.2.69.10')
        lab.load_rules('81.2.69.1')
        lab.write_configuration(lab.configuration(providers=[]))
        run_tests([watchdog, not_ready_before, deaf_manager, full_pipe])


main()
