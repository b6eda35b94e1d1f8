# SPDX-License-Identifier: GPL-2.0-or-later
"""A ruleset through --rewrite, through it again, and back: what is compared, whoever made the rules.

What must be there afterwards is loaded from text and described by the kernel, so nothing of the engine takes part
in saying what is right. KEEP_GOING=1: every ruleset that fails, not the first one; FIRST=N: from round N on;
SHOW_ALL=1: all its rules."""

import copy
import difflib
import json
import os
import random
import subprocess
import time

import model
import ruleset

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
FIXED_SEED = 20261121
PAIRS = ((('203.0.113.1', '198.51.100.7'), ('2001:db8::1', '2001:db8:ffff::7')),
         (('81.2.69.142', '81.2.69.7'), ('2a02:6b8::1', '2606:4700::7')))
kernel = ruleset.Kernel()


class Failed(AssertionError):
    pass


class Nft:
    """The tool that loads and shows. A made ruleset brings its own."""

    load = staticmethod(ruleset.load)

    @staticmethod
    def lines(things):
        return [thing.line() for thing in things]

    @staticmethod
    def shows():
        return ruleset.show('-a'), ruleset.show('-j')


def rewrite(want, dry_run=False):
    """By --rewrite, or by the engine itself where that has no option."""
    if want.keep or want.filter:
        command = [f'{BUILD}/tests/property/engine', want.address, str(want.keep), str(int(want.filter)), str(int(dry_run)), *sorted(want.former)]
    else:
        command = [f'{BUILD}/hairpind', '--rewrite', want.address, '--json'] + dry_run * ['--dry-run']
        for former in sorted(want.former):
            command += ['--from', former]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        raise Failed(f'{" ".join(command)}: exit {done.returncode}\n{done.stderr}{done.stdout}')
    return json.loads(done.stdout)


class State:
    """One ruleset as the kernel describes it."""

    def __init__(self, tool):
        self.picture, self.shows = kernel.picture(), tool.shows()

    def compare(self, wanted, when):
        if self.picture != wanted.picture:
            raise Failed(f'{when}, raw dump:\n{ruleset.differences(wanted.picture, self.picture)}')
        for got, right in zip(self.shows, wanted.shows):
            if got != right:
                said = difflib.unified_diff(right.splitlines(), got.splitlines(), 'wanted', 'got', n=0, lineterm='')
                raise Failed(f'{when}, as shown:\n' + '\n'.join(said))


def learn_handles(loaded):
    """Handles count up, and rules were appended in order: what the kernel shows in a chain is what was loaded."""
    handles = {}
    for place, shown in kernel.picture().items():
        if place[0] == 'rule' and not place[3].startswith('__chain'):
            handles.setdefault(place[1:4], []).append(place[4])
        elif place[0] == 'set':
            handles[('set', *place[1:4])] = [int.from_bytes(dict(shown[0])[16], 'big')]
    for thing in loaded:
        place = thing.place[1:] if thing.place[0] == 'rule' else ('set', *thing.place[1:])
        thing.handle = handles[place].pop(0)


def check_items(told, outcomes, when):
    items = {}
    for item in told['items']:
        items.setdefault((item['kind'], item['family'], item['table'], item['chain'], item['handle']), []).append(item)
    for thing, outcome in outcomes.items():
        found = items.pop((*thing.place, thing.handle), [])
        if len(found) != 1:
            raise Failed(f'{when}: told {len(found)} times: {thing.form}: {(*thing.place, thing.handle)}')
        item = found[0]
        if not outcome.matches(item):
            raise Failed(f'{when}: {thing.form}: {(*thing.place, thing.handle)}\n  wanted {outcome}, got {item["result"]} '
                         f'{item["old"]} -> {item["new"]} ({item["reason"]})')
    if items:
        raise Failed(f'{when}: told without reason: {list(items.values())[0]}')
    for name in ('changed', 'unchanged', 'skipped'):
        if told[name] != sum(item['result'] == name for item in told['items']):
            raise Failed(f'{when}: counted {told[name]} {name}')


class Figures:
    def __init__(self):
        self.rulesets = self.offered = self.loaded = self.tagged = self.changed = self.failures = 0
        self.forms = {}

    def count(self, thing, outcome):
        self.tagged += 1
        self.changed += outcome.result == 'changed'
        key = f'{thing.form}: {outcome.result}'
        self.forms[key] = self.forms.get(key, 0) + 1


class Made:
    """What a maker gives: texts that come first, things in the order of loading, and the tool."""

    def __init__(self, setup, things, tool=Nft, settle=None, keeps=(0,), filters=False):
        self.setup, self.things, self.tool, self.settle = setup, things, tool, settle
        self.keeps, self.filters = keeps, filters	# what a Want may ask for

    def load(self):
        """Keeps what loads."""
        kept = self.tool.load(self.setup + self.tool.lines(self.things))
        self.setup = [line for line, good in zip(self.setup, kept) if good]
        self.things = [thing for thing, good in zip(self.things, kept[-len(self.things):]) if good]
        learn_handles(self.things)


def one_round(make, seed, figures):
    dice = random.Random(seed)
    pair4, pair6 = dice.choice(PAIRS)
    old, new = pair6 if dice.random() < .4 else pair4
    values = {False: (*pair4, '192.168.1.99', '192.0.2.200', '0.0.0.0'), True: (*pair6, 'fd00:2::99', '2001:db8:5::5', '::')}
    made = make(dice, values)
    figures.rulesets += 1
    figures.offered += len(made.things)
    made.load()
    figures.loaded += len(made.things)
    want = model.Want(new, (old,) if dice.random() < .8 else (), dice.choice(made.keeps), made.filters and dice.random() < .2)
    steps = plan(made, [('rewritten', want), ('rewritten once more', want.fresh()), ('rewritten back', want.back(old, new))])
    for outcome_of in steps[0].outcomes.items():
        figures.count(*outcome_of)
    load_states(made, steps)
    try:
        walk(dice, steps, made.tool)
    except Failed as problem:
        concerned = [f'{thing.handle}: {line}' for thing, line in zip(made.things, made.tool.lines(made.things))
                     if os.environ.get('SHOW_ALL') or str((*thing.place[1:], thing.handle))[1:] in str(problem) or str(thing.place[1:]) in str(problem) or
                     f'chain {thing.place[3]} handle {thing.handle} ' in str(problem)]
        raise Failed('\n'.join([f'--rewrite {want.address} from {sorted(want.former)} keep {want.keep} filter {want.filter}: {problem}', *concerned])) from None


class Step:
    """One --rewrite: what it shall tell, and the ruleset afterwards."""

    def __init__(self, when, want, things):
        self.when, self.want = when, want
        self.things = copy.deepcopy(things)
        outcomes = model.apply([thing for thing in self.things if thing.walked], want)
        self.outcomes = outcomes
        self.changes = any(outcome.result == 'changed' for outcome in outcomes.values())
        self.state = None


def plan(made, wants):
    steps = []
    made.settle(made.things, made.setup, wants[0][1].filter)
    for when, want in wants:
        steps.append(Step(when, want, steps[-1].things if steps else made.things))
    return steps


def load_states(made, steps):
    """What the kernel makes of each step's text. The ruleset to begin with comes last and stays."""
    for things, step in [*reversed([(step.things, step) for step in steps]), (made.things, None)]:
        if step and not step.changes and step is not steps[0]:
            continue
        lines = made.setup + made.tool.lines(things)
        for line, good in zip(lines, made.tool.load(lines)):
            if not good:
                raise Failed(f'what must be there afterwards does not load: {line}')
        if step:
            step.state = State(made.tool)
    if not steps[0].changes:
        steps[0].state = State(made.tool)


def walk(dice, steps, tool):
    if dice.random() < .2:
        generation = kernel.generation()
        check_items(rewrite(steps[0].want, dry_run=True), steps[0].outcomes, 'dry run')
        if kernel.generation() != generation:
            raise Failed('a dry run has changed the ruleset')
    for step in steps:
        generation = kernel.generation()
        told = rewrite(step.want)
        if step.state:
            State(tool).compare(step.state, step.when)
        if (kernel.generation() != generation) != step.changes:
            raise Failed(f'{step.when}: a batch was sent: {not step.changes}')
        check_items(told, step.outcomes, step.when)


def rounds(make, seed, count, seconds, figures):
    """So many rulesets, or so many as fit into the time."""
    end = time.monotonic() + seconds
    for number in range(count):
        if time.monotonic() > end:
            break
        if number < int(os.environ.get('FIRST') or 0):
            continue
        try:
            one_round(make, f'{seed}.{number}', figures)
        except Failed as problem:
            text = f'SEED={seed} round {number}: {problem}'
            if not os.environ.get('KEEP_GOING'):
                raise Failed(text) from None
            print(f'# {text}'.replace('\n', '\n# '), flush=True)
            figures.failures += 1
    if figures.failures:
        raise Failed(f'{figures.failures} rulesets')


def say(figures):
    print(f'# {figures.rulesets} rulesets, {figures.loaded} rules ({100 * figures.loaded // max(figures.offered, 1)} % of those '
          f'made), {figures.tagged} tagged, {figures.changed} changed', flush=True)
    for form in sorted(figures.forms):
        print(f'#   {figures.forms[form]:6} {form}')


def run(make, seed, count, seconds):
    """`make`: (dice, values) to a Made."""
    figures = Figures()
    print(f'# SEED={seed}', flush=True)
    try:
        rounds(make, seed, count, seconds, figures)
    finally:
        say(figures)
        ruleset.flush()


def run_quick(make):
    run(make, FIXED_SEED, 1000, 8)


def run_random(make):
    """SEED and ROUNDS of the environment, or a few seconds of a new seed."""
    rounds_asked = os.environ.get('ROUNDS')
    run(make, int(os.environ.get('SEED') or random.SystemRandom().randrange(1 << 31)), int(rounds_asked or 1000000),
        1e9 if rounds_asked else 8)
