# SPDX-License-Identifier: GPL-2.0-or-later
"""Every allocation of the whole daemon fails once, in a start, an update, a reload and a change of rules; of the publisher's
(TLS makes thousands) as many as there is time for. HOURS=0.5 for less, ROUNDS for so many of each kind."""

import os
import random
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from starve import PHASES, Starving  # noqa: E402
from tap import figure, run_tests  # noqa: E402

SEED = int(os.environ.get('SEED', time.time_ns() % 100000))
HOURS = float(os.environ.get('HOURS', 1.5))
ROUNDS = int(os.environ.get('ROUNDS', 1000000))
dice = random.Random(SEED)
lab = None


def every_allocation():
    """Every allocation fails once: nothing dies but the publisher, and all is right afterwards"""
    print(f'# SEED={SEED} HOURS={HOURS}')
    end = time.monotonic() + HOURS * 3600
    for phase, role in sorted(PHASES, key=lambda kind: kind[1] == 'publisher'):
        count = lab.play(phase, role, 0)
        numbers = dice.sample(range(1, count + 1), count)[:ROUNDS]
        tried = 0
        while tried < len(numbers) and time.monotonic() < end:
            lab.play(phase, role, numbers[tried])
            tried += 1
        print(f'# {phase}, {role}: {tried} of {count} allocations', flush=True)
    lab.figures('as many as there was time for')
    if ROUNDS == 1000000:
        figure('F62', 'allocations of the whole daemon that failed', lab.rounds, '>= 2000')


with Starving(build='build') as lab:
    run_tests([every_allocation])
