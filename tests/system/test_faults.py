# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults around the daemon: silent DNS, nothing there at boot, hooks that hang, bad reloads."""

import json
import os
import signal
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import HOST, Lab, run, wait_for  # noqa: E402
from tap import figure, holds, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
lab = None


def in_step(address):
    return f'ip daddr {address} tcp' in lab.rules()


def state():
    return (lab.record() or {}).get('state')


def nothing_at_boot():
    """Nothing is there at boot: no interface, no rules, no resolv.conf; each comes later"""
    lab.remove_wan()
    run('nft', 'flush', 'ruleset', ns='router')
    os.rename('/etc/resolv.conf', '/etc/resolv.conf.away')
    lab.start_daemon()
    wait_for('it says so', 5, lambda: 'wan0 does not exist yet; waiting' in lab.log())
    time.sleep(0.5)
    assert lab.daemon.poll() is None
    lab.load_rules('81.2.69.1')
    lab.make_wan()
    lab.set_address('81.2.69.30')
    wait_for('rules', 3, lambda: in_step('81.2.69.30'))
    time.sleep(1)
    os.rename('/etc/resolv.conf.away', '/etc/resolv.conf')
    wait_for('current', 40, lambda: state() == 'current')
    same(lab.dns(), ['81.2.69.30'])
    same(len(lab.requests()), 1)


def dns_silent():
    """The zone's servers are silent: rules follow, the update goes out, verification waits"""
    os.kill(lab.knot.pid, signal.SIGSTOP)
    try:
        lab.provider_says(body='good 81.2.69.31')
        lab.set_address('81.2.69.31')
        wait_for('rules', 2, lambda: in_step('81.2.69.31'))
        wait_for('the update', 20, lambda: len(lab.requests()) == 2)
        wait_for('verifying', 20, lambda: state() == 'verifying')
        time.sleep(2)
        same(lab.record()['verified'], False)
        same(len(lab.requests()), 2)
    finally:
        os.kill(lab.knot.pid, signal.SIGCONT)
        lab.provider_says()
    lab.set_dns('81.2.69.31')
    wait_for('verified', 40, lambda: state() == 'current' and lab.record()['verified'])
    same(len(lab.requests()), 2)


def hook_hangs():
    """A hook that hangs: everything else goes on; it is ended after its time limit with its children"""
    config = lab.configuration(hooks={'directory': '/etc/hairpind/hooks.d', 'timeout': '2s'})
    lab.write_configuration(config)
    lab.write_hook('05-hang', '#!/bin/sh\ntrap "" TERM\nsleep 1234 &\nsleep 1234\n')
    lab.ctl('reload', check=True)
    lab.set_address('81.2.69.32')
    wait_for('rules', 2, lambda: in_step('81.2.69.32'))
    wait_for('the hook runs', 5, lambda: 'sleep 1234' in processes())
    assert lab.status()
    wait_for('current', 60, lambda: state() == 'current')
    wait_for('the other hook ran', 30, lambda: any('81.2.69.32' in line for line in lab.hook_lines()))
    os.unlink('/etc/hairpind/hooks.d/05-hang')
    wait_for('it is gone with its children', 30, lambda: 'sleep 1234' not in processes())
    wait_for('the record hook', 30, lambda: any(line.startswith('record') and '81.2.69.32' in line
                                                for line in lab.hook_lines()))


def processes():
    found = []
    for pid in os.listdir('/proc'):
        if pid.isdigit():
            try:
                with open(f'/proc/{pid}/cmdline', 'rb') as file:
                    found.append(file.read().replace(b'\0', b' ').decode(errors='replace'))
            except OSError:
                pass
    return '\n'.join(found)


def bad_reload():
    """A bad configuration on reload: named with file and line, the old one stays in force"""
    good = lab.configuration()
    path = '/etc/hairpind/hairpind.json'
    for bad in ('{', '{"intervall": 1}', '{"wans": [{"interface": "wan0", "interface": "x"}]}', ''):
        with open(path, 'w') as file:
            file.write(bad)
        out = run(f'{lab.build}/hairpinctl', 'reload', ns='router', check=False,
                  env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
        done = lab.ctl('status')
        assert done['wans'][0]['ipv4'], done
        assert 'hairpind.json:1:' in out + lab.log(), out
        try:
            run(f'{lab.build}/hairpinctl', 'reload', ns='router', env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
            raise AssertionError('a bad reload said it was good')
        except RuntimeError:
            pass
    lab.write_configuration(good)
    lab.ctl('reload', check=True)
    lab.daemon.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    lab.set_address('81.2.69.33')
    wait_for('rules', 3, lambda: in_step('81.2.69.33'))


def second_instance():
    """A second instance on the same state directory leaves with 1 and a hint"""
    try:
        run(f'{lab.build}/hairpind', ns='router', timeout=10, env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
        raise AssertionError('it ran')
    except RuntimeError as problem:
        assert 'exit 1' in str(problem) and 'hairpinctl sync' in str(problem), problem
    assert lab.status()


def memory_of_names():
    """Another writer changes the record: it is repaired once"""
    wait_for('current', 90, lambda: state() == 'current')
    asked = len(lab.requests())
    lab.set_dns('9.9.9.9')
    lab.ctl('update', check=True)
    wait_for('repaired', 60, lambda: lab.dns() == ['81.2.69.33'])
    wait_for('current', 60, lambda: state() == 'current')
    same([request['query']['myip'] for request in lab.requests()[asked:]], ['81.2.69.33'])
    figure('S17', 'updates where DNS alone says another address', len(lab.requests()) - asked, 1)
    holds('S17', 'rules stay as they are where DNS alone says another address', in_step('81.2.69.33') and '9.9.9.9' not in lab.rules())


def change_in_flight():
    """The address changes while a request is under way: the next one does not wait for its end"""
    restart_without_state()
    lab.provider_says(silent=True)
    asked = len(lab.requests())
    lab.set_address('81.2.69.40')
    wait_for('a request', 10, lambda: len(lab.requests()) > asked)
    lab.provider_says()
    began = time.monotonic()
    lab.set_address('81.2.69.41')
    wait_for('the next request', 20, lambda: len(lab.requests()) > asked + 1)
    assert time.monotonic() - began < 15, time.monotonic() - began      # the first one's end would be after 30 s
    wait_for('current', 20, lambda: state() == 'current' and lab.record()['published'] == '81.2.69.41')
    time.sleep(3)
    same([request['query']['myip'] for request in lab.requests()[asked:]], ['81.2.69.40', '81.2.69.41'])


def restart_without_state():
    same(lab.stop_daemon(), 0)
    run('rm', '-rf', '/run/lab/state')
    lab.start_daemon()
    wait_for('current', 20, lambda: state() == 'current')


def providers_come_and_go():
    """A reload takes all providers away and brings them back: the core stays, no update"""
    asked, core = len(lab.requests()), lab.processes()['core']
    for _ in range(3):
        lab.write_configuration(lab.configuration(providers=[]))
        lab.ctl('reload', check=True)
        same(lab.status()['records'], [])
        lab.write_configuration()
        lab.ctl('reload', check=True)
        wait_for('current', 20, lambda: state() == 'current')
    same(lab.processes()['core'], core)
    same(len(lab.requests()) - asked, 0)


def stop():
    """It ends in order; its state is whole, and for nobody else to read"""
    same(lab.stop_daemon(), 0)
    with open('/run/lab/state/state.json') as file:
        text = file.read()
    json.loads(text)
    assert oct(os.stat('/run/lab/state/state.json').st_mode)[-3:] == '600'


def main():
    global lab
    with Lab(build=BUILD) as lab:
        lab.set_dns('81.2.69.1')
        lab.write_configuration()
        lab.write_hook()
        assert HOST
        run_tests([nothing_at_boot, dns_silent, hook_hangs, bad_reload, second_instance, memory_of_names, change_in_flight,
                   providers_come_and_go, stop])


main()
