# SPDX-License-Identifier: GPL-2.0-or-later
"""The rights of the three processes, as the kernel sees them. On the plain build."""

import os
import re
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import DAEMON_USER, PASSWORD, Lab, add_user, real_root, run, wait_for  # noqa: E402
from tap import Skip, figure, holds, run_tests, same  # noqa: E402

NET_ADMIN = 1 << 12
# chown, dac_override, dac_read_search, fowner, kill, setgid, setuid, setpcap
SUPERVISED = NET_ADMIN | sum(1 << bit for bit in (0, 1, 2, 3, 5, 6, 7, 8))
lab = None


def facts(pid):
    with open(f'/proc/{pid}/status') as file:
        return dict(line.rstrip('\n').split(':\t', 1) for line in file if ':\t' in line)


def publisher_pid():
    """A slow provider keeps the publisher busy while we look; it confines itself when it has read the certificates."""
    def confined():
        pid = lab.processes()['publisher']
        return pid and facts(pid)['Seccomp'] != '0' and pid
    return wait_for('a confined publisher', 15, confined)


def core():
    """The core: CAP_NET_ADMIN only, no_new_privs, seccomp filter, not dumpable"""
    found = facts(lab.processes()['core'])
    for name in ('CapPrm', 'CapEff'):
        same(int(found[name], 16), NET_ADMIN, name)
    for name in ('CapInh', 'CapAmb'):
        same(int(found[name], 16), 0, name)
    same((found['NoNewPrivs'], found['Seccomp']), ('1', '2'))
    more = sum(bin(int(found[name], 16) & ~NET_ADMIN).count('1') for name in ('CapPrm', 'CapEff', 'CapInh', 'CapAmb'))
    figure('S28', 'capabilities of the core besides CAP_NET_ADMIN', more, '== 0')
    holds('S28', 'the core has no_new_privs and a filter of system calls')
    if real_root():
        same(int(found['CapBnd'], 16) & ~NET_ADMIN, 0, 'CapBnd')
        same(found['Uid'].split()[0] != '0', True, 'the core runs as root')
        figure('S28', 'supplementary groups of the core', len(found['Groups'].split()), '== 0')


def publisher():
    """The publisher: no capability at all, no_new_privs, seccomp filter, another user where started as root"""
    found = facts(publisher_pid())
    for name in ('CapPrm', 'CapEff', 'CapInh', 'CapAmb'):
        same(int(found[name], 16), 0, name)
    same((found['NoNewPrivs'], found['Seccomp']), ('1', '2'))
    if real_root():
        assert found['Uid'].split()[0] not in ('0', facts(lab.processes()['core'])['Uid'].split()[0])


def supervisor():
    """The supervisor: no network socket; no capability but those to change users, read files and end its children"""
    pid = lab.processes()['supervisor']
    found = facts(pid)
    same((int(found['CapAmb'], 16), int(found['CapInh'], 16), found['NoNewPrivs']), (0, 0, '1'))
    sets = ('CapPrm', 'CapEff', 'CapBnd') if real_root() else ('CapPrm', 'CapEff')
    figure('S28', 'capabilities of the supervisor besides the nine that its work may need',
           sum(bin(int(found[name], 16) & ~SUPERVISED).count('1') for name in sets), '== 0')
    sockets = run('ss', '-H', '-a', '-n', '-p', '-A', 'inet,netlink,packet', ns='router', check=False)
    assert f'pid={pid},' not in sockets, sockets
    links = [os.readlink(f'/proc/{pid}/fd/{fd}') for fd in os.listdir(f'/proc/{pid}/fd')]
    assert not [link for link in links if 'NETLINK' in link], links


def dumpable():
    """None of them can be read by others of the same user: /proc/PID is root's"""
    if not real_root():
        raise Skip('a single-user namespace shows no other owner')
    for name, pid in lab.processes().items():
        if pid:
            same(os.stat(f'/proc/{pid}/environ').st_uid, 0, name)
    holds('S28', 'none of the processes is dumpable')


def memory():
    """Memory at rest: the core's RssAnon under 1 MiB, the supervisor's under 0.5 MiB"""
    lab.provider_says()
    wait_for('current', 150, lambda: (lab.record() or {}).get('state') == 'current')
    for name, limit in (('core', 1024), ('supervisor', 512)):
        kib = int(facts(lab.processes()[name])['RssAnon'].split()[0])
        print(f'# {name}: RssAnon {kib} KiB')
        assert kib < limit, f'{name}: {kib} KiB'


def asleep():
    """No wake-up while nothing is due"""
    for _ in range(3):      # the publisher that leaves, and what a slow machine has left over, come to their end in one of them
        time.sleep(3)
        before = {name: wakeups(pid) for name, pid in lab.processes().items() if pid and name != 'publisher'}
        time.sleep(10)
        woken = {name: wakeups(lab.processes()[name]) - count for name, count in before.items()}
        if max(woken.values()) <= 1:
            return
    raise AssertionError(f'they woke up: {woken}')


def wakeups(pid):
    return int(facts(pid)['voluntary_ctxt_switches'])


def filter_traps():
    """Under the trapping filter the main job goes through without one trap"""
    same(lab.stop_daemon(), 0)
    run('rm', '-rf', '/run/lab/state')
    os.environ['HAIRPIND_SECCOMP'] = 'trap'
    try:
        lab.start_daemon()
    finally:
        del os.environ['HAIRPIND_SECCOMP']
    pids = lab.processes()
    for step in range(3):
        address = f'81.2.69.{60 + step}'
        lab.set_address(address)
        wait_for('current', 60, lambda: (lambda r: r and r['state'] == 'current' and r['published'] == address)(lab.record()))
    lab.ctl('reload', check=True)
    same(lab.processes()['core'], pids['core'], 'the core was restarted')
    assert 'SIGSYS' not in lab.log() and 'signal 31' not in lab.log(), lab.log()[-2000:]
    same(lab.stop_daemon(), 0)


def secret_environment():
    """A secret by environment variable: wiped from the daemon's own environment"""
    config = lab.configuration()
    config['providers'][0]['password'] = {'env': 'DYN_PASSWORD'}
    lab.write_configuration(config)
    os.environ['DYN_PASSWORD'] = PASSWORD
    try:
        lab.start_daemon()
    finally:
        del os.environ['DYN_PASSWORD']
    for name, pid in lab.processes().items():
        if pid:
            with open(f'/proc/{pid}/environ', 'rb') as file:
                assert PASSWORD.encode() not in file.read(), name
    lab.set_address('81.2.69.70')
    wait_for('current', 60, lambda: (lambda r: r and r['state'] == 'current' and r['published'] == '81.2.69.70')(lab.record()))
    assert lab.requests()[-1]['authorized']
    lab.ctl('reload', check=True)
    lab.set_address('81.2.69.71')
    wait_for('current after reload', 90, lambda: (
        lambda r: r and r['state'] == 'current' and r['published'] == '81.2.69.71')(lab.record()))
    assert lab.requests()[-1]['authorized'], 'the secret was lost on reload'
    same(lab.stop_daemon(), 0)


def no_libnftnl_parser():
    """libnftnl, which ends the process where an attribute displeases it, is given none: of it only a batch's frame is used"""
    for program in ('hairpind', 'hairpinctl'):
        symbols = subprocess.run(['readelf', '--dyn-syms', '-W', f'{lab.build}/{program}'], stdout=subprocess.PIPE, text=True,
                                 check=True).stdout
        used = set(re.findall(r'\bnftnl_\w+', symbols))
        figure('F65', f'functions of libnftnl that read attributes, in {program}',
               len(used - {'nftnl_batch_begin', 'nftnl_batch_end'}), 0)


def main():
    global lab
    with Lab(build='build') as lab:
        if real_root():
            add_user(*DAEMON_USER)
            os.makedirs('/run/lab/state', exist_ok=True)
            os.chown('/run/lab/state', DAEMON_USER[1], DAEMON_USER[1])
        lab.set_address('81.2.69.7')
        lab.load_rules('81.2.69.1')
        lab.set_dns('81.2.69.1')
        lab.write_configuration()
        lab.provider_says(silent=True)
        lab.start_daemon()
        run_tests([core, publisher, supervisor, dumpable, memory, asleep, filter_traps, secret_environment, no_libnftnl_parser])


main()
