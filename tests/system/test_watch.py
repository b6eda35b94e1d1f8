# SPDX-License-Identifier: GPL-2.0-or-later
"""hairpinctl watch against the daemon: what happens is told as it happens, whatever happens to the daemon."""

import datetime
import json
import os
import re
import signal
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import HOST, Lab, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS='detect_leaks=0')
lab = None


def seconds(time):
    return datetime.datetime.fromisoformat(time.replace('Z', '+00:00')).timestamp()


class Watcher:
    """hairpinctl watch, its lines as they come."""

    def __init__(self, *words):
        argv = ['nsenter', '--net=/run/netns/router', f'{lab.build}/hairpinctl', *words, 'watch']
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, env=ENVIRONMENT, bufsize=0)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = ''

    def lines(self, *parts, seconds=20):
        """Waits for a line with all of these parts; all lines so far."""
        def has_come():
            self.text += (self.process.stdout.read() or b'').decode()
            return any(all(part in line for part in parts) for line in self.text.splitlines())
        wait_for(f'a line with {parts}', seconds, has_come)
        return self.text.splitlines()

    def times(self, part, count):
        """Waits until so many lines have this part."""
        wait_for(f'{count} lines with {part}', 20, lambda: self.lines(part) and self.text.count(part) >= count)


def watch():
    """A line for each thing that happens, as text and JSON; survives core and daemon; ^C, closed pipe"""
    text, lines = Watcher(), Watcher('--json')
    assert re.match(r'\d\d:\d\d:\d\d hairpind 0\.\S+: ', text.lines('hairpind')[0])
    events = [json.loads(line) for line in lines.lines('"status"')]
    same([event['event'] for event in events], ['hello', 'status'])
    same(events[1]['status']['records'][0]['hostname'], HOST)
    lab.set_address('81.2.69.9')
    text.lines(f'record {HOST} A (dyndns2): 81.2.69.9 is published')
    text.lines('wan wan: IPv4 81.2.69.9 replaces 81.2.69.8; 2 rules rewritten in')
    text.lines('hook 10-note (record): ok')
    events = [json.loads(line) for line in lines.lines('"hook"', '"record"')]
    address = next(event for event in events if event['event'] == 'address')
    same((address['wan'], address['interface'], address['family'], address['old'], address['new'], address['rules']),
         ('wan', 'wan0', 'ipv4', '81.2.69.8', '81.2.69.9', 2))
    states = [(event['from'], event['to']) for event in events if event['event'] == 'state']
    assert ('current', 'stale') in states or ('current', 'sending') in states, states
    lab.load_rules('81.2.69.1')
    text.lines('wan wan: ruleset changed; 2 rules rewritten in')
    lab.ctl('reload')
    text.lines('configuration: read again')
    # The core, then the whole daemon.
    lab.kill('core')
    text.times('hairpind 0.', 2)
    lines.times('"event":"status"', 2)
    same(lab.stop_daemon(), 0)
    text.times('is gone', 2)
    lab.start_daemon()
    text.times('hairpind 0.', 3)
    lines.times('"event":"status"', 3)
    lab.load_rules('81.2.69.1')
    text.times('ruleset changed', 2)
    lines.times('ruleset changed', 2)
    same(text.text.count('is gone'), 2, text.text)
    events = [json.loads(line)['event'] for line in lines.text.splitlines()]
    same((events.count('gone'), events.count('hello'), events.count('status')), (2, 3, 3))
    text.process.send_signal(signal.SIGINT)
    same(text.process.wait(10), -signal.SIGINT)
    lines.process.stdout.close()
    same(lines.process.wait(10) in (0, -signal.SIGPIPE), True)


def pause():
    """pause: rules and records stay, also over a death of the core; resume: all of it at once; sync and update say until when"""
    text = Watcher()
    text.lines('hairpind 0.')
    until = lab.ctl('pause', '10m')['paused_until']
    same(lab.status()['paused_until'], until)
    text.lines('paused until')
    asked, address = len(lab.requests()), lab.address
    lab.set_address('81.2.69.20')
    text.lines('IPv4 81.2.69.20 replaces')
    for command in (['sync'], ['update'], ['update', '--force', HOST]):
        assert until in lab.ctl(*command).get('error', ''), command
    assert lab.ctl(json_out=False).startswith('Waiting: paused'), lab.ctl(json_out=False)
    lab.kill('core')
    text.lines('is gone')
    text.process.kill()
    wait_for('the core is back', 10, lambda: (lab.status() or {}).get('paused_until'))
    same(lab.stop_daemon(), 0)
    lab.guard.expects(descriptors=3)	# while it is paused the core has no sockets for rules
    lab.start_daemon()
    status = lab.status()
    assert abs(seconds(status['paused_until']) - seconds(until)) <= 2, (status['paused_until'], until)
    same((status['wans'][0]['ipv4']['address'], f'ip daddr {address} tcp' in lab.rules()), ('81.2.69.20', True))
    same(len(lab.requests()), asked)
    text = Watcher()
    text.lines('Waiting: paused')
    same(lab.ctl('resume'), {'resumed': True})
    same(lab.ctl('resume'), {'resumed': False})
    wait_for('the rules', 5, lambda: 'ip daddr 81.2.69.20 tcp' in lab.rules())
    wait_for('current', 20, lambda: (lab.record() or {}).get('published') == '81.2.69.20')
    text.lines('the pause is over')
    text.process.kill()
    lab.ctl('pause', '1s')
    wait_for('its end', 10, lambda: lab.status()['paused_until'] is None)


def log():
    """log: the level of all three processes at run time, back after its time or a reload"""
    def lines(word):
        return len([line for line in lab.log().splitlines() if word in line])
    same(lab.ctl('log', 'debug'), {'level': 'debug', 'until': None})
    same(lab.status()['log'], {'level': 'debug', 'until': None})
    lab.ctl('update', '--force')
    wait_for('a line of the publisher', 20, lambda: lines('publisher: update home') > 0)
    wait_for('current', 20, lambda: (lab.record() or {}).get('state') == 'current')
    lab.ctl('reload')
    same(lab.status()['log'], None)
    assert lab.ctl('log', 'err', '1s')['until']
    wait_for('its end', 10, lambda: lab.status()['log'] is None)
    same(lab.ctl('log', 'loud'), '')
    same(lab.stop_daemon(), 0)


def main():
    global lab
    with Lab(build=BUILD) as lab:
        lab.write_configuration()
        lab.write_hook()
        lab.set_address('81.2.69.8')
        lab.load_rules('81.2.69.8')
        lab.start_daemon()
        wait_for('current', 20, lambda: (lab.record() or {}).get('state') == 'current')
        run_tests([watch, pause, log])


main()
