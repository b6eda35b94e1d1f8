# SPDX-License-Identifier: GPL-2.0-or-later
"""10,000 ends of the publisher in virtual time: one is killed while it works, the next one does the work and leaves after
an idle minute."""

import contextlib
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import soak  # noqa: E402
from lab import Lab  # noqa: E402
from tap import run_tests, same  # noqa: E402
from warp import Warp  # noqa: E402

USUAL = 10000
COUNT = soak.rounds(USUAL)
lab = clock = now = None
ends = 0


def publisher():
    return lab.processes()['publisher']


def watch():
    """After each jump of time: who ended, and whose turn it is to be killed."""
    global now, ends
    pid = publisher()
    if pid == now:
        return
    ends += now is not None
    now = pid
    if pid and ends % 2 == 0:
        time.sleep(soak.dice.choice((0, 0.001, 0.005, 0.02)))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def one(_):
    """Until the next end."""
    wanted, limit = ends + 1, clock.now() + 3600
    while ends < wanted:
        assert clock.now() < limit, f'no end of a publisher in an hour: {lab.log()[-1000:]}'
        clock.go(30)


def rest():
    clock.until('no publisher', 600, lambda: publisher() is None)
    return {name: pid for name, pid in lab.processes().items() if pid}


def restarts():
    """Killed publishers and those that leave: nothing grows, nothing is sent without need"""
    lab.guard.expects(dies='publisher')
    asked, began = len(lab.requests()), clock.now()
    soak.Soak('ends of the publisher', USUAL, one, rest).run(COUNT)
    print(f'# {ends} ends in {(clock.now() - began) / 3600:.1f} virtual hours')
    same(len(lab.requests()) - asked, 0)
    clock.watchers.clear()
    lab.set_address('81.2.69.8')
    clock.until('the record', 1200, lambda: lab.record()['published'] == '81.2.69.8' and current())


def current():
    return (lab.record() or {}).get('state') == 'current'


with Lab(build='build') as lab:
    clock = Warp(lab)
    lab.set_address('81.2.69.7')
    lab.load_rules('81.2.69.1')
    lab.set_dns('81.2.69.7')
    lab.write_configuration(lab.configuration(hooks=None, dns={'check_every': '2m'}, log={'level': 'err'}))
    lab.start_daemon()
    clock.until('current', 60, current)
    clock.watchers.append(watch)
    run_tests([restarts])
