# SPDX-License-Identifier: GPL-2.0-or-later
"""Hooks in a service of their own: hairpind --outside-hooks and hairpinctl watch --run-hooks, killed and started again."""

import collections
import json
import os
import signal
import socket
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import DAEMON_USER, HOOKS_USER, Lab, add_user, real_root, wait_for  # noqa: E402
from tap import figure, holds, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
lab = None
runner = None

NOTE = '''#!/bin/sh
echo "NAME $1 $HAIRPIN_OLD $HAIRPIN_NEW $(id -u)" >> /run/lab/hooks.log
'''
# Waits in the middle of its work until it is let go on.
SLOW = '''#!/bin/sh
echo "NAME begins $HAIRPIN_NEW" >> /run/lab/hooks.log
[ "$1" = address ] || exit 0
[ ! -e /run/lab/hold ] || { exec 3<>/run/lab/gate; read -r _ <&3; }
echo "NAME $1 $HAIRPIN_OLD $HAIRPIN_NEW $(id -u)" >> /run/lab/hooks.log
'''


def environment():
    return dict(os.environ, ASAN_OPTIONS='detect_leaks=0', UBSAN_OPTIONS='print_stacktrace=1')


def start_runner(user=None, log='/run/lab/runner.log'):
    """As hairpind-hooks.service does: another user, in the group that may connect."""
    user = (HOOKS_USER[1] if real_root() else None) if user is None else user
    words = [] if user is None else ['setpriv', f'--reuid={user}', f'--regid={user}', f'--groups={DAEMON_USER[1]}', '--inh-caps=-all',
                                     '--ambient-caps=-all', '--bounding-set=-all', '--no-new-privs']
    return lab.start(*words, f'{lab.build}/hairpinctl', 'watch', '--run-hooks', ns='router', log=log, env=environment())


def start_runner_and_wait(**how):
    global runner
    runner = start_runner(**how)
    wait_for('the claim', 10, lambda: hooks()['runner'])


def hooks():
    """The daemon's own word, not that of hook list."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect('/run/hairpind/control.sock')
        client.sendall(b'{"command":"hooks"}\n')
        return json.loads(client.makefile().readline())


def lines(word):
    return [line for line in lab.hook_lines() if word in line]


def last(name):
    """The address that this hook was told of last."""
    return (lines(f'{name} address') or ['- - - -'])[-1].split()[3]


def change(address):
    lab.set_address(address)
    wait_for('rules', 5, lambda: f'ip daddr {address} tcp' in lab.rules())


def waits_for_one():
    """Nobody runs hooks: hairpind --outside-hooks keeps the events, says so, and runs none itself"""
    wait_for('in step', 10, lambda: '81.2.69.7 tcp' in lab.rules())
    change('81.2.69.8')
    time.sleep(1)
    same(lab.hook_lines(), [])
    assert 'watch --run-hooks' in (hooks()['reason'] or ''), hooks()
    assert 'watch --run-hooks' in lab.status()['hooks_reason']
    assert 'watch --run-hooks' in lab.ctl('hook', 'list')['reason']
    try:
        lab.ctl('hook', 'test', '10-note', check=True)
        raise AssertionError('a test ran')
    except RuntimeError:
        pass


def one_comes():
    """One comes: what was kept is given to it, in order, as its own user, without capabilities"""
    start_runner_and_wait()
    wait_for('the start', 15, lambda: lines('90-last startup'))
    wait_for('the record', 60, lambda: any('81.2.69.8' in line for line in lines('90-last record')))
    same([line.split()[0] for line in lab.hook_lines()[:4]], ['10-note', '50-slow', '90-last', '10-note'])
    assert '81.2.69.8' in lines('10-note record')[-1], lines('10-note record')
    mine = HOOKS_USER[1] if real_root() else 0
    holds('S28', 'hooks of hairpind-hooks run as its user', all(line.endswith(f' {mine}') for line in lines('10-note')))
    same(hooks()['reason'], None)
    same([hook['name'] for hook in hooks()['hooks']], ['10-note', '50-slow', '90-last'])
    same(lab.ctl('hook', 'list')['runner'], hooks()['runner'])
    same(lab.status()['hooks_runner'], hooks()['runner'])
    listed = {hook['name']: hook['state'] for hook in lab.ctl('hook', 'list')['hooks']}
    same(set(listed.values()), {'ready'})


def hook_test():
    """hook test goes to it too, and its output comes back"""
    out = lab.ctl('hook', 'test', '10-note', 'lost', check=True)
    same((out['name'], out['event'], out['result']), ('10-note', 'lost', 'ok'))
    lab.write_hook('60-says', '#!/bin/sh\necho "said $1"; exit 3\n')
    out = lab.ctl('hook', 'test', '60-says', 'rules')
    same((out['result'], out['output'].strip()), ('exit 3', 'said rules'))
    os.unlink('/etc/hairpind/hooks.d/60-says')
    with open('/run/lab/runner.log') as log:
        text = log.read()
    assert 'hook 60-says: said rules' in text and 'hook 60-says: exit status 3' in text, text
    assert '60-says: said' not in lab.log(), 'the daemon ran it'


def second_claim():
    """A second one is turned away with a sentence, and the first goes on"""
    other = start_runner(log='/run/lab/second.log')
    same(other.wait(20), 1)
    with open('/run/lab/second.log') as log:
        assert 'another process runs the hooks already' in log.read()
    same(runner.poll(), None)


def killed_in_the_middle():
    """Killed in the middle of a hook (SIGKILL) and started again: what had ended is not run again, the rest is, once"""
    total = collections.Counter()
    for round_number, how in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGKILL)):
        address = f'81.2.69.{20 + round_number}'
        open('/run/lab/hold', 'w').close()
        change(address)
        wait_for('50-slow is in the middle', 20, lambda: lines(f'50-slow begins {address}'))
        lab.end(runner, how)
        os.unlink('/run/lab/hold')
        wait_for('its end is seen', 10, lambda: hooks()['runner'] is None)
        same([line.split()[0] for line in lines(' address') if line.split()[3] == address], ['10-note'])
        start_runner_and_wait()
        wait_for('the last hook', 20, lambda: [line for line in lines('90-last address') if line.split()[3] == address])
        time.sleep(0.5)
        total.update(line.split()[0] for line in lines(' address') if line.split()[3] == address)
    for name in ('10-note', '50-slow', '90-last'):
        figure('F59', f'runs of {name} per change, its service killed meanwhile', total[name] / 3, '== 1')


def core_dies():
    """The core is killed while a hook runs: it comes to its end, the service claims again by itself"""
    open('/run/lab/hold', 'w').close()
    change('81.2.69.30')
    wait_for('50-slow is in the middle', 20, lambda: lines('50-slow begins 81.2.69.30'))
    pid = lab.processes()['core']
    lab.kill('core')
    wait_for('the next core', 20, lambda: lab.status() and lab.processes().get('core') not in (None, pid))
    time.sleep(1.2)
    same(hooks()['runner'], None, 'no claim while the former event is run')
    os.unlink('/run/lab/hold')
    with open(os.open('/run/lab/gate', os.O_RDWR), 'w') as gate:
        gate.write('go\n')
        gate.flush()
        wait_for('the hook ended', 20, lambda: last('50-slow') == '81.2.69.30')
    wait_for('claimed again', 20, lambda: lab.status() and hooks()['runner'])
    same(runner.poll(), None)
    wait_for('given again, for it is not certain that it was given', 20,
             lambda: len([line for line in lines('90-last address') if line.split()[3] == '81.2.69.30']) == 1)


def claims_on():
    """A daemon that goes again before it has answered is waited for; a hangup of the terminal is an orderly end"""
    version = json.dumps({'version': lab.status()['version']}).encode() + b'\n'
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.settimeout(20)
        daemon.bind('/run/lab/other.sock')
        daemon.listen()
        one = lab.start(f'{lab.build}/hairpinctl', '--socket', '/run/lab/other.sock', 'watch', '--run-hooks', '-c',
                        '/run/lab/own.json', ns='router', log='/run/lab/other.log', env=environment())
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with daemon.accept()[0] as client, ends[1]:
            client.recv(4096)
            socket.send_fds(client, [version], [ends[1].fileno()])
        ends[0].close()
        with daemon.accept()[0] as client:
            client.recv(4096)
        for end in ends:
            end.close()
        with daemon.accept()[0]:        # silent, and the order to end comes just then
            one.send_signal(signal.SIGHUP)
            same(one.wait(9), 0)


def stranger():
    """Who is neither root, the daemon's user, hairpind-hooks nor an admin is refused"""
    if not real_root():
        return
    other = start_runner(user=12345, log='/run/lab/stranger.log')
    same(other.wait(20), 1)
    with open('/run/lab/stranger.log') as log:
        assert 'you may not run hooks' in log.read()


def facts_are_the_same():
    """The contract of hairpind-hooks(7) holds: environment and JSON are those that the supervisor would give"""
    lab.write_hook('20-facts', '#!/bin/sh\ntr "\\0" "\\n" < /proc/$$/environ | LC_ALL=C sort > /run/lab/facts.env\n'
                   'cat > /run/lab/facts.json\nls -l /proc/$$/fd > /run/lab/facts.fds; pwd > /run/lab/facts.cwd\n'
                   # not by a child of the shell, which blocks signals until that one has begun
                   'exec grep -E "CapPrm|CapEff|NoNewPrivs|SigBlk" /proc/self/status > /run/lab/facts.status\n')
    change('81.2.69.40')
    wait_for('the facts', 20, lambda: last('90-last') == '81.2.69.40')
    with open('/run/lab/facts.env') as file:
        found = dict(line.split('=', 1) for line in file.read().splitlines())
    with open('/run/lab/facts.json') as file:
        facts = json.load(file)
    names = {'EVENT', 'WAN', 'INTERFACE', 'FAMILY', 'IPV4', 'IPV6', 'OLD', 'NEW', 'RULES', 'HOSTNAME', 'PROVIDER', 'REASON',
             'MESSAGE', 'GENERATION'}
    ours = {f'HAIRPIN_{name}' for name in names}
    # A shell adds PWD and the like to its own exports, never to what it was given.
    extra = set(found) - ours - {'PATH', 'LANG', 'TZ'}
    figure('S12', 'variables beyond the whitelist, run outside', len(extra), '== 0')
    same(ours - set(found), set())
    same(set(facts), {name.lower() for name in names})
    same((found['HAIRPIN_NEW'], facts['new'], found['HAIRPIN_EVENT']), ('81.2.69.40', '81.2.69.40', 'address'))
    with open('/run/lab/facts.status') as file:
        text = file.read()
    assert 'CapPrm:\t0000000000000000' in text and 'SigBlk:\t0000000000000000' in text, text
    with open('/run/lab/facts.fds') as file:
        assert 'socket:' not in file.read()
    with open('/run/lab/facts.cwd') as file:
        same(file.read(), '/\n')


def time_limit():
    """The time limit of the configuration holds, also a newer one after a reload"""
    lab.write_configuration(lab.configuration(hooks={'directory': '/etc/hairpind/hooks.d', 'timeout': '1s'}))
    lab.ctl('reload', check=True)
    lab.write_hook('30-hang', '#!/bin/sh\ntrap "" TERM\nsleep 1234\nsleep 1234\n')
    began = time.monotonic()
    change('81.2.69.41')
    wait_for('the next hook', 30, lambda: last('90-last') == '81.2.69.41')
    assert time.monotonic() - began > 5, 'it was not waited for'
    os.unlink('/etc/hairpind/hooks.d/30-hang')
    with open('/run/lab/runner.log') as log:
        assert 'hook 30-hang: had to be ended' in log.read()


def untrusted():
    """A hook that others may write is refused by it too, and the daemon hears why"""
    lab.write_hook('70-bad')
    os.chmod('/etc/hairpind/hooks.d/70-bad', 0o757)
    change('81.2.69.42')
    wait_for('refused', 20, lambda: [hook for hook in hooks()['hooks'] if hook['result'] == 'refused'])
    os.unlink('/etc/hairpind/hooks.d/70-bad')


def end():
    """Told to stop it leaves with 0 and the daemon says so"""
    same(lab.end(runner), 0)
    wait_for('its end is seen', 10, lambda: hooks()['runner'] is None)
    same(lab.stop_daemon(), 0)


def plain():
    """Without --outside-hooks: whoever claims runs them while it is there, hairpind itself afterwards"""
    lab.start_daemon()
    start_runner_and_wait()
    change('81.2.69.50')
    wait_for('run outside', 20, lambda: last('90-last') == '81.2.69.50')
    same(lab.end(runner), 0)
    wait_for('its end is seen', 10, lambda: hooks()['runner'] is None)
    change('81.2.69.51')
    wait_for('run by hairpind', 20, lambda: last('90-last') == '81.2.69.51')
    same(len([line for line in lines('90-last address') if line.split()[3] == '81.2.69.51']), 1)
    same(lab.stop_daemon(), 0)
    same(start_runner().wait(20), 4)


def main():
    global lab
    with Lab(build=BUILD) as lab:
        if real_root():
            add_user(*DAEMON_USER)
            add_user(*HOOKS_USER)
        lab.set_address('81.2.69.7')
        lab.load_rules('81.2.69.1')
        lab.set_dns('81.2.69.1')
        lab.write_configuration()
        for name, text in (('10-note', NOTE), ('50-slow', SLOW), ('90-last', NOTE)):
            lab.write_hook(name, text.replace('NAME', name))
        os.mkfifo('/run/lab/gate')
        os.chmod('/run/lab/gate', 0o666)
        for name in ('facts.env', 'facts.json', 'facts.status', 'facts.fds', 'facts.cwd'):
            open(f'/run/lab/{name}', 'w').close()
            os.chmod(f'/run/lab/{name}', 0o666)
        lab.start_daemon('--outside-hooks')
        run_tests([waits_for_one, one_comes, hook_test, second_claim, killed_in_the_middle, core_dies, claims_on, stranger,
                   facts_are_the_same, time_limit, untrusted, end, plain])


main()
