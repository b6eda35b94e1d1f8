# SPDX-License-Identifier: GPL-2.0-or-later
"""hairpinctl watch against the daemon: what happens is told as it happens, whatever happens to the daemon."""

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
        wait_for(f'{parts} in {self.text}', seconds, has_come)
        return self.text.splitlines()


def watch():
    """A line for each thing that happens, as text and JSON; survives core and daemon; ^C, closed pipe"""
    lab.write_configuration()
    lab.write_hook()
    lab.set_address('81.2.69.8')
    lab.load_rules('81.2.69.8')
    lab.start_daemon()
    wait_for('current', 20, lambda: (lab.record() or {}).get('state') == 'current')
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
    os.kill(lab.processes()['core'], signal.SIGKILL)
    text.lines('hairpind is gone')
    wait_for('the core is back', 20, lambda: len([line for line in text.lines('hairpind 0.') if 'hairpind 0.' in line]) == 2)
    same(lab.stop_daemon(), 0)
    wait_for('gone again', 20, lambda: text.lines('is gone') and text.text.count('is gone') == 2)
    lab.start_daemon()
    wait_for('back again', 20, lambda: text.lines('hairpind 0.') and text.text.count('hairpind 0.') == 3)
    same(text.text.count('is gone'), 2, text.text)
    lab.load_rules('81.2.69.1')
    text.lines('ruleset changed')
    events = [json.loads(line)['event'] for line in lines.lines('"rules"')]
    same((events.count('gone'), events.count('hello'), events.count('status')), (2, 3, 3))
    text.process.send_signal(signal.SIGINT)
    same(text.process.wait(10), -signal.SIGINT)
    lines.process.stdout.close()
    same(lines.process.wait(10) in (0, -signal.SIGPIPE), True)


def main():
    global lab
    with Lab(build=BUILD) as lab:
        run_tests([watch])


main()
