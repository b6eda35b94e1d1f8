# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped systemd units: what systemd-analyze says of them, and both programs at work under their directives, which are
played by hand (tests/lab/unit.py). On the plain build."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import unit as units  # noqa: E402
from lab import DAEMON_USER, HOOKS_USER, TOP, Lab, add_user, real_root, run, wait_for  # noqa: E402
from tap import Skip, figure, holds, run_tests, same  # noqa: E402

DAEMON, HOOKS = DAEMON_USER[1], HOOKS_USER[1]
UNITS = {name: f'{TOP}/packaging/systemd/{name}.service' for name in ('hairpind', 'hairpind-hooks')}
HERE = '/run/lab/top'           # the tree, seen where no PrivateTmp covers it
HOOK = '''#!/bin/sh
{
echo "$1 $HAIRPIN_NEW $(id -u) $(cat /etc/hairpind/password 2>/dev/null)"
grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status
for path in /etc/x /usr/x /run/x /var/lib/x /root/x; do touch "$path" 2>/dev/null && echo "wrote $path"; done
} >> /var/lib/hairpind-hooks/said
'''
lab = None


def prepared():
    if not shutil.which('systemd-analyze'):
        raise Skip('systemd-analyze is missing; make deps brings it where there is systemd')
    folder = '/run/lab/units'
    os.makedirs(folder, exist_ok=True)
    for name, path in UNITS.items():
        with open(path) as file:
            text = units.substitute(file.read())
        for program in ('/usr/sbin/hairpind', '/usr/bin/hairpinctl'):
            text = text.replace(f'={program}', f'={lab.build}/{os.path.basename(program)}')
        with open(f'{folder}/{name}.service', 'w') as file:
            file.write(text)
    return folder


def exposure():
    """systemd-analyze security: both units reach 1.7 or better"""
    folder = prepared()
    for name in UNITS:
        out = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--no-pager', f'{folder}/{name}.service'],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, timeout=60).stdout
        found = re.search(r'Overall exposure level for \S+: ([0-9.]+)', out)
        if not found:
            raise Skip('this systemd-analyze does not judge units offline')
        figure('S28', f'exposure of {name}.service', float(found.group(1)), 1.7)


def verify():
    """systemd-analyze verify finds nothing in them"""
    folder = prepared()
    for name in UNITS:
        done = subprocess.run(['systemd-analyze', 'verify', '--man=no', f'{folder}/{name}.service'], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)
        ours = [line for line in done.stdout.splitlines() if 'hairpin' in line]
        same(ours, [])


def facts(pid):
    with open(f'/proc/{pid}/status') as file:
        return dict(line.rstrip('\n').split(':\t', 1) for line in file if ':\t' in line)


def play(name, uid, groups, *command, log):
    environment = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'NOTIFY_SOCKET': '/run/lab/notify', 'LANG': 'C.UTF-8'}
    return lab.start('/usr/bin/python3', '-B', f'{TOP}/tests/lab/unit.py', UNITS[name], 'router', str(uid), groups, *command, ns=None,
                     log=log, env=environment)


def hear(notify, word):
    def heard():
        try:
            return word in notify.recv(4096).decode()
        except BlockingIOError:
            return False
    return heard


def ask(command):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect('/run/hairpind/control.sock')
        client.sendall(json.dumps({'command': command}).encode() + b'\n')
        return json.loads(client.makefile().readline())


def at_work():
    """Under their directives both work: rules, records, state, reload, hooks; the rights are those that were promised"""
    if not real_root():
        raise Skip('other users and capabilities need root')
    prepared()
    try:
        units.make_filter(units.directives(UNITS['hairpind']))
    except OSError as problem:
        raise Skip(f'libseccomp is missing: {problem}')
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    notify.bind('/run/lab/notify')
    os.chmod('/run/lab/notify', 0o777)
    os.makedirs('/run/hairpind', exist_ok=True)
    os.chown('/run/hairpind', DAEMON, DAEMON)
    lab.log_path = '/run/lab/unit.log'
    lab.logs.add(lab.log_path)
    daemon = lab.daemon = play('hairpind', DAEMON, '', f'{HERE}/build/hairpind', '--outside-hooks', log=lab.log_path)
    wait_for('READY=1', 30, hear(notify, 'READY=1'))
    wait_for('the rules', 10, lambda: 'ip daddr 81.2.69.7 tcp' in lab.rules())
    hooks = play('hairpind-hooks', HOOKS, str(DAEMON), f'{HERE}/build/hairpinctl', 'watch', '--run-hooks', log='/run/lab/hooks-unit.log')
    wait_for('READY=1 of the hooks', 30, hear(notify, 'READY=1'))
    wait_for('current', 60, lambda: [r for r in ask('status')['records'] if r['state'] == 'current' and r['published'] == '81.2.69.7'])
    rights(daemon)
    lab.set_address('81.2.69.8')
    wait_for('the rules', 10, lambda: 'ip daddr 81.2.69.8 tcp' in lab.rules())
    wait_for('current', 60, lambda: [r for r in ask('status')['records'] if r['state'] == 'current' and r['published'] == '81.2.69.8'])
    same(ask('reload').get('reloaded'), True)
    said = wait_for('the hook', 20, lambda: (lambda t: t if 'address 81.2.69.8' in t else None)(
        text_of(f'/proc/{hooks.pid}/root/var/lib/hairpind-hooks/said')))
    hook_rights(said)
    state = text_of(f'/proc/{daemon.pid}/root/var/lib/hairpind/state.json')
    assert '81.2.69.8' in state, state
    same((lab.end(hooks), lab.end(daemon)), (0, 0))
    lab.daemon = None
    log = lab.log()
    assert 'sandbox' not in log and 'cannot' not in log, log
    holds('S28', 'both programs work under the directives of their units')


def text_of(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ''


def rights(daemon):
    pid = lab.processes()['core']
    found = facts(pid)
    sets = {name: int(found[name], 16) for name in ('CapPrm', 'CapEff', 'CapBnd', 'CapInh', 'CapAmb')}
    same(sets, {'CapPrm': 1 << 12, 'CapEff': 1 << 12, 'CapBnd': 1 << 12, 'CapInh': 0, 'CapAmb': 0})
    holds('S28', "under the unit: the core's permitted, effective and bounding set is CAP_NET_ADMIN, the others are empty")
    same((found['NoNewPrivs'], found['Seccomp'], found['Groups'].strip()), ('1', '2', ''))
    same(found['Uid'].split(), [str(DAEMON)] * 4)
    same((os.stat(f'/proc/{pid}/environ').st_uid, os.stat(f'/proc/{daemon.pid}/environ').st_uid), (0, 0))
    figure('S28', 'under the unit: supplementary groups', len(found['Groups'].split()), '== 0')
    same(int(facts(daemon.pid)['CapAmb'], 16), 0)


def hook_rights(said):
    assert f'address 81.2.69.8 {HOOKS} \n' in said, said
    assert 'CapEff:\t0000000000000000' in said and 'CapBnd:\t0000000000000000' in said and 'Seccomp:\t2' in said, said
    figure('S28', 'places where a hook under its unit could write, besides its own', said.count('wrote '), '== 0')
    assert text_of('/etc/hairpind/password').strip() not in said, 'a hook read a secret'


def main():
    global lab
    with Lab(build='build') as lab:
        if real_root():
            add_user(*DAEMON_USER)
            add_user(*HOOKS_USER)
            os.makedirs(HERE, exist_ok=True)
            run('mount', '--rbind', TOP, HERE)
        lab.set_address('81.2.69.7')
        lab.load_rules('81.2.69.1')
        lab.set_dns('81.2.69.1')
        lab.write_configuration(lab.configuration(state=None, control=None))
        if real_root():
            os.chown('/etc/hairpind/password', 0, DAEMON)
            os.chown('/etc/hairpind/hairpind.json', 0, DAEMON)
            os.chmod('/etc/hairpind/password', 0o640)
            os.chmod('/etc/hairpind/hairpind.json', 0o640)
        lab.write_hook('10-look', HOOK)
        run_tests([exposure, verify, at_work])


main()
