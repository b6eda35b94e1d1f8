#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random rulesets of nft's grammar, rewritten: exactly what the model says differs, in the listing, in nft's JSON
and in the raw dump; then back, and again.

What must be there afterwards is loaded from text and described by the kernel, so nothing of the engine takes part
in saying what is right.

    SEED=1 ROUNDS=1000 tests/run property/test_nft

KEEP_GOING=1: every ruleset that fails, not the first one; FIRST=N: from round N on; SHOW_ALL=1: all its rules."""

import copy
import difflib
import json
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import model
import rules
import ruleset
from tap import run_tests

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
FIXED_SEED = 20261121
PAIRS = ((('203.0.113.1', '198.51.100.7'), ('2001:db8::1', '2001:db8:ffff::7')),
         (('81.2.69.142', '81.2.69.7'), ('2a02:6b8::1', '2606:4700::7')))
kernel = ruleset.Kernel()


class Failed(AssertionError):
    pass


def rewrite(want, *options):
    command = [f'{BUILD}/hairpind', '--rewrite', want.address, '--json', *options]
    for former in sorted(want.former):
        command += ['--from', former]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        raise Failed(f'{" ".join(command)}: exit {done.returncode}\n{done.stderr}')
    return json.loads(done.stdout)


def lines_of(things):
    lines = []
    for rule in things:
        comment = f' comment "{rule.comment}"' if rule.comment else ''
        lines.append(f'add rule {rule.place[1]} {rule.place[2]} {rule.place[3]} {rule.render()}{comment}')
    return lines


class State:
    """One ruleset as the kernel describes it."""

    def __init__(self):
        self.picture, self.listing, self.json = kernel.picture(), ruleset.show('-a'), ruleset.show('-j')

    def compare(self, wanted, when):
        if self.picture != wanted.picture:
            raise Failed(f'{when}, raw dump:\n{ruleset.differences(wanted.picture, self.picture)}')
        for what in ('listing', 'json'):
            got, right = getattr(self, what), getattr(wanted, what)
            if got != right:
                said = difflib.unified_diff(right.splitlines(), got.splitlines(), 'wanted', 'got', n=0, lineterm='')
                raise Failed(f'{when}, {what}:\n' + '\n'.join(said))


def learn_handles(loaded):
    """Handles count up, and rules were appended in order: what the kernel shows in a chain is what was loaded."""
    by_chain = {}
    for place in kernel.picture():
        if place[0] == 'rule' and not place[3].startswith('__chain'):
            by_chain.setdefault(place[:4], []).append(place[4])
    for rule in loaded:
        rule.handle = by_chain[rule.place].pop(0)


def check_items(told, outcomes, when):
    items = {}
    for item in told['items']:
        items.setdefault((item['kind'], item['family'], item['table'], item['chain'], item['handle']), []).append(item)
    for thing, outcome in outcomes.items():
        found = items.pop((*thing.place, thing.handle), [])
        if len(found) != 1:
            raise Failed(f'{when}: told {len(found)} times: {thing.place} {thing.handle} {thing.render()}')
        item = found[0]
        got = model.Outcome(item['result'], item['old'], item['new'])
        if outcome.result == 'skipped':
            got.old = None
        if got != outcome or (item['reason'] is not None) != (outcome.result == 'skipped'):
            raise Failed(f'{when}: {thing.form}: {(*thing.place, thing.handle)}\n'
                         f'  wanted {outcome}, got {got} ({item["reason"]})')
    if items:
        raise Failed(f'{when}: told without reason: {list(items.values())[0]}')
    for name in ('changed', 'unchanged', 'skipped'):
        if told[name] != sum(item['result'] == name for item in told['items']):
            raise Failed(f'{when}: counted {told[name]} {name}')


class Figures:
    def __init__(self):
        self.rulesets = self.offered = self.loaded = self.tagged = self.changed = 0
        self.forms = {}

    def count(self, thing, outcome):
        self.tagged += 1
        self.changed += outcome.result == 'changed'
        key = f'{thing.form}: {outcome.result}'
        self.forms[key] = self.forms.get(key, 0) + 1


def one_round(seed, figures):
    dice = random.Random(seed)
    pair4, pair6 = dice.choice(PAIRS)
    six = dice.random() < .4
    old, new = (pair6 if six else pair4)
    values = {False: (*pair4, '192.168.1.99', '192.0.2.200', '0.0.0.0'), True: (*pair6, 'fd00:1::99', '2001:db8:5::5', '::')}
    made = rules.Maker(dice, values, rules.FORMS).make()
    lines = made.setup + lines_of(made.rules)
    kept = ruleset.load(lines)
    setup = [line for line, good in zip(made.setup, kept) if good]
    loaded = [rule for rule, good in zip(made.rules, kept[len(made.setup):]) if good]
    figures.rulesets += 1
    figures.offered += len(made.rules)
    figures.loaded += len(loaded)
    made.settle(loaded)
    learn_handles(loaded)

    want = model.Want(new, (old,) if dice.random() < .8 else ())
    steps = plan(loaded, [('rewritten', want), ('rewritten once more', want.fresh()), ('rewritten back', model.Want(old, (new,)))])
    for outcome_of in steps[0].outcomes.items():
        figures.count(*outcome_of)
    load_states(setup, loaded, steps)
    try:
        walk(dice, steps)
    except Failed as problem:
        concerned = [f'{rule.handle}: {line}' for rule, line in zip(loaded, lines_of(loaded))
                     if os.environ.get('SHOW_ALL') or str((*rule.place, rule.handle)) in str(problem)]
        raise Failed('\n'.join([f'--rewrite {want.address} from {sorted(want.former)}: {problem}', *concerned])) from None


class Step:
    """One --rewrite: what it shall tell, and the ruleset afterwards."""

    def __init__(self, when, want, things):
        self.when, self.want = when, want
        self.things = copy.deepcopy(things)
        outcomes = model.apply([thing for thing in self.things if thing.walked], want)
        self.outcomes = outcomes
        self.changes = any(outcome.result == 'changed' for outcome in outcomes.values())
        self.state = None


def plan(loaded, wants):
    steps = []
    for when, want in wants:
        steps.append(Step(when, want, steps[-1].things if steps else loaded))
    return steps


def load_states(setup, loaded, steps):
    """What the kernel makes of each step's text. The ruleset to begin with comes last and stays."""
    for things, step in [*reversed([(step.things, step) for step in steps]), (loaded, None)]:
        if step and not step.changes and step is not steps[0]:
            continue
        if not all(ruleset.load(setup + lines_of(things))):
            raise Failed('what must be there afterwards does not load')
        if step:
            step.state = State()
    if not steps[0].changes:
        steps[0].state = State()


def walk(dice, steps):
    if dice.random() < .2:
        generation = kernel.generation()
        check_items(rewrite(steps[0].want, '--dry-run'), steps[0].outcomes, 'dry run')
        if kernel.generation() != generation:
            raise Failed('a dry run has changed the ruleset')
    for step in steps:
        generation = kernel.generation()
        told = rewrite(step.want)
        if step.state:
            State().compare(step.state, step.when)
        if (kernel.generation() != generation) != step.changes:
            raise Failed(f'{step.when}: a batch was sent: {not step.changes}')
        check_items(told, step.outcomes, step.when)


def rounds(seed, count, seconds, figures):
    """So many rulesets, or so many as fit into the time."""
    end = time.monotonic() + seconds
    for number in range(count):
        if time.monotonic() > end:
            break
        if number < int(os.environ.get('FIRST') or 0):
            continue
        try:
            one_round(f'{seed}.{number}', figures)
        except Failed as problem:
            text = f'SEED={seed} round {number}: {problem}'
            if not os.environ.get('KEEP_GOING'):
                raise Failed(text) from None
            print(f'# {text}'.replace('\n', '\n# '), flush=True)
            figures.failures = getattr(figures, 'failures', 0) + 1
    if getattr(figures, 'failures', 0):
        raise Failed(f'{figures.failures} rulesets')


def say(figures):
    print(f'# {figures.rulesets} rulesets, {figures.loaded} rules ({100 * figures.loaded // max(figures.offered, 1)} % of those '
          f'made), {figures.tagged} tagged, {figures.changed} changed', flush=True)
    for form in sorted(figures.forms):
        print(f'#   {figures.forms[form]:6} {form}')


def test_fixed():
    """random rulesets of a fixed seed are rewritten and back, and nothing else changes"""
    run(FIXED_SEED, 30, 15)


def test_random():
    """random rulesets of a new seed too"""
    run(int(os.environ.get('SEED') or random.SystemRandom().randrange(1 << 31)), int(os.environ.get('ROUNDS') or 1000000),
        10 if not os.environ.get('ROUNDS') else 1e9)


def run(seed, count, seconds):
    figures = Figures()
    print(f'# SEED={seed}', flush=True)
    try:
        rounds(seed, count, seconds, figures)
    finally:
        say(figures)
        ruleset.flush()


if __name__ == '__main__':
    run_tests([test_random] if os.environ.get('SEED') or os.environ.get('ROUNDS') else [test_fixed, test_random])
