# SPDX-License-Identifier: GPL-2.0-or-later
"""Every allocation of every unit test and of the replayed corpora fails once (tests/torture/fail.c)."""

import os
import sys

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
sys.path[:0] = [TESTS, os.path.join(TESTS, 'torture')]
import torture  # noqa: E402
from tap import figure, run_tests  # noqa: E402

ONLY = os.environ.get('ONLY', '')    # a word of the programs' names


def allocations_fail(folder):
    names = [name for name in torture.programs(folder) if ONLY in name]
    got = torture.torture(names)
    print(f'# {got.tried} allocations of {got.programs} programs; {got.missed} were not met again')
    assert not got.findings, '\n'.join(got.findings)
    return got


def unit():
    """Every allocation of every unit test fails once: no crash, no hang, no leak, no exit"""
    got = allocations_fail('unit')
    figure('F62', 'crashes, hangs and leaks where one allocation of a unit test fails', len(got.findings), '== 0')
    if not ONLY:
        figure('F62', 'allocations, told apart by their callers, that failed in unit tests', got.tried, '>= 5000')


def corpora():
    """The same where the fuzzers' corpora are replayed"""
    got = allocations_fail('fuzz')
    figure('F62', 'crashes, hangs and leaks where one allocation of a parser of foreign bytes fails', len(got.findings),
           '== 0')


run_tests([unit, corpora])
