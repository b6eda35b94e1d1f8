# SPDX-License-Identifier: GPL-2.0-or-later
"""A sample of what tests/soak/test_torture.py does: single allocations of the unit tests fail."""

import os
import sys
import time

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
sys.path[:0] = [TESTS, os.path.join(TESTS, 'torture')]
import torture  # noqa: E402
from tap import figure, run_tests  # noqa: E402

SEED = int(os.environ.get('SEED', time.time_ns() % 100000))
SECONDS = int(os.environ.get('SECONDS', 14))


def some_allocations_fail():
    """Some allocations of some unit tests fail, one at a time: nothing dies of it"""
    print(f'# SEED={SEED}')
    got = torture.torture(torture.programs('unit'), seconds=SECONDS, seed=SEED, most=8)
    print(f'# {got.tried} allocations of {got.programs} programs; {got.missed} were not met again')
    assert not got.findings, '\n'.join(got.findings)
    assert got.tried > 0
    figure('F62', 'crashes, hangs and leaks where one allocation of a unit test fails (a sample)', len(got.findings), '== 0')


run_tests([some_allocations_fail])
