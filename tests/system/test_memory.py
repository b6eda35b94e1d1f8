# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory of the plain programs, as promised: at rest with 10 and with 500 records, and at its peak with 50,000 rules."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import guard  # noqa: E402
from lab import RULES, Lab, real_root, run, wait_for  # noqa: E402
from tap import Skip, figure, run_tests, same  # noqa: E402

MIB = 1024
TAGGED, FOREIGN = 500, 50000
lab = None


def configure(entries, names):
    """So many provider entries with so many names each; the provider says good, nobody looks."""
    one = lab.configuration()['providers'][0]
    lab.write_configuration(lab.configuration(providers=[
        dict(one, name=f'p{entry}', check=False, hostnames=[f'n{entry}-{name}.example.org' for name in range(names)])
        for entry in range(entries)]))


def held(what):
    """KiB by process."""
    family = guard.tree(lab.daemon.pid, guard.everybody())
    found = {'supervisor' if pid == lab.daemon.pid else process.role: process.status(what) for pid, process in family.items()}
    same(sorted(found), ['core', 'publisher', 'supervisor'])
    return found


def published(count):
    """While the publisher still lives."""
    wait_for('all are published', 120, lambda: sum(
        record['published'] == lab.address and record['state'] == 'current' for record in lab.status()['records']) == count)


def at_rest(records, limit):
    rss = held('RssAnon')
    print(f'# {records} records: RssAnon {rss}, VmRSS {held("VmRSS")} KiB')
    figure('P1', f'RssAnon of all three processes with {records} records', sum(rss.values()) / MIB, limit, 'MiB')
    for name, kib in held('VmRSS').items():
        figure('P1', f'VmRSS of {name} with {records} records', kib / MIB, 16, 'MiB')


def ten():
    """10 records, just published"""
    configure(1, 10)
    lab.set_address('81.2.69.7')
    lab.start_daemon()
    published(10)
    at_rest(10, 4)
    same(lab.stop_daemon(), 0)


def five_hundred():
    """500 records in 20 entries"""
    run('rm', '-rf', '/run/lab/state')
    configure(20, 25)
    lab.set_address('81.2.69.8')
    lab.start_daemon()
    published(500)
    at_rest(500, 8)
    figure('F74', 'VmRSS of the largest process with 500 records of 20 entries', max(held('VmRSS').values()) / MIB, 24, 'MiB')
    same(lab.stop_daemon(), 0)


def many_rules():
    """50,000 foreign rules and 500 tagged ones: the peak of a look and a change"""
    if not real_root():
        raise Skip("an ordinary user's nft cannot load so many rules at once")
    rules = ''.join(f'ip saddr 10.{n >> 16}.{n >> 8 & 255}.{n & 255} accept\n' for n in range(FOREIGN))
    tagged = ''.join(f'ip daddr 81.2.69.8 tcp dport {n} dnat to 192.168.1.2 comment "hairpin {n}"\n' for n in range(1, TAGGED + 1))
    lab.load_rules(lab.address, RULES + f'table ip big {{ chain f {{ type filter hook forward priority 0\n{rules}}}\n'
                   f'chain n {{ type nat hook prerouting priority -90\n{tagged}}}\n}}\n')
    configure(1, 10)
    lab.start_daemon()
    wait_for('seen', 30, lambda: lab.status()['wans'][0]['rules']['tagged'] == TAGGED + 3)
    lab.set_address('81.2.69.9')
    wait_for('changed', 60, lambda: f'ip daddr {lab.address} tcp dport {TAGGED} ' in lab.rules('ip big'))
    published(10)
    for name, kib in held('VmHWM').items():
        figure('P1', f'peak of {name} with {FOREIGN} rules, {TAGGED} of them tagged', kib / MIB, 32, 'MiB')
    same(lab.stop_daemon(), 0)


with Lab(build='build') as lab:
    lab.load_rules('81.2.69.1')
    lab.provider_says(lie=True)
    run_tests([ten, five_hundred, many_rules])
