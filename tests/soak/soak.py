# SPDX-License-Identifier: GPL-2.0-or-later
"""What the soak tests share: how often, and what the processes hold after the first rounds and after the last."""

import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, part) for part in ('../lab', '..', '../system')]
import guard  # noqa: E402
from tap import figure  # noqa: E402

SEED = int(os.environ.get('SEED', time.time_ns() % 100000))
dice = random.Random(SEED)
GROWTH_KIB, LOOKS, BETWEEN = 128, 8, 5
SHORT, SHORT_KIB = 1000, 1024		# rounds in which a heap has not yet come to its size


def rounds(usual):
    """$ROUNDS or the usual number; both are printed."""
    count = int(os.environ.get('ROUNDS', usual))
    print(f'# SEED={SEED} ROUNDS={count}', flush=True)
    return count


class Held:
    """Memory, descriptors and children of some processes, at rest."""

    def __init__(self, pids):
        """pids: {name: pid}. A publisher comes and goes."""
        self.kib, self.descriptors, self.children = {}, {}, {}
        everyone = guard.everybody()
        for name, pid in pids.items():
            process = everyone[pid]
            self.kib[name], self.descriptors[name] = process.status('RssAnon'), process.descriptors()
            self.children[name] = sorted(child.role for child in everyone.values() if child.parent == pid and child.role != 'publisher')


class Soak:
    """`one(number)` again and again; then F60 and F61 hold. What is measured begins after the first tenth of the rounds
    (of 10,000 and more: after 1,000). `rest()` waits until nothing is under way and gives {name: pid}."""

    def __init__(self, what, usual, one, rest):
        self.what, self.usual, self.one, self.rest = what, usual, one, rest

    def run(self, count):
        first = min(1000, count // 10)
        began = said = time.monotonic()
        before = None
        for number in range(count):
            if number == first:
                before = self.look(number)
            self.one(number)
            if time.monotonic() - said > 60:
                said = time.monotonic()
                print(f'# {number} of {count} {self.what} in {said - began:.0f} s: {Held(self.rest()).kib} KiB', flush=True)
        self.compare(before, self.look(count), count, first)
        print(f'# {count} {self.what} in {time.monotonic() - began:.0f} s', flush=True)

    def look(self, number):
        """The least memory and the most descriptors of some looks with a little work between them: the heap swings, and
        what is lost is missing in each."""
        held = Held(self.rest())
        for step in range(BETWEEN * (LOOKS if number >= SHORT else 1)):
            self.one(number + step)
            if step % BETWEEN == BETWEEN - 1:
                now = Held(self.rest())
                held.kib = {name: min(kib, now.kib[name]) for name, kib in held.kib.items()}
                held.descriptors = {name: max(most, now.descriptors[name]) for name, most in held.descriptors.items()}
                held.children = now.children
        return held

    def compare(self, before, after, count, first):
        for name, kib in after.kib.items():
            grown = kib - before.kib[name]
            text = f'{name}: growth over {count} {self.what} after the first {first}'
            print(f'# {name}: {before.kib[name]} KiB, then {kib} KiB', flush=True)
            if count < self.usual:	# no figure for the table: a short run shows that the test runs
                assert grown <= (GROWTH_KIB if count > SHORT else SHORT_KIB), f'{text}: {grown} KiB'
                assert after.descriptors[name] == before.descriptors[name], (name, before.descriptors, after.descriptors)
                assert after.children[name] == before.children[name], (name, before.children, after.children)
                continue
            figure('F61', text, grown, GROWTH_KIB, 'KiB')
            figure('F60', f'{name}: descriptors more after {count} {self.what}',
                   after.descriptors[name] - before.descriptors[name], '== 0')
            figure('F60', f'{name}: children more after {count} {self.what}',
                   len(after.children[name]) - len(before.children[name]), '== 0')
