# SPDX-License-Identifier: GPL-2.0-or-later
"""10,000 reloads: the same again, other settings, names that come and go, another secret, and one that does not hold."""

import contextlib
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import soak  # noqa: E402
from lab import HOST, Lab, run, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

USUAL = 10000
COUNT = soak.rounds(USUAL)
NAMES = [HOST] + [f'n{number}.example.org' for number in range(20)]
lab = None
said = {}	# an answer and how often


def configuration(names=1, **changes):
    config = lab.configuration(**changes)
    # Nothing of them is looked up or sent: a reload is what is measured.
    config['providers'][0].update(hostnames=NAMES[:names], check=False)
    return config


def variant(number):
    if number % 2 == 0:
        return configuration()
    return soak.dice.choice((
        lambda: configuration(names=soak.dice.randrange(1, 21)),
        lambda: configuration(wans=[{'interface': 'wan0', 'grace': f'{soak.dice.randrange(1, 5)}s', 'tag': 'hairpin|other'}]),
        lambda: configuration(hooks={'directory': '/etc/hairpind/hooks.d', 'timeout': f'{soak.dice.randrange(1, 60)}s'}),
        lambda: configuration(hooks=None, dns={'check_every': '1h'}),
        lambda: lab.configuration(providers=[]),
        lambda: {'wans': [{'interface': 'wan0', 'interval': 1}]},
    ))()


def one(number):
    config = variant(number)
    lab.write_configuration(config)
    answer = lab.guard.ask('reload')
    assert answer is not None, 'no answer'
    error = 'error' in answer
    same(error, 'interval' in str(config), str(answer))
    said[error] = said.get(error, 0) + 1


def end_publisher():
    pid = lab.processes()['publisher']
    with contextlib.suppress(TypeError, ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return pid


def rest():
    lab.write_configuration(configuration())
    assert 'error' not in lab.guard.ask('reload')
    # Current, or stale where the names that came and went have used up what their host is asked in a day.
    wait_for('its record', 60, lambda: (lab.record() or {}).get('state') in ('current', 'stale'))
    wait_for('no publisher, whose channel would count', 60, lambda: not end_publisher())
    return {name: pid for name, pid in lab.processes().items() if name != 'publisher'}


def reloads():
    """Reloads of all kinds: nothing grows, the last good one is in force"""
    lab.guard.expects(dies='publisher')
    asked = len(lab.requests())
    soak.Soak('reloads', USUAL, one, rest).run(COUNT)
    print(f'# refused {said.get(True, 0)} of {COUNT}; {len(lab.requests()) - asked} requests')
    same([record['hostname'] for record in lab.status()['records']], [HOST])
    lab.set_address('81.2.69.8')
    wait_for('the rules', 10, lambda: 'ip daddr 81.2.69.8 tcp' in lab.rules())


with Lab(build='build') as lab:
    lab.set_address('81.2.69.7')
    lab.load_rules('81.2.69.1')
    lab.set_dns('81.2.69.7')
    run('mkdir', '-p', '/etc/hairpind/hooks.d')
    lab.write_configuration(configuration())
    lab.start_daemon()
    wait_for('it is current', 60, lambda: (lab.record() or {}).get('state') == 'current')
    run_tests([reloads])
