# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes and comes back around a daemon that is at rest: its address, or an old ruleset."""

import os
import random
import signal
import subprocess
import threading
import time

from lab import RULES, run, wait_for
from storm import Commits, Links, memory_kib, percentile
from storms import A, B, C, SEED, peer_ms
from tap import figure, holds, same


# --- F33: gone and back

def gone_and_back(lab, rounds, longest):
    """F33: the same address goes and comes back: no update, no other address in the rules"""
    print(f'# SEED={SEED}', flush=True)
    dice = random.Random(SEED)
    lab.rest()
    with Commits() as commits:
        for _ in range(rounds):
            lab.links.send(lab.links.remove(A))
            lab.wait(min(longest, 0.001 * (longest * 1000) ** dice.random()))
            lab.links.send(lab.links.add(A))
            lab.default_route()
            time.sleep(0.001 * dice.randrange(20))
        lab.wait(2.5)
        figure('F33', f'commits while the address goes and comes back {rounds} times, after 1 ms to {longest:g} s',
               commits.count(), '== 0')
    figure('F33', 'updates meanwhile', lab.updates(), '== 0')
    assert lab.has_rules(A)
    wait_for('current', 30, lambda: lab.record()['state'] == 'current')


# --- F6: a firewall that is loaded again

MORE = '''
table ip more {
	chain pre {
		type nat hook prerouting priority -90;
		ip daddr 81.2.69.7 tcp dport 7 dnat to 192.168.1.2 comment "hairpin more"
	}
}
'''
FEW = 5    # corrections a minute; who sets a value back more often is fighting, and is answered ever more slowly


def reload(commits, text):
    """The firewall is loaded again; how many ms its old address lived."""
    commits.count()
    with subprocess.Popen(['nsenter', '--net=/run/netns/router', 'nft', '-f', '-'], stdin=subprocess.PIPE, text=True) as nft:
        nft.stdin.write(text)
        nft.stdin.close()
        loaded = commits.next(10, 'nft')
        corrected = commits.next(10)
    same(nft.returncode, 0)
    assert loaded and corrected, 'no correction'
    return (corrected - loaded) * 1000


def reloads(lab, rounds, gaps, strict):
    """F6: the old address comes back by a reload, at once, later or never; a table goes"""
    lab.rest(rules=RULES % {'address': A} + MORE)
    old = f'flush ruleset\n{run("nft", "list", "ruleset", ns="router").replace(A, C)}'
    took = []
    with Commits() as commits:
        for number in range(rounds):
            if lab.clock and number % FEW == 0:
                lab.wait(61)
            gap = gaps[number % len(gaps)]
            if gap:
                run('nft', 'flush', 'ruleset', ns='router')
                lab.wait(gap)
                same(run('nft', 'list', 'ruleset', ns='router'), '', 'something was made')
            took.append(reload(commits, old))
            assert lab.has_rules(A) and not lab.has_rules(C)
            if number == rounds // 5:
                growth = memory_kib(lab.core, 'RssAnon')
        run('nft', 'delete', 'table', 'ip', 'more', ns='router')
        lab.wait(0.3)
        commits.count()
        lab.wait(1)
        figure('F6', 'commits after a table was deleted', commits.count(), '== 0')
    error = lab.status()['wans'][0]['rules']['error']
    holds('F6', 'a table that is gone is no error, and is not made', error is None and 'table ip more' not in run(
        'nft', 'list', 'ruleset', ns='router') and lab.has_rules(A))
    figure('F6', f'provider requests during {rounds} reloads', lab.updates(), '== 0')
    figure('F6', f'KiB of growth over {rounds} reloads', memory_kib(lab.core, 'RssAnon') - growth, 128)
    if strict:
        figure('F6', f'ms the old address lived, the slowest of {rounds} reloads', max(took), 100)


# --- P10: events that were lost, and a link that is new

def lost_events():
    """How many messages the kernel could not give to sockets of rtnetlink in the router."""
    rows = [line.split() for line in run('cat', '/proc/net/netlink', ns='router').splitlines()[1:]]
    return sum(int(row[8]) for row in rows if row[1] == '0')


def overrun(lab, rounds, strict):
    """P10: more events than the core's socket holds: what they were about is seen all the same"""
    lab.rest()
    here, there, took = A, B, []
    noise = [message for n in range(1, 200) for message in (lab.links.add(f'10.9.0.{n}', 'br0'), lab.links.remove(f'10.9.0.{n}', 'br0'))]
    with Commits() as commits:
        for _ in range(rounds):
            lost = lost_events()
            os.kill(lab.core, signal.SIGSTOP)
            for _ in range(100):
                lab.links.send(*noise)
                if lost_events() > lost:
                    break
            lab.change(here, there)
            assert lost_events() > lost, 'no overrun'
            commits.count()
            began = time.monotonic()
            os.kill(lab.core, signal.SIGCONT)
            took.append((commits.next(10) or began + 10) - began)
            here, there = there, here
            lab.wait(0.2)
    assert lab.has_rules(here)
    if strict:
        figure('P3', f's to the rules after an overrun, the slowest of {rounds}', max(took), 1)
    figure('P10', f'netlink overrun: s to the rules, median of {rounds}', percentile(took, 0.5), 1)


def churn(lab, rounds):
    """P3: somebody else commits fifty times a second, in another table"""
    lab.rest()
    here, there, took, ended = A, B, [], threading.Event()
    with subprocess.Popen(['nsenter', '--net=/run/netns/router', 'nft', '-i'], stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.DEVNULL) as nft, Commits() as commits:
        def commit():
            while not ended.wait(0.02):
                nft.stdin.write('add table ip x; delete table ip x\n')
                nft.stdin.flush()

        other = threading.Thread(target=commit)
        other.start()
        began, theirs = time.monotonic(), 0
        for _ in range(rounds):
            theirs += commits.count('nft')
            changed = time.monotonic()
            lab.change(here, there)
            took.append((commits.next(10) or changed + 10) - changed)
            here, there = there, here
            time.sleep(0.2)
        ended.set()
        other.join()
        span = time.monotonic() - began
        nft.stdin.close()
    assert lab.has_rules(here)
    figure('P3', 'commits of somebody else a second', theirs / span, '>= 30')
    figure('P3', f's to the rules beside them, the slowest of {rounds}', max(took), 1)


def made_again(lab, rounds, strict):
    """P10: the WAN's link is removed and made again, as PPPoE does, with another address"""
    lab.rest()
    here, there, took, asked, pace = A, B, [], [], peer_ms(lab)
    with Commits() as commits:
        for _ in range(rounds):
            lab.wait(1300)      # a day has room for 80 of them
            lab.remove_wan()
            lab.wait(3)
            lab.make_wan()
            links, before = Links(), len(lab.requests())
            commits.count()
            began, now = time.monotonic(), lab.now()
            links.send(links.add(there))
            took.append(((commits.next(10) or began + 10) - began) * 1000)
            lab.default_route()
            lab.until('the request', 60, lambda before=before: len(lab.requests()) > before)
            asked.append(lab.requests()[before]['time'] - now)
            here, there = there, here
    pace = max(pace, peer_ms(lab))
    assert lab.has_rules(here)
    lab.links = Links()
    if strict:
        figure('P10', f'interface made again with an address: ms to the rules, p99 of {rounds}', percentile(took, 0.99), 10)
    figure('P10', f'interface made again: ms to the rules, median of {rounds}, in the time that nft needs for one rule',
           percentile(took, 0.5) / pace, 1)
    figure('P10', f'interface made again: s to the provider, the slowest of {rounds}', max(asked), 2.5)
    figure('P5', f'requests for each of {rounds} links made again', lab.updates() / rounds, '== 1')
