# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad configurations while it runs, reloads while requests are under way, and the end in the middle of everything."""

import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import HOST, Lab, run, wait_for  # noqa: E402
from tap import figure, holds, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
PATH = '/etc/hairpind/hairpind.json'
SECRET = 'correct horse'
RELOADS = int(os.environ.get('ROUNDS', '150'))
lab = None
count = 10


def next_address():
    global count
    count += 1
    lab.set_address(f'81.2.69.{count}')
    return lab.address


def reload():
    """(exit status, what it said) of hairpinctl reload."""
    done = subprocess.run(['nsenter', '--net=/run/netns/router', f'{lab.build}/hairpinctl', 'reload'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    return done.returncode, done.stdout


def bad_reloads():
    """Syntax, unknown key, duplicate record, no file, half a file, 10 MB: refused with a reason, the old one stays in force"""
    good = json.dumps(lab.configuration(), indent=1)
    twice = lab.configuration()
    twice['providers'] = 2 * [dict(twice['providers'][0], password=SECRET)]
    cases = {'a syntax error': good.replace('{', '[', 1), 'an unknown key': good.replace('"grace"', '"grase"'),
             'a duplicate record': json.dumps(twice), 'no file': None, 'half a file': good[:len(good) // 2],
             'an empty file': '', '10 MB': good + ' ' * (10 << 20)}
    refused, slowest = 0, 0
    for what, text in cases.items():
        if text is None:
            os.unlink(PATH)
        else:
            with open(PATH, 'w') as file:
                file.write(text)
            os.chmod(PATH, 0o600)
        status, said = reload()
        if status != 0 and 'hairpind.json' in said and SECRET not in said + lab.log():
            refused += 1
        else:
            print(f'# {what}: {status}: {said}', flush=True)
        began, address = time.monotonic(), next_address()
        wait_for('the rule follows', 10, lambda address=address: f'ip daddr {address} tcp' in lab.rules())
        slowest = max(slowest, time.monotonic() - began)
    figure('F51', f'of {len(cases)} bad configurations: refused by hairpinctl reload, which names the file and no secret',
           refused, f'== {len(cases)}')
    figure('F51', 'slowest rule by the old one meanwhile, seconds', slowest, 5)
    lab.write_configuration()
    same(reload()[0], 0)


def reloads_at_work():
    """Reloads while requests are slow: records come and go, the provider is another; no update for who is gone, none twice"""
    print(f'# ROUNDS={RELOADS}', flush=True)
    lab.provider_says(delay=1.0)
    core, asked = lab.processes()['core'], len(lab.requests())
    dice = random.Random(4)
    next_address()
    for _ in range(RELOADS):
        config = lab.configuration()
        entry = config['providers'][0]
        entry['hostnames'] = [HOST] + [f'n{i}.example.org' for i in range(5) if dice.random() < 0.5]
        entry['name'] = dice.choice(('one', 'other'))
        lab.write_configuration(config)
        lab.ctl('reload', check=True)
    lab.write_configuration()
    lab.ctl('reload', check=True)
    lab.provider_says()
    over = len(lab.requests())
    wait_for('current', 120, lambda: (lab.record() or {}).get('state') == 'current')
    time.sleep(3)
    same(lab.processes()['core'], core, 'core')
    late = [request for request in lab.requests()[over:] if HOST not in request['query'].get('hostname', '')]
    figure('F52', f'updates for records that are gone, after {RELOADS} reloads', len(late), 0)
    seen = [(request['query'].get('hostname'), request['query'].get('myip')) for request in lab.requests()[asked:]]
    mine = [one for one in seen if one[0] == HOST]
    figure('F52', 'updates of the record that stayed, under two providers\' names', len(mine), 4)
    holds('F52', 'the core is the same')


def begin_again(config=None):
    run('rm', '-rf', '/run/lab/state')
    lab.write_configuration(config)
    lab.start_daemon()


def end_in(what, second=False):
    began = time.monotonic()
    lab.daemon.send_signal(signal.SIGTERM)
    if second:
        time.sleep(0.2)
        began = time.monotonic()
        lab.daemon.send_signal(signal.SIGTERM)
    lab.daemon.wait(20)
    figure('F53', f'seconds to end {what}', time.monotonic() - began, 1 if second else 5)
    lab.end(lab.daemon)
    with open('/run/lab/state/state.json') as file:
        json.load(file)
    same(os.path.exists('/run/hairpind/control.sock'), False, 'the socket')
    wait_for('no hook is left', 5, lambda: 'sleep 4321' not in run('ps', 'axo', 'args'))


def ends():
    """SIGTERM while a request, a question to DNS, a hook is under way; state saved, hooks ended, socket gone"""
    same(lab.stop_daemon(), 0)
    lab.guard.expects(dies=('supervisor', 'core', 'publisher'))
    lab.provider_says(silent=True)
    begin_again()
    asked = len(lab.requests())
    next_address()
    wait_for('a request', 20, lambda: len(lab.requests()) > asked)
    end_in('while a provider does not answer')
    lab.provider_says()
    for server in (lab.knot, lab.resolver):
        os.kill(server.pid, signal.SIGSTOP)
    try:
        begin_again()
        next_address()
        wait_for('the publisher asks', 10, lambda: lab.processes()['publisher'])
        time.sleep(0.5)
        end_in('while no name server answers')
    finally:
        for server in (lab.knot, lab.resolver):
            os.kill(server.pid, signal.SIGCONT)
    lab.write_hook('10-hang', '#!/bin/sh\ntrap "" TERM\nsleep 4321 &\nwhile :; do sleep 4321; done\n')
    for second in (False, True):
        begin_again()
        next_address()
        wait_for('the hook runs', 20, lambda: 'sleep 4321' in run('ps', 'axo', 'args'))
        end_in('at once when told twice, with a hook that ignores TERM' if second else 'while a hook ignores TERM', second)


def main():
    global lab
    with Lab(build=BUILD) as lab:
        lab.set_address('81.2.69.10')
        lab.load_rules('81.2.69.1')
        lab.set_dns('81.2.69.1')
        lab.write_configuration()
        lab.start_daemon()
        wait_for('current', 60, lambda: (lab.record() or {}).get('state') == 'current')
        run_tests([bad_reloads, reloads_at_work, ends])


main()
