# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel in motion, as the daemon meets it: connections that began while a rule was stale, a firewall that is
restored with the old address, a program that sets it back again and again, and the quiet after that."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import TOP, inside, run, wait_for  # noqa: E402
from packets import STRANGER, PacketLab  # noqa: E402
from storm import program  # noqa: E402
from tap import run_tests, same, tried_figure  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
ROUNDS = int(os.environ.get('ROUNDS', '40'))
OLD, NEW, NEW6 = '81.2.69.1', '81.2.69.7', '2a01:4f8:1::7'
# A port of the router's own (a tunnel), one of a forward that is right in any case.
OWN, RIGHT = 2500, 2501
TO = 'dnat to 192.168.1.2'
# Forms of one forward of UDP port 2001: (what stands beside the chain, its rules).
FORMS = {
    'compare': ('', f'ip daddr {OLD} udp dport 2001 {TO} comment "hairpin"'),
    'set of ports': ('', f'ip daddr {OLD} udp dport {{ 2001, 2003-2004 }} {TO} comment "hairpin"'),
    'named set of ports': ('set ports { type inet_service; elements = { 2001 } }',
                           f'ip daddr {OLD} udp dport @ports {TO} comment "hairpin"'),
    'jump': (f'chain forwards {{ udp dport 2001 {TO}; }}', f'ip daddr {OLD} jump forwards comment "hairpin"'),
    'verdict map': (f'chain forwards {{ {TO}; }}',
                    f'ip daddr {OLD} udp dport vmap {{ 2001 : jump forwards }} comment "hairpin"'),
    'named set of addresses': (f'set wan {{ type ipv4_addr; comment "hairpin"; elements = {{ {OLD} }}; }}',
                               f'ip daddr @wan udp dport 2001 {TO}'),
    'concatenation': (f'chain forwards {{ {TO}; }}',
                      f'ip daddr . udp dport vmap {{ {OLD} . 2001 : jump forwards }} comment "hairpin"'),
    'multiport': None,
}
lab = None


def table(form, address=OLD):
    beside, rule = FORMS[form]
    text = f'''flush ruleset
table ip nat {{
    {beside}
    chain pre {{
        type nat hook prerouting priority dstnat;
        {rule}
        tcp dport {RIGHT} {TO}
    }}
    chain post {{
        type nat hook postrouting priority srcnat;
        oifname "wan0" masquerade
    }}
}}
'''
    return text.replace(OLD, address)


def load(form, address=OLD):
    if FORMS[form]:
        lab.load(table(form, address))
        return
    lab.load(f'flush ruleset\ntable ip own {{\nchain pre {{\ntype nat hook prerouting priority dstnat + 1;\n'
             f'tcp dport {RIGHT} {TO}\n}}\n}}\n')
    lab.load_iptables(f'*nat\n-A PREROUTING -d {address} -p udp -m multiport --dports 2001,2003:2004 '
                      '-m comment --comment hairpin -j DNAT --to-destination 192.168.1.2\nCOMMIT\n')


class Watch(threading.Thread):
    """Everybody's transactions in the router, as they come: (seconds, program)."""

    def __enter__(self):
        with inside('router'):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        self.sock.bind((0, 0))
        self.sock.setsockopt(270, 1, 7)			# NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sock.settimeout(0.1)
        self.seen, self.ended = [], False
        self.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.join()
        self.sock.close()

    def run(self):
        while not self.ended:
            with contextlib.suppress(TimeoutError):
                self.take(self.sock.recv(1 << 16))

    def take(self, data):
        name = program(data)
        if name:
            self.seen.append((time.monotonic(), name))


class Peer:
    """A UDP peer on the internet that sends every 50 ms, whatever comes back."""

    def __init__(self, port):
        with inside('inet'):
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((STRANGER, 0))
        self.sock.connect((NEW, port))
        self.sock.setblocking(False)
        self.next = time.monotonic()

    def step(self):
        """One packet; the names of those who answered meanwhile."""
        time.sleep(max(0, self.next - time.monotonic()))
        self.next += 0.05
        self.sock.send(b'who?')
        names = []
        with contextlib.suppress(BlockingIOError):
            while True:
                names.append(self.sock.recv(200).decode().split()[0])
        return names

    def until(self, name, steps=60):
        others = []
        for number in range(steps):
            names = self.step()
            if name in names:
                return number
            others += names
        raise AssertionError(f'{name} did not answer within {steps} packets, but {others}')


def entry(proto, port):
    """The one connection to that port of the WAN's address: its id, and how many packets it had."""
    out = run('conntrack', '-L', '-o', 'id', '-p', proto, '-d', NEW, '--dport', port, ns='router', check=False)
    [(packets, number)] = re.findall(r'packets=(\d+) .* id=(\d+)', out)
    return number, int(packets)


@contextlib.contextmanager
def core_stopped():
    """The rules stay stale meanwhile."""
    core = lab.processes()['core']
    os.kill(core, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(core, signal.SIGCONT)


def rules():
    return run('nft', 'list', 'table', 'ip', 'nat', ns='router')


def stale_peer(form):
    with core_stopped():
        load(form)
        peer, own = Peer(2001), Peer(OWN)
        with inside('inet'):
            stream = socket.create_connection((NEW, RIGHT), 3)
        for _ in range(4):
            peer.until('router')
            own.until('router')
        before = entry('udp', OWN), entry('tcp', RIGHT)
    wait_for('the rules', 5, lambda: OLD not in rules())
    steps = peer.until('server')
    own.until('router')
    for (number, packets), now in zip(before, (entry('udp', OWN), entry('tcp', RIGHT))):
        same(now[0], number, 'a connection that was right')
        assert now[1] >= packets, (now, packets)
    stream.sendall(b'who?\n')
    same(stream.recv(200).split()[0], b'server')
    stream.close()
    return steps


def peers():
    """A UDP peer that kept sending while a rule was stale gets the server's answer without a pause; others stay"""
    run('sysctl', '-qw', 'net.netfilter.nf_conntrack_acct=1', ns='router')
    lab.set_wan(NEW, NEW6)
    load('compare', NEW)
    lab.write_configuration(lab.configuration(providers=None, hooks=None))
    lab.start_daemon()
    wait_for('the daemon has looked', 10, lambda: (lab.status() or {})['wans'][0]['rules']['in_step'])
    for form in FORMS:
        try:
            if stale_peer(form) >= 20:      # once more, where this machine stood still
                run('conntrack', '-F', ns='router')
                steps = stale_peer(form)
                assert steps < 20, steps
        except AssertionError as problem:
            raise AssertionError(f'{form}: {problem}') from problem
        run('conntrack', '-F', ns='router')


def quiet(seconds, why):
    """Nobody commits, and the core is not woken but by what it waits for anyway."""
    core = lab.processes()['core']
    for _ in range(3):      # what a slow machine has left over comes to its end in one of them
        with Watch() as watch:
            before = wakings(core)
            time.sleep(seconds)
            seen, woken = watch.seen, wakings(core) - before
        if not seen and woken <= 2:
            return
    same(seen, [], why)
    assert woken <= 2, (woken, why)


def wakings(pid):
    with open(f'/proc/{pid}/status') as status:
        return int(re.search(r'^voluntary_ctxt_switches:\s*(\d+)', status.read(), re.M).group(1))


def restart_quietly():
    """A fight that is over leaves its pause behind: the daemon begins anew."""
    lab.stop_daemon()
    load('compare', NEW)
    lab.start_daemon()
    wait_for('the daemon has looked', 10, lambda: (lab.status() or {})['wans'][0]['rules']['in_step'])
    time.sleep(0.2)


def restored():
    """Flushed and restored with the old address: the plain daemon is right within 100 ms of the restore's commit

    Some wait for the 50 ms in which looks are shared; one in twenty may meet a machine that is busy."""
    lab.build = os.path.join(TOP, 'build')
    try:
        tried_figure('F6', 'ms the old address lived after a restore, 19 of 20', restores, 100)
    finally:
        lab.build = os.path.join(TOP, BUILD)


def restores():
    """Where the slowest of them took more than 300 ms that is told, for one more try."""
    took = []
    for number in range(ROUNDS):
        if number % 5 == 0:
            restart_quietly()		# more than five a minute are a fight
        with Watch() as watch:
            load('compare')
            wait_for('a correction', 10, lambda: len(watch.seen) > 1, every=0.002)
        took.append(watch.seen[1][0] - watch.seen[0][0])
        same([name for _, name in watch.seen], ['nft', 'hairpind'])
        assert NEW in rules() and OLD not in rules()
        time.sleep(0.06)
    took.sort()
    print(f'# {len(took)} restores: median {took[len(took) // 2] * 1000:.1f} ms, slowest {took[-1] * 1000:.1f} ms')
    return took[-1 if took[-1] > 0.3 else len(took) * 19 // 20 - 1] * 1000


def own_commits():
    """Its own commits wake nobody: after a correction nothing is looked at, nothing is sent"""
    restart_quietly()
    load('compare')
    wait_for('the rules', 3, lambda: OLD not in rules())
    quiet(2, 'after a correction')
    lab.set_wan(NEW, '81.2.69.8', NEW6)
    lab.set_wan('81.2.69.8', NEW6)
    wait_for('the rules', 3, lambda: '81.2.69.8' in rules())
    time.sleep(3)			# connections of the former address are looked for once more
    quiet(2, 'after a change')
    lab.set_wan('81.2.69.8', NEW, NEW6)
    lab.set_wan(NEW, NEW6)
    wait_for('the rules', 3, lambda: NEW in rules())


def counts(watch):
    """How often the other program has committed, and how often ours."""
    names = [name for _, name in watch.seen]
    return names.count('nft'), names.count('hairpind')


def listing_s():
    """What a listing by nft takes now."""
    began = time.monotonic()
    rules()
    return time.monotonic() - began


def fight():
    """A program that sets the old address back every 10 ms: noticed, slowed down, said once, right in the end"""
    restart_quietly()
    began = len(lab.log())
    other = subprocess.Popen(['nsenter', '--net=/run/netns/router', 'nft', '-i'], stdin=subprocess.PIPE, text=True,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lab.children.append(other)
    rule = FORMS['compare'][1]
    with Watch() as watch:
        began_s = time.monotonic()
        while time.monotonic() < began_s + 5 or time.monotonic() < began_s + 60 and (counts(watch)[0] <= 50 or counts(watch)[1] <= 5):
            other.stdin.write(f'flush chain ip nat pre; add rule ip nat pre {rule}\n')
            other.stdin.flush()
            time.sleep(0.01)
        other.stdin.close()
        other.wait(10)
        lab.children.remove(other)
        ended = time.monotonic()
        wait_for('the rules', 10, lambda: OLD not in rules() and NEW in rules(), every=0.01)
        took = time.monotonic() - ended
    theirs, ours = counts(watch)
    print(f'# {theirs} times set back, {ours} times corrected, right {took * 1000:.0f} ms after the end')
    assert theirs > 50, theirs
    assert 5 < ours < 60 * max(1, (ended - began_s) / 5), ours
    assert took < 3 or took < 20 * listing_s(), took
    same(lab.log()[began:].count('again and again'), 1)
    quiet(2, 'after the fight')


def overrun():
    """A flood of transactions, while the core cannot read: the last word is heard"""
    restart_quietly()
    with core_stopped():
        run('nft', '-i', ns='router', input='add table ip x\ndelete table ip x\n' * 300, timeout=60)
        load('compare')
    wait_for('the rules', 3, lambda: NEW in rules() and OLD not in rules())


def stop():
    """It ends in order"""
    same(lab.stop_daemon(), 0)


def main():
    global lab
    with PacketLab(build=BUILD) as lab:
        run_tests([peers, restored, own_commits, fight, overrun, stop])


main()
