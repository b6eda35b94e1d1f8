# SPDX-License-Identifier: GPL-2.0-or-later
"""
Weeks and months in which nothing is wrong with us: 90 quiet days, resolvers that lie, names that others change, zones that never
follow, public addresses asked for outside; restarts without end, and a day of storms. DAYS=7 shortens the quiet ones.
"""

import os
import random
import signal
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from hours import DAY, HOUR, MINUTE, Hours, most  # noqa: E402
from lab import AUTHORITY, AUTHORITY6, HOST, PROVIDER_NAME  # noqa: E402
from tap import figure, holds, run_tests  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
SEED = int(os.environ.get('SEED', time.time_ns() % 100000))
ROUNDS = int(os.environ.get('ROUNDS', '100'))
DAYS = int(os.environ.get('DAYS', '90'))
dice = random.Random(SEED)
lab = None


def quiet():
    """Quiet months, with a restart every ten days: updates without a change"""
    for refresh, limit in (('0s', 0), ('30d', DAYS // 30)):
        began = lab.begin(lab.config(provider={'refresh': refresh}, dns={'check_every': '1h'}))
        for _ in range(DAYS // 10):
            lab.clock.go(days=10)
            lab.stop_daemon()
            lab.start_daemon(log=lab.log_path)
        lab.clock.go(days=DAYS % 10, hours=1)
        assert lab.all_current(), lab.status()
        figure('F73', f'updates in {DAYS} days, refresh {refresh}', len(lab.asked(began)), f'== {limit}')
        figure('P5', f'updates in {DAYS} days without a change, refresh {refresh}', len(lab.asked(began)), f'== {limit}')
        assert len(lab.wire.names(began)) > 12 * DAYS, 'DNS was hardly asked'


def restarts():
    """A hundred restarts and kills, at random times"""
    print(f'# SEED={SEED} ROUNDS={ROUNDS}')
    began = lab.begin()
    slowest = 0
    for _ in range(ROUNDS):
        lab.clock.go(dice.choice((0, 1, 20, 300, 1200)) * dice.random())
        victim = dice.choice(('restart', 'supervisor', 'core'))
        killed = lab.clock.now()
        if victim != 'restart':
            lab.guard.expects(dies=victim)
        if victim == 'core':
            os.kill(lab.processes()['core'], signal.SIGKILL)
        else:
            lab.stop_daemon(signal.SIGTERM if victim == 'restart' else signal.SIGKILL)
            lab.start_daemon(log=lab.log_path)
        lab.clock.until('current', 60, lab.all_current, every=0.2)
        slowest = max(slowest, lab.clock.now() - killed)
    lab.clock.go(hours=2)
    figure('P5', f'updates after {ROUNDS} restarts and kills (whole system)', len(lab.asked(began)), '== 0')
    figure('P10', f'kill -9 and restart: seconds until all is known, slowest of {ROUNDS}', slowest, 8)


def changes():
    """A hundred changes of the address, from minutes to hours apart"""
    print(f'# SEED={SEED} ROUNDS={ROUNDS}')
    began = lab.begin(lab.config(lab.names(3)))
    for _ in range(ROUNDS):
        lab.change_address()
        lab.settle()
        # two hours on average: a provider's budget for a day is enough, whatever the dice say
        lab.clock.go(minutes=dice.choice((11, 60, 180)) * (1 + dice.random()))
    figure('P5', f'updates per record of {ROUNDS} changes', len(lab.asked_for(began)) / 3 / ROUNDS, '== 1')


def storm():
    """A day in which the address changes every 5 minutes, answers are thrown by dice, and the user asks for more"""
    print(f'# SEED={SEED}')
    names = lab.names(3)
    began = lab.begin(lab.config(names))
    for _ in range(288):
        lab.provider_says(**dice.choice(({}, {}, {'status': 500}, {'cut': True}, {'body': 'what?'}, {'lie': True})))
        lab.change_address()
        lab.ctl('update', *(['--force'] if dice.random() < 0.5 else []))
        lab.clock.go(minutes=5)
    figure('P6', 'requests in any 24 hours of a storm, 3 records (whole system)', most(lab.asked(began), DAY), 100 + 4 * 3)


def split_horizon():
    """The router's resolver says something private, or that there is no such name, for a week"""
    for name, word in (('a private address', f'--address=/{HOST}/192.168.1.2'), ('NXDOMAIN', f'--local=/{HOST}/')):
        for authority in ('right', 'out of reach'):
            lab.begin(lab.config(dns={'check_every': '1h'}))
            lab.replace_resolver(word)
            if authority != 'right':
                lab.cut(*(f'{family} daddr {address} th dport 53 {who} drop' for family, address, who in (
                    ('ip', AUTHORITY, 'iifname "isp0"'), ('ip6', AUTHORITY6, 'iifname "isp0"'))))
            began, lines = lab.clock.now(), lab.lines()
            lab.clock.go(days=7)
            said = f'{name}, authority {authority}'
            figure('F11', f'{said}: updates in 7 days', len(lab.asked(began)), '== 0')
            figure('F11', f'{said}: log lines in 7 days', lab.lines() - lines, 1)
            lab.cut()
            lab.replace_resolver()


def proxied():
    """The zone answers a proxy's addresses, or ours among three"""
    for name, addresses, check in (('proxy', ('104.16.1.1', '104.16.2.2'), False),
                                   ('ours among three', ('104.16.1.1', '104.16.2.2', 'ours'), True)):
        lab.begin(lab.config(provider={'check': check}))
        lab.set_dns(None)
        for address in addresses:
            lab.add_dns(lab.address if address == 'ours' else address)
        began = lab.clock.now()
        lab.clock.go(days=2)
        figure('F12', f'{name}: repeats in 2 days', len(lab.asked(began)), '== 0')
        lab.set_dns(None)


def foreign():
    """Somebody changes the record once; then every minute for a day"""
    lab.begin()
    began = lab.clock.now()
    lab.set_dns('9.9.9.9')
    lab.clock.until('repaired', HOUR + 60, lambda: lab.dns() == [lab.address], every=MINUTE)
    lab.clock.go(hours=2)
    figure('F16', 'updates that repair it (whole system)', len(lab.asked(began)), '== 1')
    lab.provider_says(forget=True)
    began, said, minutes = lab.clock.now(), 0, 0
    while lab.clock.now() < began + DAY:
        lab.set_dns('9.9.9.9')
        lab.clock.go(minutes=1)
        minutes += 1
        said += 'somebody else' in (lab.record()['reason'] or '')
    figure('F16', 'repairs in any 24 hours of a fight (whole system)', most(lab.asked(began), DAY), 24)
    # after each repair it is not known yet that it is fought again
    figure('F16', 'of the minutes in which status says that somebody else changes it', said / minutes * 100, '>= 50', '%')


def never_follows():
    """The provider says good, and the zone never follows, TTL a minute, an hour and a day"""
    for ttl, minutes in ((60, 10), (HOUR, 120), (DAY, 2880)):
        before = len(lab.requests())
        took = lab.until_invisible(ttl)
        figure('F47', f'TTL {ttl} s: minutes until "not visible"', took, minutes + 1.5)
        figure('F47', f'TTL {ttl} s: minutes that are waited for the zone', took, f'>= {minutes}')
        lab.clock.go(days=2)
        asked = [request['time'] for request in lab.requests()[before + 1:]]    # the first of them made the record
        figure('F47', f'TTL {ttl} s: repeats in any 24 hours (whole system)', most(asked[1:], DAY), 2)


def asked_outside():
    """A public address asked for outside: services that refuse or fail for a day, and an interface that knows better"""
    with open(f'{lab.folder}/ca.pem') as own, open('/etc/ssl/certs/ca-certificates.crt', 'a') as system:
        system.write(own.read())        # /etc is the laboratory's
    config = lab.config()
    config['wans'][0]['ipv4'] = {'source': 'http', 'agree': 2,
                                 'urls': [f'https://{number}.{PROVIDER_NAME}/ip' for number in range(3)]}
    for status in (403, 429, 503):
        began = lab.begin(config, settle=False)
        lab.clock.go(hours=1)
        figure('F40', f'{status}: requests while the interface has an address', len(questions(began)), '== 0')
        lab.provider_says(status=status)
        lab.hide_address()
        began = lab.clock.now()
        lines = []
        for _ in range(24):
            before = lab.lines()
            lab.clock.go(hours=1)
            lines.append(lab.lines() - before)
        assert len(questions(began)) > 24, 'the services were hardly asked'
        figure('F40', f'{status}: requests to three services in any hour of a day', most(questions(began), HOUR), 8)
        figure('F40', f'{status}: updates', len(lab.asked(began)) - len(questions(began)), '== 0')
        figure('F70', f'{status}: log lines in any hour', max(lines), 10)


def questions(since):
    return [request['time'] for request in lab.requests() if request['time'] >= since and request['path'] == '/ip']


def main():
    global lab
    with Hours(build=BUILD) as lab:
        run_tests([quiet, restarts, changes, storm, split_horizon, proxied, foreign, never_follows, asked_outside])


main()
