# SPDX-License-Identifier: GPL-2.0-or-later
"""100,000 requests to the control socket: every command that looks, some that act, nonsense, and clients that do not wait."""

import json
import os
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import soak  # noqa: E402
from lab import Lab, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

USUAL = 100000
COUNT = soak.rounds(USUAL)
SOCKET = '/run/hairpind/control.sock'
REQUESTS = [json.dumps(request).encode() + b'\n' for request in (
    *({'command': name} for name in ('status', 'version', 'rules', 'plan', 'hooks', 'metrics', 'watch', 'resume', 'none')),
    {'command': 'plan', 'address': '81.2.69.9'}, {'command': 'log', 'level': 'notice'}, {'command': 'hook', 'name': 'none'},
    {'command': 'status', 'more': 'x' * 3000}, {'command': 7})] + [b'\0\xff\n', b'x' * 5000, b'{"comm']
lab = None
answered = 0


def one(_):
    """A request; its answer is read, or some of it."""
    global answered
    request = soak.dice.choice(REQUESTS)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(SOCKET)
        client.sendall(request)
        if not request.endswith(b'\n') or b'watch' in request or soak.dice.random() < 0.1:
            return
        answer = b''
        try:
            while piece := client.recv(1 << 16):
                answer += piece
        except TimeoutError as problem:
            raise AssertionError(f'no answer to {request[:80]}; {len(answer)} bytes') from problem
    assert answer.endswith(b'\n'), (request[:80], answer[-200:])
    answered += 1


def rest():
    wait_for('what was begun is over', 20, at_rest)
    return {name: pid for name, pid in lab.processes().items() if name != 'publisher'}


def at_rest():
    """Who went away was noticed, what the supervisor was to do ended, its pipes were closed: there is nothing left to do."""
    before = held()
    for _ in range(3):
        assert lab.guard.ask('version'), 'no answer'
    time.sleep(0.05)
    return len(before) == 2 and held() == before


def held():
    return {pid: process.descriptors() for pid, process in soak.guard.tree(lab.daemon.pid, soak.guard.everybody()).items()}


def requests():
    """Requests of all kinds: nothing grows, each is answered"""
    soak.Soak('control requests', USUAL, one, rest).run(COUNT)
    print(f'# {answered} answers were read to their end')
    assert answered > COUNT / 2


with Lab(build='build') as lab:
    lab.set_address('81.2.69.7')
    lab.load_rules('81.2.69.1')
    lab.set_dns('81.2.69.7')
    lab.write_configuration(lab.configuration(providers=None))    # no publisher comes and goes
    lab.start_daemon()
    wait_for('the rules', 20, lambda: 'ip daddr 81.2.69.7 tcp' in lab.rules())
    run_tests([requests])
    same(lab.stop_daemon(), 0)
