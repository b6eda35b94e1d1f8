# SPDX-License-Identifier: GPL-2.0-or-later
"""The publisher after it was taken over (tests/hostile/publisher.c, started by the real supervisor), and other forged peers:
it lies about records and names, and nothing else comes of it."""

import contextlib
import itertools
import os
import random
import shutil
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import HOST, TOP, ZONE, Lab, run, wait_for  # noqa: E402
from tap import figure, holds, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
SEED = int(os.environ.get('SEED', time.time_ns() % 100000))
ROUNDS = int(os.environ.get('ROUNDS', '200'))
TREE, FOLDER = '/run/lab/tree', '/run/lab/hostile'
SOAK = 'HAIRPIN_SOAK' in os.environ       # make check has the half of it
WRONG = ('type', 'fds', 'linger', 'flood', 'lie')
if SOAK:
    WRONG += ('half', 'large', 'empty', 'garbage', 'one', 'signal-11', 'exit-0', 'exit-1', 'signal-9', 'signal-6', 'silent')
dice = random.Random(SEED)
lab = None
count = 10
numbers = itertools.count()

RULES = '''
table ip nat {
	set trusted { type ipv4_addr; comment "dns:%(host)s"; elements = { 192.0.2.1 } }
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr %(address)s tcp dport { 80, 443 } counter dnat to 192.168.1.2 comment "hairpin web"
	}
}
'''


def arrange():
    """A tree of our own, where the hostile one lies beside hairpind as its neighbour."""
    os.makedirs(f'{TREE}/build')
    os.makedirs(f'{TREE}/conf')
    os.makedirs(FOLDER)
    os.symlink(f'{TOP}/conf/providers', f'{TREE}/conf/providers')
    for program in ('hairpind', 'hairpinctl'):
        shutil.copy(f'{TOP}/{BUILD}/{program}', f'{TREE}/build/{program}')
    shutil.copy(f'{TOP}/{BUILD}/tests/hostile/publisher', f'{TREE}/build/hairpin-publish')
    shutil.copy(f'{TOP}/{BUILD}/hairpin-publish', f'{FOLDER}/honest-publish')
    open(f'{FOLDER}/acted', 'w').close()
    for path, mode in ((TREE, 0o755), (f'{TREE}/build', 0o755), (FOLDER, 0o755), (f'{FOLDER}/acted', 0o666)):
        os.chmod(path, mode)
    os.environ['HAIRPIND_HOSTILE'] = FOLDER


def act(word):
    with open(f'{FOLDER}/act.new', 'w') as file:
        file.write(word)
    os.rename(f'{FOLDER}/act.new', f'{FOLDER}/act')


def acted(word):
    with open(f'{FOLDER}/acted') as file:
        return file.read().split().count(word)


def next_address():
    global count
    count = count + 1 if count < 240 else 11
    return f'81.2.69.{count}'


def follows(seconds=5):
    """The address moves, the rule follows; what the publisher says is nothing to it. And there is a question for it."""
    address = next_address()
    run('nft', 'add', 'set', 'ip', 'nat', f'more{next(numbers)}',
        f'{{ type ipv4_addr; comment "dns:n{next(numbers)}.{ZONE}"; }}', ns='router')
    lab.set_address(address)
    began = time.monotonic()
    wait_for('the rule follows', seconds, lambda: f'ip daddr {address} tcp' in lab.rules())
    return time.monotonic() - began


def holdings():
    """What must not grow: descriptors of core and supervisor, and how many processes there are."""
    pids = lab.processes()
    with open(f'/proc/{lab.daemon.pid}/task/{lab.daemon.pid}/children') as children:
        count = len([pid for pid in children.read().split() if pid != str(pids['publisher'])])
    return {'core': len(os.listdir(f'/proc/{pids["core"]}/fd')) - bool(pids['publisher']),
            'supervisor': len(os.listdir(f'/proc/{pids["supervisor"]}/fd')), 'children': count}


def ticks(pid):
    with open(f'/proc/{pid}/stat') as stat:
        return sum(int(field) for field in stat.read().rsplit(')', 1)[1].split()[11:13])


def honest_again():
    """What it lied about is right again: names, and (they are spaced: soak has the time) records."""
    act('honest')
    follows()
    lab.ctl('update', '--force', check=True)

    def right():
        lab.ctl('update', check=True)
        record, truth = lab.record() or {}, (lab.dns() or [''])[0]
        held = record.get('state') == 'current' and record['published'] == lab.address == truth
        trusted = lab.rules().split('set trusted', 1)[1].split('}', 1)[0]
        return truth in trusted and '6.6.6.6' not in trusted and (held or not SOAK)
    wait_for('all is right again', 900 if SOAK else 60, right, every=1)


def begin_act(word):
    """From now on publishers do that; returns when one did, and how long the rule took meanwhile."""
    lab.guard.expects(dies='publisher', kib=1024)
    asked = acted(word)
    act(word)
    with contextlib.suppress(TypeError, ProcessLookupError):
        os.kill(lab.processes()['publisher'], 9)
    took = follows()
    wait_for(f'it does "{word}"', 20, lambda: acted(word) > asked or not lab.ctl('update', check=True), every=0.3)
    return took


def every_act():
    """Each wrong word, and silence, death and a flood, while the address moves: rules follow, nobody else is hurt"""
    before, pids, slowest = holdings(), lab.processes(), 0
    for word in WRONG:
        slowest = max(slowest, begin_act(word))
        now = lab.processes()
        same((now['core'], now['supervisor']), (pids['core'], pids['supervisor']), word)
    figure('S37', f'slowest rule while the publisher misbehaves in {len(WRONG)} ways, seconds', slowest, 5)
    honest_again()
    after = holdings()
    for thing in before:
        figure('S37', f'{thing} left over from it: more than before', after[thing] - before[thing], 0)
    holds('S37', 'core and supervisor are the same processes as before')


def killed():
    """One that says what it must not and does not leave is killed, not only left alone"""
    begin_act('garbage')
    wait_for('it is gone', 5, lambda: not lab.processes()['publisher'])
    holds('S37', 'a publisher that is ended does not live on')


def restarts():
    """It answers one record and leaves, or dies, for seconds: neither processor nor log is filled"""
    pids, lines = lab.processes(), lab.log().count('publisher: ')
    before, began, asked = ticks(pids['core']) + ticks(pids['supervisor']), time.monotonic(), acted('one')
    begin_act('one')
    for _ in range(4):
        follows()
        time.sleep(1.5)
    took = time.monotonic() - began
    used = ticks(pids['core']) + ticks(pids['supervisor']) - before
    figure('S37', 'starts in 6 s of one that answers and leaves', acted('one') - asked, 8)
    figure('S37', 'log lines of these 6 s', lab.log().count('publisher: ') - lines, 10)
    figure('S37', 'processor time of core and supervisor meanwhile, percent', 100 * used / os.sysconf('SC_CLK_TCK') / took, 20)


def at_random():
    """Anything in any order, changed while it is done"""
    pids = lab.processes()
    lab.guard.expects(dies='publisher', kib=1024)
    print(f'# SEED={SEED} ROUNDS={ROUNDS}', flush=True)
    for _ in range(ROUNDS):
        act(dice.choice(WRONG))
        if dice.random() < 0.5 and lab.processes()['publisher']:
            os.kill(lab.processes()['publisher'], dice.choice((9, 9, 19)))
        follows()
        lab.ctl('update', check=True)
        time.sleep(dice.random())
    now = lab.processes()
    same((now['core'], now['supervisor']), (pids['core'], pids['supervisor']))
    honest_again()
    holds('S37', 'all is right again when the publisher is honest')


def stop():
    """Stop with no trace of a sanitizer"""
    act('silent')
    follows()
    began = time.monotonic()
    same(lab.stop_daemon(), 0)
    figure('F53', 'seconds to stop with a publisher that listens to no signal', time.monotonic() - began, 5)
    log = lab.log()
    assert 'Sanitizer' not in log and 'runtime error' not in log, log[-3000:]
    holds('S37', 'no rule ever gets an address that only the publisher says', '6.6.6.6' not in lab.rules().split('chain', 1)[1])


def main():
    global lab
    with Lab(build=BUILD) as lab:
        arrange()
        lab.build = f'{TREE}/build'
        lab.set_address(next_address())
        lab.load_rules('81.2.69.1', RULES.replace('%(host)s', HOST))
        lab.set_dns('81.2.69.1')
        lab.write_configuration()
        act('honest')
        lab.start_daemon()
        wait_for('current', 60, lambda: (lab.record() or {}).get('state') == 'current')
        run_tests([every_act, killed, restarts, *([at_random] if SOAK else []), stop])


main()
