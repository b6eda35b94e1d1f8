# SPDX-License-Identifier: GPL-2.0-or-later
"""Hooks of the plain daemon that hang, flood and are slow, in real time: a minute and a half of hanging, gigabytes, and 1,000
changes of the address while one takes its time."""

import json
import os
import socket
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import guard  # noqa: E402
from lab import Lab, wait_for  # noqa: E402
from storm import Links, memory_kib  # noqa: E402
from tap import figure, holds, run_tests, same  # noqa: E402

ROUNDS = int(os.environ.get('ROUNDS', 1000))
MARK = 'hairpin-test-hook'
HANGS = {'sleeps': 'exec sleep 86400', 'ignores TERM': "trap '' TERM; while :; do sleep 86400; done",
         'stops itself': 'kill -STOP $$'}
lab = links = None
count = 10


def next_address():
    """In one datagram, make before break."""
    global count
    old, count = count, count + 1 if count < 250 else 11
    links.send(links.add(f'81.2.69.{count}'), links.remove(f'81.2.69.{old}'))
    return f'81.2.69.{count}'


def in_step(address):
    return f'ip daddr {address} tcp' in lab.rules()


def hooks():
    return [process for process in guard.everybody().values() if process.is_hook and process.state != 'Z']


def hook(text):
    lab.write_hook('10-hook', f'#!/bin/sh\n# {MARK}\n{text}\n')


def hanging():
    """A hook that sleeps for a day, ignores TERM, stops itself: gone in time, and rules follow meanwhile"""
    slowest = 0
    for what, text in HANGS.items():
        hook(text)
        next_address()
        wait_for('it runs', 20, hooks)
        began = time.monotonic()
        while hooks():
            assert time.monotonic() < began + 60, what
            changed, address = time.monotonic(), next_address()
            wait_for('the rule', 10, lambda address=address: in_step(address))
            slowest = max(slowest, time.monotonic() - changed)
            if time.monotonic() > began + 20:
                hook('exit 0')      # the next one ends the queue
            time.sleep(0.2)
        figure('F55', f'seconds until one that {what} is gone', time.monotonic() - began, 35)
    figure('F55', 'slowest rule meanwhile, seconds', slowest, 5)
    wait_for('no hook', 20, lambda: not hooks())


def flooding():
    """A gigabyte to stdout and one to stderr, without a line's end: some lines, little memory, and it is drained"""
    hook('exit 0')
    next_address()
    time.sleep(1)
    wait_for('no hook', 20, lambda: not hooks())
    supervisor = lab.processes()['supervisor']
    before, lines = memory_kib(supervisor, 'VmHWM'), lab.log().count('hook 10-hook')
    hook("[ \"$HAIRPIN_EVENT\" = address ] || exit 0\nhead -c 1000000000 /dev/zero | tr '\\0' x\n"
         "head -c 1000000000 /dev/zero | tr '\\0' '\\377' >&2")
    next_address()
    wait_for('it runs', 20, hooks)
    slowest = 0
    while hooks():
        changed, address = time.monotonic(), next_address()
        wait_for('the rule', 10, lambda address=address: in_step(address))
        slowest = max(slowest, time.monotonic() - changed)
        hook('exit 0')
        time.sleep(0.2)
    wait_for('no hook', 20, lambda: not hooks())
    figure('F56', 'log lines of a hook that says 2 GB', lab.log().count('hook 10-hook') - lines, 20)
    figure('F56', 'KiB of memory at most for it', memory_kib(supervisor, 'VmHWM') - before, 1024)
    figure('F56', 'MiB VmRSS of the supervisor at most', memory_kib(supervisor, 'VmHWM') / 1024, 16)
    figure('F56', 'slowest rule meanwhile, seconds', slowest, 5)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect('/run/hairpind/control.sock')
        client.sendall(b'{"command": "hooks"}\n')
        said = json.loads(client.makefile().readline())
    figure('F56', 'bytes that "hook list" holds', len(json.dumps(said)), 8192)


def slow():
    """1,000 changes while a hook takes 5 seconds: never two at once, few in the queue, the last address is told"""
    hook('[ "$HAIRPIN_EVENT" = address ] || exit 0\n'
         'mkdir /run/lab/alone || echo "two at once" >> /run/lab/told\necho "$HAIRPIN_NEW" >> /run/lab/told\n'
         'sleep 5\nrmdir /run/lab/alone')
    wait_for('no hook', 20, lambda: not hooks())
    next_address()
    wait_for('it runs', 20, lambda: os.path.exists('/run/lab/told'))
    for _ in range(ROUNDS):
        last = next_address()
    wait_for('the last rule', 10, lambda: in_step(last))
    wait_for('the last is told', 60, lambda: told()[-1] == last)
    time.sleep(6)
    wait_for('no hook', 20, lambda: not hooks())
    same(told()[-1], last)
    figure('F59', f'hooks at once during {ROUNDS} changes', 1 + told().count('two at once'), 1)
    figure('F59', f'hooks run after the one under way for {ROUNDS} changes', len(told()) - 1, 2)
    holds('F59', 'the last address is told last')


def told():
    with open('/run/lab/told') as file:
        return file.read().split('\n')[:-1]


def stop():
    """It ends well"""
    same(lab.stop_daemon(), 0)


with Lab(build='build') as lab:
    lab.set_address('81.2.69.10')
    lab.load_rules('81.2.69.1')
    lab.write_configuration(lab.configuration(providers=None, log={'level': 'notice'}))
    links = Links()
    lab.start_daemon()
    os.chmod(lab.folder, 0o777)     # hooks of another user write there
    run_tests([slow, flooding, hanging, stop])
