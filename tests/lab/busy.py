# SPDX-License-Identifier: GPL-2.0-or-later
"""Reloads while requests are under way, in whatever number: tests/system has some, tests/soak the thousand."""

import collections
import os
import random
import socket
import ssl
import time

from lab import HOST, PROVIDER, PROVIDER_NAME, inside, wait_for
from tap import figure, holds, same

SEED = int(os.environ.get('SEED', time.time_ns() % 100000))
PROVIDERS, NAMES, BLOCK = ('one', 'other'), 5, 50
ON_THE_WAY_S = 0.25     # at least, for a request that had left before


def begin(lab):
    """The daemon, with a record that is current."""
    lab.set_address('81.2.69.10')
    lab.load_rules('81.2.69.1')
    lab.set_dns('81.2.69.1')
    lab.write_configuration()
    lab.start_daemon()
    wait_for('current', 60, lambda: (lab.record() or {}).get('state') == 'current')


def reloads_at_work(lab, rounds):
    """Reloads while requests are slow: records come and go, the provider is another; no update for who is gone, none twice"""
    print(f'# SEED={SEED} ROUNDS={rounds}', flush=True)
    dice = random.Random(SEED)
    lab.provider_says(delay=1.0)
    core, asked, late, slowest = lab.processes()['core'], len(lab.requests()), [], 0
    for first in range(0, rounds, BLOCK):
        lab.set_address(f'81.2.69.{100 + first // BLOCK}')
        names = [f'n{first}-{number}.example.org' for number in range(NAMES)]
        for number in range(min(BLOCK, rounds - first)):
            took = reload(lab, dice.choice(PROVIDERS), [HOST] + [name for name in names if dice.random() < 0.5])
            slowest = max(slowest, took)
            if number == BLOCK // 2:
                reload(lab, dice.choice(PROVIDERS), [HOST] + names)
                wait_for('one of them is asked for', 60, lambda names=names: any(
                    request['query'].get('hostname') in names for request in lab.requests()[asked:]))
        reload(lab, PROVIDERS[0], [HOST])
        time.sleep(max(ON_THE_WAY_S, 2 * slowest, 3 * handshake_s(lab)))
        over = len(lab.requests())
        time.sleep(1.5)
        late += [request for request in lab.requests()[over:] if request['query'].get('hostname') != HOST]
    lab.provider_says()
    wait_for('current', 900, lambda: (lab.record() or {}).get('state') == 'current' and lab.dns() == [lab.address], every=0.2)
    same(lab.processes()['core'], core, 'core')
    sent = collections.Counter((request['host'], request['query'].get('hostname'), request['query'].get('myip'))
                               for request in lab.requests()[asked:])
    print(f'# {sum(sent.values())} updates: {sent.most_common(3)}')
    figure('F52', f'updates for records that are gone, after {rounds} reloads', len(late), 0)
    figure('F52', f'updates of a record to an address by one provider, the most in {rounds} reloads', max(sent.values()), 1)
    holds('F52', f'the core is the same after {rounds} reloads')


def handshake_s(lab):
    """What the provider takes now to let somebody in."""
    began = time.monotonic()
    with inside('inet'):
        stream = socket.create_connection((PROVIDER, 443), 60)
    with ssl._create_unverified_context().wrap_socket(stream):
        pass
    return time.monotonic() - began


def reload(lab, provider, names):
    """It returns the seconds it took."""
    began = time.monotonic()
    entry = dict(lab.configuration()['providers'][0], hostnames=names, name=provider, server=f'{provider}.{PROVIDER_NAME}')
    lab.write_configuration(lab.configuration(providers=[entry]))
    lab.ctl('reload', check=True)
    return time.monotonic() - began
