# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes and comes back around a daemon that is at rest: its address, or an old ruleset."""

import random
import subprocess
import time

from lab import RULES, run, wait_for
from storm import Commits, memory_kib
from storms import A, C, SEED
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
