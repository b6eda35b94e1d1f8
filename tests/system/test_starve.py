# SPDX-License-Identifier: GPL-2.0-or-later
"""A sample of what tests/soak/test_starve.py does: single allocations of the whole daemon fail, in a start, an update, a
reload and a change of rules."""

import os
import random
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from starve import PHASES, Starving  # noqa: E402
from tap import run_tests  # noqa: E402

SEED = int(os.environ.get('SEED', time.time_ns() % 100000))
ROUNDS = int(os.environ.get('ROUNDS', 2))       # of each kind
dice = random.Random(SEED)
lab = None


def some_allocations():
    """Some allocations fail, one at a time: nothing dies but the publisher, and all is right afterwards"""
    print(f'# SEED={SEED} ROUNDS={ROUNDS}')
    for phase, role in PHASES:
        count = lab.play(phase, role, 0)
        for _ in range(ROUNDS):
            lab.play(phase, role, dice.randint(1, count))
    lab.figures('a sample')


with Starving(build='build') as lab:
    run_tests([some_allocations])
