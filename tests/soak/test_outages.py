# SPDX-License-Identifier: GPL-2.0-or-later
"""
Days of a provider that fails, in every way it can: requests and connections, log lines, how it comes back; and 50 records at three
providers after six hours. ROUNDS=2 goes through all of it twice.
"""

import os
import random
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from hours import DAY, HOUR, MINUTE, Hours, most  # noqa: E402
from lab import PROVIDER, PROVIDER_NAME, RESOLVER  # noqa: E402
from tap import figure, holds, run_tests  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
SEED = int(os.environ.get('SEED', time.time_ns() % 100000))
ROUNDS = int(os.environ.get('ROUNDS', '1'))
dice = random.Random(SEED)
lab = None

WEB = f'ip daddr {PROVIDER} tcp dport 443'
OUTAGES = {     # name: what the provider says, what the internet does, how a try is seen
    'HTTP 500': ({'status': 500}, None, 'request'),
    'HTTP 502': ({'status': 502}, None, 'request'),
    'HTTP 503': ({'status': 503}, None, 'request'),
    'reset': ({}, f'{WEB} reject with tcp reset', 'syn'),
    'black hole': ({}, f'{WEB} drop', 'syn'),
    'silence': ({'silent': True}, None, 'request'),
    'no DNS': ({}, f'ip daddr {RESOLVER} meta l4proto {{ tcp, udp }} th dport 53 drop', 'dns'),
}


def tries(how, since):
    if how == 'request':
        return lab.asked(since)
    return lab.wire.times('syn', 443, since) if how == 'syn' else lab.wire.times('dns', PROVIDER_NAME, since)


def a_day(hours=24):
    """Log lines of each hour."""
    lines = []
    for _ in range(hours):
        before = lab.lines()
        lab.clock.go(hours=1)
        lines.append(lab.lines() - before)
    return lines


def outage(name, count):
    says, rule, how = OUTAGES[name]
    lab.begin(lab.config(lab.names(count)))
    lab.provider_says(**says)
    lab.cut(*([rule] if rule else []))
    lab.change_address()
    began = lab.clock.now()
    lines = a_day()
    times = tries(how, began)
    said = f'{name}, {count} record{"s" if count > 1 else ""}'
    assert len(times) >= 24, f'{said}: only {len(times)} tries were seen'
    first = [at for at in times if at < began + HOUR]
    figure('F2', f'{said}: tries in the first hour', len(first), 8)
    figure('F2', f'{said}: tries in any later hour', most(times[len(first):], HOUR), 3)
    figure('F2', f'{said}: tries in 24 hours', len(times), 60)
    figure('F70', f'{said}: log lines in any hour', max(lines), 10)
    comes_back(said, count, times)


def comes_back(said, count, times):
    lab.provider_says()
    lab.cut()
    back = lab.clock.now()
    if count > 1:
        lab.ctl('update')
        lab.clock.until('asked again', 60, lambda: lab.asked(back), every=0.5)
        figure('P10', f'{said}: back, seconds to the first request by "hairpinctl update"', lab.asked(back)[0] - back, 2)
    lab.settle(45 * MINUTE)
    figure('P10', f'{said}: back, minutes to the last update', (max(lab.asked(back)) - back) / MINUTE, 36)
    lab.clock.go(hours=2)
    figure('F2', f'{said}: updates a record after it', len(lab.asked_for(back)) / count, '== 1')


def outages():
    """24 hours of each outage, with 1 and 20 records; what was tried, said, and how it ends"""
    print(f'# SEED={SEED} ROUNDS={ROUNDS}')
    for _ in range(ROUNDS):
        for name in OUTAGES:
            for count in (1, 20):
                outage(name, count)


def events():
    """A network event after an outage of 6 hours: asked at once"""
    lab.begin(lab.config(lab.names(20)))
    lab.cut(f'{WEB} reject with tcp reset')
    lab.change_address()
    lab.clock.go(hours=6 + dice.random())
    lab.cut()
    back = lab.clock.now()
    lab.change_address()
    lab.clock.until('asked again', 60, lambda: lab.asked(back), every=0.5)
    figure('P10', 'provider back and a network event: seconds to the first request', lab.asked(back)[0] - back, 2)
    lab.settle()
    figure('F2', 'all 20 records current after a network event: minutes', (lab.clock.now() - back) / MINUTE, 10)


def told_to_wait():
    """429 with every kind of Retry-After, an hour or a day of each"""
    date = 'Fri, 01 Jan 2100 00:00:00 GMT'
    for value, least, hours in (('7200', 7200, 3), ('0', 24, 3), ('-5', 24, 3), ('1000000000000', DAY, 25), ('soon', 24, 3),
                                (date, DAY, 25), (None, 24, 3)):
        lab.begin()
        lab.provider_says(status=429, headers={'Retry-After': value} if value else {})
        lab.change_address()
        began = lab.clock.now()
        lab.clock.go(hours=hours)
        times = lab.asked(began)
        assert len(times) > 1, f'{value}: {times}'
        early = sum(1 for a, b in zip(times, times[1:]) if b - a < least - 1)
        figure('F44', f'Retry-After {value}: requests before {least} s', early, '== 0')
        figure('F44', f'Retry-After {value}: requests in {hours} hours', len(times), 8 + 3 * hours)


def server_error():
    """A day of 911 and of dnserr"""
    for word in ('911', 'dnserr'):
        lab.begin()
        lab.provider_says(body=word)
        lab.change_address()
        began = lab.clock.now()
        lines = a_day()
        figure('F45', f'{word}: requests in any hour', most(lab.asked(began), HOUR), 2)
        figure('F70', f'{word}: log lines in any hour', max(lines), 10)


def stampede():
    """50 records at three providers after six hours: not all at once, soon all right"""
    names = lab.names(50)
    entries = [dict(lab.config(names[part::3])['providers'][0], name=f'provider{part}', server=f'{part}.{PROVIDER_NAME}')
               for part in range(3)]
    lab.begin(lab.configuration(providers=entries))
    lab.provider_says(status=503)
    lab.change_address()
    lab.clock.go(hours=6)
    lab.provider_says()
    back = lab.clock.now()
    lab.ctl('update')
    lab.settle(30 * MINUTE)
    asked = [request for request in lab.requests() if request['time'] >= back]
    times = [request['time'] for request in asked]
    figure('F46', 'minutes until all 50 are right', (max(times) - back) / MINUTE, 10)
    most = max(sum(begin <= time < begin + MINUTE for time in times) for begin in times)
    figure('F46', 'requests in any minute at three providers', most, 30)
    figure('F46', 'updates a record', len(lab.asked_for(back)) / 50, '== 1')
    holds('F46', 'every name once', sorted(lab.asked_for(back)) == sorted(names))


def main():
    global lab
    with Hours(build=BUILD) as lab:
        run_tests([outages, events, told_to_wait, server_error, stampede])


main()
