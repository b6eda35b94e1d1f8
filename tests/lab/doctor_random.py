# SPDX-License-Identifier: GPL-2.0-or-later
"""Routers that nobody thought of: one that works, and a random change of a line or two. Nobody says which code is right
then; but what doctor says of each forward is what packets meet, it finds something where a forward fails and nothing where
none does, and when it finds nothing any more after its remedies packets arrive."""

import dataclasses
import json
import random
import re

from doctor_healthy import HEALTHY
from doctor_story import Do, question
from doctor_try import forwards_of, reach_of, told
from doctor_world import PUBLIC, PUBLIC6
from lab import run

BASES = ('nft by hand', 'nft by hand, one inet table with sets', 'map form', 'fib form', 'iptables-nft', 'firewalld', 'fw4',
         'VyOS', 'a guest network kept apart', 'a server in a DMZ', 'gates and verdict maps', 'strict rp_filter', 'PPPoE',
         'Docker beside', 'IPv6', 'SNAT instead of masquerade', 'a forward for the office only')
WORDS = (('wan0', 'eth7'), ('br0', 'br7'), ('81.2.69.7', '81.2.69.5'), ('192.168.1.0/24', '192.168.7.0/24'), ('tcp', 'udp'),
         ('accept', 'drop'), ('drop', 'accept'), ('accept', 'return'), (' 80', ' 81'), ('192.168.1.2', '192.168.1.22'),
         ('iifname', 'oifname'), ('==', '!='), ('dnat', 'snat'), ('masquerade', 'accept'), ('jump', 'goto'),
         ('dnat-', 'snat-'), ('-i ', '-o '), ('-o ', '! -o '), ('ACCEPT', 'DROP'), ('DROP', 'ACCEPT'), ('-s ', '-d '))
ODD = ('accept', 'return', 'drop', 'ct state new accept', 'ip saddr 192.168.0.0/16 return', 'ip protocol udp return',
       'iifname "br0" return', 'iifname "wan0" drop', 'tcp dport 80 drop', 'tcp dport 80 accept', 'ct status dnat return',
       'ct status dnat drop', 'ip daddr 192.168.1.2 drop', 'ip saddr 192.168.1.0/24 ip daddr 192.168.1.2 drop', 'meta mark set 7',
       'fib daddr type local drop', 'fib daddr type local accept', 'ip daddr 81.2.69.7 return', 'ip saddr != 192.168.1.0/24 drop',
       'meta mark 7 drop', 'ip ttl 0 drop', 'meta pkttype unicast return', 'tcp flags syn / syn,ack return', 'iif "wan0" accept',
       'ct direction original return', 'ip daddr { 192.168.0.0/16, 81.2.69.0/24 } return')
MAY_BE_MEANT = ('lan-blocked', 'return-path', 'internet-blocked')
SWITCHES = ('ipv4.ip_forward=0', 'ipv4.conf.br0.forwarding=0', 'ipv4.conf.wan0.forwarding=0', 'ipv4.conf.all.rp_filter=1')


def rule_lines(lines):
    """The numbers of those that are rules."""
    found, chain = [], False
    for number, line in enumerate(lines):
        words = line.split()
        if words[:1] == ['chain']:
            chain = True
        elif words[:1] == ['}']:
            chain = False
        elif (chain and words and words[0] != 'type') or words[:1] == ['-A']:
            found.append(number)
    return found


def change(lines, dice):
    """A line goes, moves, comes twice, says something else, or another one comes before it."""
    places = rule_lines(lines)
    at, what = dice.choice(places), dice.random()
    if what < 0.2:
        return f'without: {lines.pop(at).strip()}'
    if what < 0.3:
        other = dice.choice([place for place in places if place != at] or [at])
        lines[at], lines[other] = lines[other], lines[at]
        return f'changed places: {lines[at].strip()} | {lines[other].strip()}'
    if what < 0.5 and not lines[at].startswith('-A'):
        lines.insert(at, dice.choice(ODD))
        return f'before {lines[at + 1].strip()}: {lines[at]}'
    # Whether a host is there can be tried with one port of TCP alone.
    fitting = [(old, new) for old, new in WORDS if old in lines[at] and
               not (new == '192.168.1.22' and re.search(r'udp|-7010|goto|dnat ip to \S+$', lines[at]))]
    if not fitting:
        return ''
    old, new = dice.choice(fitting)
    lines[at] = lines[at].replace(old, new)
    return f'now: {lines[at].strip()}'


def loads(rules, iptables):
    """Both, in a namespace made for that."""
    for program, text in (('nft -f -', rules), ('iptables-nft-restore', iptables)):
        try:
            run('unshare', '-n', *program.split(), input=text)
        except RuntimeError:
            return False
    return True


def make(number, seed):
    """The router of that number: a healthy one, changed."""
    dice = random.Random(seed * 100003 + number)
    bases = [router for router in HEALTHY if router.name in BASES]
    while True:
        base = dice.choice(bases)
        kind = 'iptables' if base.iptables else 'rules'
        lines, setup = getattr(base, kind).split('\n'), base.setup
        said = [change(lines, dice) for _ in range(dice.choice((0, 1, 1, 1, 1, 1, 2, 2)))]
        if not said:
            said = ['sysctl -qw net.' + dice.choice(SWITCHES).replace('wan0', 'ppp0' if 'ppp' in base.parts else 'wan0')]
            setup += (Do('router', said[0]),)
        texts = {'rules': base.rules, 'iptables': base.iptables, kind: '\n'.join(lines)}
        if all(said) and loads(**texts):
            return dataclasses.replace(base, name=f'{number}: {base.name}, {"; ".join(said)}', tale='', setup=setup, **texts)


def play_random(router, trial):
    trial.prepare()
    met, report, findings = examine(trial)
    wrong = failing(trial, met)
    said = told(report)
    if any(is_listed(text, report) for text in wrong) and not findings and not is_excused(report):
        raise AssertionError(f'{wrong}: packets do not arrive, and doctor finds nothing\n{said}')
    if findings and not wrong:
        raise AssertionError(f'packets arrive, and doctor finds something\n{said}')
    if findings:
        trial.mend(check for check in findings if can_be_mended(check))
        met, report, findings = examine(trial)
        wrong = {text for text in failing(trial, met) if is_listed(text, report)}
        if not findings and wrong and not is_excused(report):
            raise AssertionError(f'mended, and yet {wrong}\n{said}\nmended:\n{told(report)}')


def failing(trial, met):
    """Who was not to reach it, and does since something was dropped: that is no fault of a forward."""
    wanted = trial.wanted()
    return {text for text, who in met.items() if wanted[text] not in (who, 'nobody')}


def is_excused(report):
    """Something is not known, or so that it may be meant."""
    return any(check['verdict'] == 'unknown' or check['verdict'] == 'note' and check['code'] in MAY_BE_MEANT
               for check in report['checks'])


def can_be_mended(check):
    """Somebody else's firewall has tools of its own, which are not here."""
    commands = (check['remedy'] or {}).get('commands', ())
    return commands and not any(re.search(r'\b(fw4|uci|firewall-cmd|configure)\b', command) for command in commands)


def is_listed(text, report):
    """It was asked of a forward that doctor has seen and judged for that client; a rule that is gone is none."""
    client, _, _, address, _ = question(text)
    return address in (PUBLIC, PUBLIC6) and any(reach_of(forward, client) != 'unknown'
                                                for forward in forwards_of(report, text))


def examine(trial):
    """What packets meet, what doctor says, and its findings."""
    met = trial.look()
    status, text, complaint = trial.hairpinctl('doctor')
    assert text, f'exit {status}: {complaint}'
    report = json.loads(text)
    trial.compare('changed', report, unsure=True)
    return met, report, [check for check in report['checks'] if check['verdict'] == 'finding']
