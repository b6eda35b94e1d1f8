# SPDX-License-Identifier: GPL-2.0-or-later
"""The script for OpenRC under a real one: start, rights, reload, a supervisor that dies, stop."""

import os
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import add_user, real_root, run, wait_for  # noqa: E402
from tap import Skip, run_tests, same  # noqa: E402

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
HERE = '/run/lab'
CONFIG = '/etc/hairpind/hairpind.json'
STATES = ('exclusive', 'started', 'starting', 'stopping', 'options', 'daemons', 'inactive', 'wasinactive', 'hotplugged', 'scheduled',
          'failed', 'coldplugged', 'tmp')
USER, NET_ADMIN = 4711, 1 << 12
RULES = '''table ip nat {
	chain pre { type nat hook prerouting priority -100;
		ip daddr 81.2.69.1 tcp dport 80 dnat to 192.168.1.2 comment "hairpin web"; }
}
'''


def service(action):
    """(exit status, what it said) of rc-service hairpind; who is left to process 1, that is to us, is buried meanwhile."""
    with open(f'{HERE}/said', 'w+') as said:
        child = subprocess.Popen(['rc-service', 'hairpind', action], stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        wait_for(f'the end of {action}', 60, lambda: child.poll() is not None or bury(child.pid))
        said.seek(0)
        return child.returncode, said.read()


def bury(ours):
    """A child whom nobody waits for."""
    dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if dead and dead.si_pid != ours:
        os.waitpid(dead.si_pid, 0)


def configure(text='{"wans": [{"name": "wan", "interface": "wan0"}]}'):
    with open(CONFIG, 'w') as file:
        file.write(text)


def follows(address):
    wait_for(f'the rule follows {address}', 10, lambda: f'ip daddr {address} tcp' in run('nft', 'list', 'ruleset'))


def family():
    """{pid: its lines of status}: supervisor and core."""
    found = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            if os.readlink(f'/proc/{pid}/exe') == f'{HERE}/sbin/hairpind':
                with open(f'/proc/{pid}/status') as file:
                    found[int(pid)] = dict(line.rstrip('\n').split(':\t', 1) for line in file)
        except OSError:
            pass
    return found


def prepare():
    """A router with a rule, the user hairpind, the program installed for OpenRC, and OpenRC's own directories"""
    if not real_root():
        raise Skip('other users need root')
    os.makedirs(HERE)
    for directory in ('/var/lib', '/var/cache'):
        run('mount', '-t', 'tmpfs', 'none', directory)
    run('make', '--no-print-directory', '-C', TOP, 'install', 'INIT=openrc', f'PREFIX={HERE}', timeout=300)
    add_user('hairpind', USER)
    for state in STATES:
        os.makedirs(f'/run/openrc/{state}')
    with open('/run/openrc/softlevel', 'w') as file:
        file.write('default\n')
    run('ip', 'link', 'add', 'wan0', 'type', 'veth', 'peer', 'name', 'isp0')
    run('ip', 'link', 'set', 'wan0', 'up')
    run('ip', 'addr', 'add', '81.2.69.7/24', 'dev', 'wan0')
    run('nft', '-f', '-', input=RULES)
    os.makedirs(os.path.dirname(CONFIG), exist_ok=True)
    configure()


def start():
    """It starts, rules follow; nobody has more rights than were promised, and the state is the user's"""
    status, said = service('start')
    same(status, 0, said)
    follows('81.2.69.7')
    run('ip', 'addr', 'add', '81.2.69.9/24', 'dev', 'wan0')
    run('ip', 'addr', 'del', '81.2.69.7/24', 'dev', 'wan0')
    run('ip', 'addr', 'replace', '81.2.69.9/24', 'dev', 'wan0')
    follows('81.2.69.9')
    found = family()
    core = found[max(found)]
    same((len(found), int(core['CapEff'], 16), core['Uid'].split()[1]), (2, NET_ADMIN, str(USER)), 'the core')
    same({one['NoNewPrivs'] for one in found.values()}, {'1'})
    same({os.stat(path).st_uid for path in ('/var/lib/hairpind', '/var/lib/hairpind/state.json', '/run/hairpind')}, {USER})
    same(service('status')[0], 0)


def reload():
    """A reload reads the configuration again; a bad one is refused, and the old one stays"""
    same(service('reload')[0], 0)
    configure('{"wans": 7}')
    status, said = service('reload')
    assert status != 0 and 'wans' in said, (status, said)
    run('ip', 'addr', 'add', '81.2.69.10/24', 'dev', 'wan0')
    run('ip', 'addr', 'del', '81.2.69.9/24', 'dev', 'wan0')
    run('ip', 'addr', 'replace', '81.2.69.10/24', 'dev', 'wan0')
    follows('81.2.69.10')
    configure()


def dies():
    """OpenRC starts another supervisor in the place of one that died"""
    before = family()
    os.kill(min(before), 9)
    wait_for('another one', 30, lambda: len(family()) == 2 and not set(family()) & set(before))
    same(service('status')[0], 0)


def stop():
    """Stopped, nobody is left; a bad configuration does not start"""
    same(service('stop')[0], 0)
    wait_for('nobody is left', 10, lambda: not family())
    configure('{"wans": 7}')
    status, said = service('start')
    assert status != 0 and f'{CONFIG}:1:' in said, (status, said)
    same(family(), {})


if subprocess.run(['which', 'openrc-run', 'rc-service'], stdout=subprocess.DEVNULL).returncode != 0:
    print('no OpenRC is installed', file=sys.stderr)
    sys.exit(77)
run_tests([prepare, start, reload, dies, stop])
