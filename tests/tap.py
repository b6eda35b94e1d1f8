# SPDX-License-Identifier: GPL-2.0-or-later
"""A few lines of TAP for tests in Python."""

import os
import sys
import traceback


after_each = []	# objects: check() is part of each test, resume() follows one that did not pass


class Skip(Exception):
    """raise Skip('why') in a test that cannot run here."""


def same(got, wanted, what=''):
    if got != wanted:
        raise AssertionError(f'{what + ": " if what else ""}got {got!r}, wanted {wanted!r}')


def figure(entry, what, got, limit, unit=''):
    """A figure that a fault of tests/faults asks for: fails where it is over the limit (a number: at most that; or
    text: '== 1', '>= 3') and is printed for the table of results (`make results`)."""
    relation, bound = str(limit).split() if ' ' in str(limit) else ('<=', str(limit))
    kept = {'<=': got <= float(bound), '==': got == float(bound), '>=': got >= float(bound)}[relation]
    shown = f'{got:.3g}' if isinstance(got, float) and got < 1000 else f'{got:.0f}'
    unit = f' {unit}' if unit else ''
    print(f'# figure {entry} | {what} | {shown}{unit} | {relation} {bound}{unit}', flush=True)
    if not kept:
        raise AssertionError(f'{entry}: {what}: {shown}{unit}, promised {relation} {bound}{unit}')


def tried_figure(entry, what, measure, limit, unit='', tries=3):
    """The same of measure(), which takes time: a machine that stands still for a second is no fault of ours, so that
    it is measured again where it was over the limit, at most so often. What is always over it fails."""
    for left in reversed(range(tries)):
        got = measure()
        if got <= limit or not left:
            break
        print(f'# once more: {entry}: {what}: {got:.3g}', flush=True)
    figure(entry, what, got, limit, unit)


def holds(entry, what, truth=True):
    """The same where a fault asks for a fact, not for a number."""
    if not truth:
        raise AssertionError(f'{entry}: {what}: it does not')
    print(f'# figure {entry} | {what} | yes | yes', flush=True)


def resume():
    for one in after_each:
        one.resume()


def run_tests(tests):
    """Runs functions, one line each; the first line of a docstring is its name. Exits 1 if one failed.
    TEST_ONLY=word runs only those whose function name contains it."""
    only = os.environ.get('TEST_ONLY', '')
    tests = [test for test in tests if only in test.__name__]
    if only and not tests:
        print(f'no test function is called "{only}"', file=sys.stderr)
        sys.exit(77)
    failed = 0
    for number, test in enumerate(tests, 1):
        name = (test.__doc__ or test.__name__).strip().splitlines()[0]
        try:
            test()
            for one in after_each:
                one.check()
            print(f'ok {number} - {name}', flush=True)
        except Skip as why:
            resume()
            print(f'ok {number} - {name} # SKIP {why}', flush=True)
        except Exception as problem:  # a test may fail in any way
            failed += 1
            resume()
            print(f'not ok {number} - {name}', flush=True)
            for line in (traceback.format_exc() + str(getattr(problem, 'log', ''))).splitlines():
                print(f'# {line}', flush=True)
    print(f'1..{len(tests)}', flush=True)
    sys.exit(1 if failed else 0)


def run_all(names):
    """run_all(globals()): all of a module's functions that are called test_..."""
    run_tests([test for name, test in list(names.items()) if name.startswith('test_')])
