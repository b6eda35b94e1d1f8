# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel refuses at run time: descriptors, sockets, processes; storms of signals; a kill at any system call.
ROUNDS, SEED as elsewhere."""

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from calls import strace  # noqa: E402
from hours import Hours  # noqa: E402
from lab import wait_for  # noqa: E402
from tap import figure, holds, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
SEED = int(os.environ.get('SEED', time.time_ns() % 100000))
ROUNDS = int(os.environ.get('ROUNDS', 3))
dice = random.Random(SEED)
lab = None


def in_step():
    return f'ip daddr {lab.address} tcp' in lab.rules()


def pids():
    return [pid for pid in lab.processes().values() if pid]


def seconds_of(pid):
    with contextlib.suppress(OSError):
        with open(f'/proc/{pid}/stat') as file:
            return sum(map(int, file.read().rsplit(')', 1)[1].split()[11:13])) / os.sysconf('SC_CLK_TCK')
    return 0


def busiest(seconds=2):
    """The share of a processor that the busiest of ours takes meanwhile, in real time. Who spins does so all the while;
    work that just then had to be done is over in one of three times."""
    shares = []
    while len(shares) < 3 and min(shares, default=100) > 5:
        before = {pid: seconds_of(pid) for pid in pids()}
        time.sleep(seconds)
        shares.append(max(seconds_of(pid) - was for pid, was in before.items()) / seconds * 100)
    return min(shares)


def settled():
    lab.settle(1800)
    lab.clock.until('rules', 120, in_step)
    same(lab.dns(), [lab.address])


def limit_of(pid, *change):
    return resource.prlimit(pid, resource.RLIMIT_NOFILE, *change)


def few_descriptors():
    """No process of ours gets another descriptor: none spins, all goes on when they may again"""
    lab.begin()
    lab.guard.expects(dies=('publisher', 'core'), descriptors=8)
    limits = {}
    for pid in pids():
        with contextlib.suppress(PermissionError):  # another user's: the next publisher inherits the supervisor's
            limits[pid] = limit_of(pid)
            limit_of(pid, (12, limits[pid][1]))
    assert len(limits) >= 2, limits
    callers = [subprocess.Popen([f'{lab.build}/hairpinctl', 'status'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0')) for _ in range(3)]
    lab.change_address()
    wait_for('rules need no new descriptor', 10, in_step)
    figure('F63', 'CPU without descriptors, calls waiting', busiest(), 5, '%')
    for pid, limit in limits.items():
        with contextlib.suppress(OSError):
            limit_of(pid, limit)
    for caller in callers:
        with contextlib.suppress(subprocess.TimeoutExpired):
            caller.wait(15)
        caller.kill()
        caller.wait()
    settled()
    holds('F63', 'all goes on when there are descriptors again')


def refused_calls():
    """Sockets, files and processes are refused by the kernel with every errno: none spins, all goes on afterwards"""
    most = most_calls = 0
    calls = 'socket,accept4,openat,clone,clone3,vfork,socketpair,pipe2,memfd_create'
    for error in ('EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'):
        lab.begin()
        lab.guard.expects(dies=('publisher', 'core'), descriptors=8)
        found = lab.processes()
        with strace(lab, [found['supervisor'], found['core']], f'{calls}:error={error}') as out:
            lab.change_address()
            wait_for('rules', 10, in_step)
            lab.daemon.send_signal(signal.SIGHUP)
            most = max(most, busiest())
            most_calls = max(most_calls, injected(out))
        settled()
    figure('F63', 'CPU while sockets, files and processes are refused', most, 5, '%')
    figure('F63', 'calls that were refused in 2 seconds', most_calls, '>= 1')
    holds('F63', 'EMFILE, ENFILE, EAGAIN, ENOMEM: all goes on afterwards')


def publisher_refused():
    """The publisher at work gets no descriptor and no socket: it does not spin, and the record is published afterwards"""
    most, calls = 0, []
    for error in ('EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'):
        lab.begin()
        lab.guard.expects(dies='publisher', descriptors=8)
        lab.change_address()
        publisher = wait_for('a publisher', 20, lambda: lab.processes()['publisher'])
        settled()
        with strace(lab, [publisher], f'socket,socketpair,accept4,openat,pipe2:error={error}') as out:
            lab.change_address()
            wait_for('rules', 10, in_step)
            calls.append(wait_for('a refused call', 20, lambda: injected(out)))
            most = max(most, busiest())
            calls[-1] = injected(out)
        settled()
    figure('F63', 'CPU while the publisher gets neither socket nor file', most, 5, '%')
    figure('F63', 'calls of the publisher that were refused in 2 seconds, the most', max(calls), 1000)
    holds('F63', 'EMFILE, ENFILE, EAGAIN, ENOMEM in the publisher: the record is published afterwards')


def netlink_refused():
    """The kernel has no memory for netlink: the core does not spin, and what changed meanwhile is done afterwards"""
    most, calls = 0, []
    for way in ('sendto,sendmsg:error=ENOMEM', 'recvmsg,recvfrom:error=ENOMEM', 'recvmsg,recvfrom:error=ENOBUFS'):
        lab.begin()
        lab.guard.expects(dies=('publisher', 'core'), descriptors=8)
        with strace(lab, lambda: [lab.processes()['core']], way) as out:
            lab.change_address()
            wait_for('a refused call', 20, lambda: injected(out))
            most = max(most, busiest())
            calls.append(injected(out))
        settled()
    figure('F63', 'CPU while netlink has no memory', most, 5, '%')
    figure('F63', 'calls that were refused for want of memory in 2 seconds, the most', max(calls), 1000)
    holds('F63', 'ENOMEM, ENOBUFS of netlink: rules and records are right afterwards')


def injected(path):
    with open(path) as file:
        return file.read().count('INJECTED')


def interrupted():
    """Calls are interrupted again and again: nothing is lost"""
    lab.begin()
    found = lab.processes()
    calls = 'read,write,recvmsg,sendmsg,recvfrom,fsync,epoll_wait,poll,ppoll,flock,wait4,accept4'
    with strace(lab, [found['supervisor'], found['core']], f'{calls}:error=EINTR:when=1+4') as out:
        for _ in range(3):
            lab.change_address()
            lab.daemon.send_signal(signal.SIGHUP)
            time.sleep(1)
        with contextlib.suppress(TimeoutError):
            wait_for('interrupted calls', 20, lambda: injected(out) >= 20)
        times = injected(out)
    settled()
    same(lab.log().count('not saved'), 0)
    figure('F64', 'calls interrupted (EINTR), nothing lost', times, '>= 20')


def signals():
    """Storms of signals: reloads come together, nothing is lost"""
    lab.begin()
    lab.guard.expects(descriptors=4)
    supervisor, core = lab.processes()['supervisor'], lab.processes()['core']
    kinds = (signal.SIGCHLD, signal.SIGHUP, signal.SIGUSR1, signal.SIGWINCH, signal.SIGPIPE)
    for turn in range(3):
        lab.change_address()
        for _ in range(10000 // 3 + 1):
            for kind in kinds:
                os.kill(supervisor, kind)
    lab.write_configuration(lab.configuration(log={'level': 'debug'}))
    os.kill(supervisor, signal.SIGHUP)
    settled()
    lab.clock.go(minutes=1)
    same((lab.processes()['supervisor'], lab.processes()['core']), (supervisor, core))
    reloads = lab.log().count('configuration')
    figure('F64', 'lines about 10,000 SIGHUP that came together', reloads, 1000)
    lines = lab.lines()
    lab.change_address()
    settled()
    assert lab.lines() > lines + 2, 'the last reload did not count'
    holds('F64', '10,000 each of SIGCHLD, SIGHUP, SIGUSR1, SIGWINCH, SIGPIPE: the last reload counts, the address too')


def killed_at_a_call():
    """The core is killed at any system call from the change to the saved result: at most one duplicate"""
    print(f'# SEED={SEED} ROUNDS={ROUNDS}')
    most, calls = 0, 'recvmsg,sendmsg,openat,write,fsync,renameat,close,read,epoll_wait'
    numbers = dice.sample(range(1, 160), ROUNDS) if ROUNDS < 159 else range(1, 160)
    killed = 0
    for number in numbers:
        most = max(most, kill_at(calls, number))
        killed += lab.reached
    for call, number in (('fsync', 1), ('fsync', 3), ('renameat', 1), ('renameat', 2)):
        most = max(most, kill_at(call, number))
        killed += lab.reached
    print(f'# {killed} cores were killed')
    assert killed > 0
    figure('F4', 'surplus requests after a kill between answer and save, the most', most, 1)


def kill_at(calls, number):
    lab.begin()
    lab.guard.expects(dies='core')
    asked, core = len(lab.requests()), lab.processes()['core']
    with strace(lab, [core], f'{calls}:signal=SIGKILL:when={number}'):
        lab.change_address()
        with contextlib.suppress(TimeoutError):
            wait_for('the record or the kill', 4, lambda: not os.path.exists(f'/proc/{core}') or (
                lab.record() or {}).get('published') == lab.address)
    lab.reached = lab.processes()['core'] != core
    settled()
    return len(lab.requests()) - asked - 1


def main():
    global lab
    with Hours(build=BUILD) as lab:
        run_tests([few_descriptors, refused_calls, publisher_refused, netlink_refused, interrupted, signals, killed_at_a_call])


main()
