# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad configurations while it runs, reloads while requests are under way, and the end in the middle of everything."""

import json
import os
import signal
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import busy  # noqa: E402
from calls import strace  # noqa: E402
from lab import PROVIDER, Lab, run, wait_for  # noqa: E402
from tap import figure, run_tests, same, tried_figure  # noqa: E402

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


def bad_configurations():
    """{what: (text, or None where there is no file; what a message about it names)}"""
    good = json.dumps(lab.configuration(), indent=1)
    twice = lab.configuration()
    twice['providers'] = 2 * [dict(twice['providers'][0], password=SECRET)]
    return {'a syntax error': (good.replace('{', '[', 1), ':'), 'an unknown key': (good.replace('"grace"', '"grase"'), 'grase'),
            'a duplicate record': (json.dumps(twice), ':1:'), 'no file': (None, ''), 'half a file': (good[:len(good) // 2], ':'),
            'an empty file': ('', ''), '10 MB': (good + ' ' * (10 << 20), '')}


def bad_starts():
    """The same at the start: it leaves, at once, and says where and what, never a secret"""
    slowest, wrong, path = 0, [], '/run/lab/bad.json'
    for what, (text, word) in bad_configurations().items():
        if text is not None:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
                file.write(text)
        elif os.path.exists(path):
            os.unlink(path)
        with open('/run/lab/bad.said', 'w+') as said:
            child = subprocess.Popen([f'{lab.build}/hairpind', '-c', path], stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                     env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            told = said.read()
        slowest = max(slowest, used.ru_utime + used.ru_stime)
        if child.returncode != 2 or path not in told or word not in told.replace(path, '') or SECRET in told:
            wrong.append((what, child.returncode, told))
    same(wrong, [])
    figure('F51', 'bad starts that are not left with status 2, file, line and key, of 7', len(wrong), '== 0')
    figure('F51', 'seconds of a processor for the slowest, sanitized', slowest, 1)


def bad_reloads():
    """Syntax, unknown key, duplicate record, no file, half a file, 10 MB: refused with a reason, the old one stays in force"""
    refused, slowest, cases = 0, 0, bad_configurations()
    for what, (text, _) in cases.items():
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
    busy.reloads_at_work(lab, RELOADS)


def begin_again(config=None):
    run('rm', '-rf', '/run/lab/state')
    lab.write_configuration(config)
    lab.start_daemon()


def end_in(what):
    figure('F53', f'seconds to end {what}', seconds_to_end(), 5)


def seconds_to_end(second=False):
    began = time.monotonic()
    lab.daemon.send_signal(signal.SIGTERM)
    if second:
        wait_for('the first is heard', 5, lambda: not lab.processes()['core'])
        began = time.monotonic()
        lab.daemon.send_signal(signal.SIGTERM)
    lab.daemon.wait(60)
    took = time.monotonic() - began
    lab.end(lab.daemon)
    with open('/run/lab/state/state.json') as file:
        same(json.load(file)['wans'][0]['ipv4']['address'], lab.address, 'the state')
    same(os.path.exists('/run/hairpind/control.sock'), False, 'the socket')
    wait_for('no hook is left', 5, lambda: 'sleep 4321' not in run('ps', 'axo', 'args'))
    return took


def in_step():
    """It has seen the present address, whatever it was about before."""
    return f'ip daddr {lab.address} tcp' in lab.rules()


def connections(state):
    """To the provider, as the router's kernel sees them."""
    return run('ss', '-Htn', 'state', state, 'dst', PROVIDER, ns='router').strip()


def ends_in_connections():
    """SIGTERM while a connection is made, and within the handshake of TLS"""
    same(lab.stop_daemon(), 0)
    lab.guard.expects(dies='supervisor')
    run('nft', '-f', '-', ns='inet', input=f'table ip hole {{ chain in {{ type filter hook input priority 0; '
        f'ip daddr {PROVIDER} tcp dport 443 drop; }}; }}')
    begin_again()
    next_address()
    wait_for('a connection is tried', 20, lambda: in_step() and connections('syn-sent'))
    end_in('while a connection is made')
    run('nft', 'delete', 'table', 'ip', 'hole', ns='inet')
    os.kill(lab.provider.pid, signal.SIGSTOP)
    try:
        begin_again()
        next_address()
        wait_for('a handshake', 20, lambda: in_step() and connections('established'))
        end_in('within the handshake of TLS')
    finally:
        os.kill(lab.provider.pid, signal.SIGCONT)


def ends_in_calls():
    """SIGTERM while the rules are dumped, and while the state is saved, both slow"""
    lab.guard.expects(dies='supervisor')
    begin_again()
    for what, slow, act in (('while the rules are dumped', 'recvmsg:delay_enter=10000', look_again),
                            ('while the state is saved', 'fsync:delay_enter=1000000', next_address)):
        wait_for('current', 60, lambda: (lab.record() or {}).get('state') == 'current')
        with strace(lab, [lab.processes()['core']], slow) as calls:
            act()
            wait_for('a slow call', 20, lambda: in_step() and calls_in(calls, 'DELAYED'), every=0.005)
            end_in(what)
        begin_again()
    same(lab.stop_daemon(), 0)


def look_again():
    run('nft', 'add', 'rule', 'ip', 'nat', 'prerouting', 'ip', 'daddr', '192.0.2.9', 'tcp', 'dport', '7', 'counter', 'dnat',
        'to', '192.168.1.2', 'comment', '"hairpin late"', ns='router')


def calls_in(path, word):
    with open(path) as file:
        return file.read().count(word)


def ends():
    """SIGTERM while a request, a question to DNS, a hook is under way; state saved, hooks ended, socket gone"""
    if lab.daemon:
        same(lab.stop_daemon(), 0)
    lab.guard.expects(dies=('supervisor', 'core', 'publisher'))
    lab.provider_says(silent=True)
    begin_again()
    asked = len(lab.requests())
    next_address()
    wait_for('a request', 20, lambda: in_step() and len(lab.requests()) > asked)
    end_in('while a provider does not answer')
    lab.provider_says()
    for server in (lab.knot, lab.resolver):
        os.kill(server.pid, signal.SIGSTOP)
    try:
        begin_again()
        next_address()
        wait_for('the publisher asks', 10, lambda: in_step() and lab.processes()['publisher'])
        time.sleep(0.5)
        end_in('while no name server answers')
    finally:
        for server in (lab.knot, lab.resolver):
            os.kill(server.pid, signal.SIGCONT)
    lab.write_hook('10-hang', '#!/bin/sh\ntrap "" TERM\nsleep 4321 &\nwhile :; do sleep 4321; done\n')
    tried_figure('F53', 'seconds to end while a hook ignores TERM', in_a_hook, 5)
    tried_figure('F53', 'seconds to end at once when told twice, with a hook that ignores TERM', lambda: in_a_hook(second=True), 1)


def in_a_hook(second=False):
    begin_again()
    next_address()
    wait_for('the hook runs', 20, lambda: in_step() and 'sleep 4321' in run('ps', 'axo', 'args'))
    return seconds_to_end(second)


def main():
    global lab
    with Lab(build=BUILD) as lab:
        busy.begin(lab)
        run_tests([bad_starts, bad_reloads, reloads_at_work, ends_in_connections, ends_in_calls, ends])


main()
