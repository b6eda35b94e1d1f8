# SPDX-License-Identifier: GPL-2.0-or-later
"""Any process may be killed at any moment: nothing is lost, no surplus update is sent."""

import os
import random
import signal
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import guard  # noqa: E402
from lab import Lab, run, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
SEED = int(os.environ.get('SEED', time.time_ns() % 100000))
ROUNDS = int(os.environ.get('ROUNDS', '8'))
dice = random.Random(SEED)
lab = None
count = 10


def next_address():
    global count
    count = count + 1 if count < 240 else 11
    return f'81.2.69.{count}'


def in_step(address):
    return f'ip daddr {address} tcp' in lab.rules()


def settled(address, seconds=40):
    wait_for('rules', 10, lambda: in_step(address))
    wait_for('the record', seconds, lambda: (lambda r: r and r['state'] == 'current' and r['published'] == address)(
        lab.record()))


def kill_during_change(victim):
    surplus = 0
    lab.guard.expects(dies=victim)
    for _ in range(ROUNDS):
        address = next_address()
        asked = len(lab.requests())
        lab.set_address(address)
        time.sleep(dice.choice((0, 0.001, 0.005, 0.02, 0.05, 0.2, 0.5)))
        pid, family = lab.processes()[victim], guard.tree(lab.daemon.pid, guard.everybody())
        if pid:
            os.kill(pid, signal.SIGKILL)
        if victim == 'supervisor':
            lab.daemon.wait(30)
            lab.end(lab.daemon)
            wait_for('nothing survives it', 10, lambda: not [pid for pid, one in guard.everybody().items()
                                                             if pid in family and one.state not in 'ZX'])
            lab.start_daemon()
        settled(address)
        surplus += max(0, len(lab.requests()) - asked - 1)
        same({request['query']['myip'] for request in lab.requests()[asked:]}, {address})
        # keep clear of the spacing for addresses that follow each other quickly
        lab_pause()
    print(f'# {victim}: {ROUNDS} kills, {surplus} surplus requests')
    same(surplus, 0, 'surplus requests')


def lab_pause():
    """A new state directory: the budget of updates starts afresh, what is published is seen in DNS."""
    same(lab.stop_daemon(), 0)
    run('rm', '-rf', '/run/lab/state')
    lab.start_daemon()
    wait_for('current', 20, lambda: (lab.record() or {}).get('state') == 'current')


def core():
    """kill -9 of the core at random moments"""
    kill_during_change('core')


def publisher():
    """kill -9 of the publisher at random moments"""
    lab.provider_says(delay=0.3)
    kill_during_change('publisher')
    lab.provider_says()


def supervisor():
    """kill -9 of the supervisor at random moments: nothing survives it, a new one takes over"""
    kill_during_change('supervisor')


def idle_kills():
    """kill -9 of the core while nothing changes: no request, rules and socket at once again"""
    asked = len(lab.requests())
    for _ in range(3):
        pid = lab.kill('core')
        wait_for('a new core', 8, lambda: lab.processes()['core'] not in (None, pid))
        wait_for('it answers', 8, lambda: (lab.record() or {}).get('state') == 'current')
    same(len(lab.requests()) - asked, 0)


def damaged_state():
    """A damaged state file is set aside; at most one update follows"""
    same(lab.stop_daemon(), 0)
    for damage in (b'', b'{"version": 1', os.urandom(5000), b'[]', b'{"version": 999}'):
        asked = len(lab.requests())
        with open('/run/lab/state/state.json', 'wb') as file:
            file.write(damage)
        lab.start_daemon()
        wait_for('current', 20, lambda: (lab.record() or {}).get('state') == 'current')
        assert len(lab.requests()) - asked <= 1
        assert os.path.exists('/run/lab/state/state.json.bad'), damage
        os.unlink('/run/lab/state/state.json.bad')
        same(lab.stop_daemon(), 0)
    lab.start_daemon()


def no_trace():
    """It ends in order, and nothing half written is left"""
    same(lab.stop_daemon(), 0)
    assert not [name for name in os.listdir('/run/lab/state') if name.endswith(('.tmp', '.new'))]


def main():
    global lab
    print(f'# SEED={SEED}')
    with Lab(build=BUILD) as lab:
        lab.set_address(next_address())
        lab.load_rules('81.2.69.1')
        lab.set_dns('81.2.69.1')
        lab.write_configuration()
        lab.start_daemon()
        settled(f'81.2.69.{count}')
        run_tests([core, publisher, supervisor, idle_kills, damaged_state, no_trace])


main()
