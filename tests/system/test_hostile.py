# SPDX-License-Identifier: GPL-2.0-or-later
"""The publisher after it was taken over (tests/hostile/publisher.c, started by the real supervisor), and other forged peers:
it lies about records and names, and nothing else comes of it."""

import contextlib
import itertools
import json
import os
import random
import re
import shutil
import socket
import struct
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import HOST, TOP, ZONE, Lab, inside, run, wait_for  # noqa: E402
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
    shutil.copy(f'{TOP}/build/asan/tests/hostile/publisher', f'{TREE}/build/hairpin-publish')
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
    with contextlib.suppress(TimeoutError):     # a publisher that comes or goes just now has a descriptor on either side
        wait_for('no more than before', 5, lambda: all(holdings()[thing] <= before[thing] for thing in before), every=0.1)
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
    sixes = max(1, took / 6)        # where this machine is slow it is longer
    figure('S37', 'starts in 6 s of one that answers and leaves', (acted('one') - asked) / sixes, 8)
    figure('S37', 'log lines of these 6 s', (lab.log().count('publisher: ') - lines) / sixes, 10)
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


def netlink_sockets(bus):
    """The core's netlink sockets of this bus: {port: (bytes that wait in it, messages that it lost)}."""
    core, sockets = lab.processes()['core'], {}
    inodes = set()
    for fd in os.listdir(f'/proc/{core}/fd'):
        with contextlib.suppress(OSError):
            inodes.add(os.readlink(f'/proc/{core}/fd/{fd}'))
    with open(f'/proc/{core}/net/netlink') as table:
        for line in table.read().splitlines()[1:]:
            fields = line.split()
            if int(fields[1]) == bus and f'socket:[{fields[-1]}]' in inodes:
                sockets[int(fields[2])] = int(fields[4]), int(fields[8])
    assert sockets, bus
    return sockets


def waiting():
    return sum(bytes_ for bus in (0, 12) for bytes_, _ in netlink_sockets(bus).values())


def lost():
    return sum(count for bus in (0, 12) for _, count in netlink_sockets(bus).values())


def attribute(kind, value):
    return struct.pack('=HH', 4 + len(value), kind) + value + bytes(-len(value) % 4)


def forged(link):
    """(bus, multicast groups, message): an address, its end, a link, a route, a rule, a generation."""
    address = attribute(1, bytes([6, 6, 6, 6])) + attribute(2, bytes([6, 6, 6, 6]))
    bodies = ((0, 0x10, 20, struct.pack('=BBBBI', 2, 24, 0, 0, link) + address),
              (0, 0x10, 21, struct.pack('=BBBBI', 2, 24, 0, 0, link) + address),
              (0, 0x01, 17, struct.pack('=BxHiII', 0, 1, link, 0, 0xffffffff)),
              (0, 0x40, 24, struct.pack('=BBBBBBBBI', 2, 0, 0, 0, 254, 3, 0, 1, 0)),
              (12, 0x40, 0x0a06, struct.pack('=BBH', 2, 0, 0) + attribute(1, b'nat\0')),
              (12, 0x40, 0x0a0f, struct.pack('=BBH', 0, 0, 0) + attribute(1, struct.pack('>I', 99))),
              (0, 0x10, 20, b'\0'), (12, 0x40, 0x0a06, b''))
    for bus, groups, kind, body in bodies:
        yield bus, groups, struct.pack('=IHHII', 16 + len(body), kind, 0, 0, 0) + body


def forge(link):
    """500 times each message, to the core's own ports and to its groups; how many were taken. The core has time to read
    them: it looks at everything where the kernel says that messages were lost, and that would be right."""
    sent = 0
    with inside('router'):
        forgers = {bus: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, bus) for bus in (0, 12)}
    ports = {bus: netlink_sockets(bus) for bus in (0, 12)}
    for turn in range(500):
        for bus, groups, message in forged(link):
            for port in ports[bus]:
                with contextlib.suppress(ConnectionRefusedError, BlockingIOError):
                    sent += forgers[bus].sendto(message, (port, 0)) > 0
            with contextlib.suppress(OSError):
                sent += forgers[bus].sendto(message, (0, groups)) > 0
        if turn % 20 == 19:
            wait_for('they are read', 20, lambda: waiting() == 0, every=0.002)
    for forger in forgers.values():
        forger.close()
    return sent


def believed():
    """(when the rules were looked at last, changes by others so far)"""
    changes = re.search(r'^hairpind_foreign_ruleset_changes_total (\d+)', json.loads(lab.guard.ask('metrics', raw=True))['text'], re.M)
    return lab.status()['wans'][0]['rules']['last_sync'], int(changes[1])


def forged_netlink():
    """Messages that the kernel did not send, from a process with CAP_NET_ADMIN, to the core's own ports and to its groups"""
    link = json.loads(run('ip', '-j', 'link', 'show', 'wan0', ns='router'))[0]['ifindex']
    # The publisher's answers and the safety net cause looks too, now and then; a message that is believed always does.
    for _ in range(5):
        wait_for('no change is under way', 60, quiet)
        before, rules, seen, missed = lab.status()['wans'][0]['ipv4'], lab.rules(), believed(), lost()
        sent = forge(link)
        time.sleep(0.2)
        seen, missed = int(believed() != seen), lost() - missed
        same(lab.status()['wans'][0]['ipv4'], before)
        same(lab.rules(), rules)
        assert sent > 500, sent
        print(f'# {sent} forged messages, {missed} lost, {seen} looks')
        if seen == 0 and missed == 0:
            break
    figure('S16', 'looks at the rules that 500 forged messages of each of 8 kinds cause', seen + missed, 0)
    slowest = follows()
    figure('S16', 'seconds until the next real change is followed', slowest, 5)


def quiet():
    first = lab.status()['wans'][0]['rules']['last_sync']
    time.sleep(1)
    return lab.status()['wans'][0]['rules']['last_sync'] == first


def stop():
    """It stops"""
    act('silent')
    follows()
    began = time.monotonic()
    same(lab.stop_daemon(), 0)
    figure('F53', 'seconds to stop with a publisher that listens to no signal', time.monotonic() - began, 5)
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
        run_tests([every_act, killed, restarts, forged_netlink, *([at_random] if SOAK else []), stop])


main()
