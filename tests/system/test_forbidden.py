# SPDX-License-Identifier: GPL-2.0-or-later
"""Core, publisher and supervisor try each forbidden act from inside, after all stages of their sandbox (tests/lab/forbidden.c).
On the plain build."""

import errno
import os
import re
import shutil
import socket
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import DAEMON_USER, Lab, add_user, real_root, wait_for  # noqa: E402
from tap import figure, run_tests, same  # noqa: E402

FOREIGN = '/run/lab/foreign.sock'
CORE_USER = DAEMON_USER[1]
RIGHTS = (errno.EPERM, errno.EACCES, errno.ENOSYS)   # the supervisor has no filter: refused means for want of rights
lab = None


def tried(name):
    """{act: 'refused' | 'DONE'} of the process that was tried last."""
    found = re.findall(rf'^(?:<\d>)?forbidden {name} (\S+) (\S+) (\d+)$', lab.log(), re.M)
    return {act: (verdict, int(error)) for act, verdict, error in found}


def look(kind):
    for name, least in (('core', 55), ('publisher', 54), ('supervisor', 23)):
        acts = wait_for(f'the {name} has tried', 30, lambda: (lambda a: a if 'may_pair' in a else None)(tried(name)))
        done = sorted(act for act, (verdict, error) in acts.items() if not act.startswith('may_') and
                      (verdict != 'refused' or (name == 'supervisor' and error not in RIGHTS)))
        allowed = [act for act, (verdict, _) in acts.items() if act.startswith('may_') and verdict == 'DONE']
        same(len(allowed), 4, 'what must be allowed')
        forbidden = len(acts) - 4
        assert forbidden >= least, f'{name}: only {forbidden} acts were tried'
        print(f'# {name}{kind}: {forbidden} acts tried')
        figure('S38', f'forbidden acts that the {name}{kind} could do, of {forbidden}', len(done), '== 0')
        if done:
            raise AssertionError(done)


def start(*words, victim_user=None):
    victim = lab.start(*([] if victim_user is None else ['setpriv', f'--reuid={victim_user}', '--clear-groups']), 'sleep', '1000',
                       ns=None)
    library = shutil.copy(f'{lab.build}/lab/forbidden.so', lab.folder)      # the publisher may not see our checkout
    os.environ.update(LD_PRELOAD=library, HAIRPIND_FORBIDDEN=f'{victim.pid} {FOREIGN}')
    try:
        lab.log_path = lab.folder + '/tries.log'
        lab.start_daemon(*words, wait=False, log=lab.log_path)
    finally:
        del os.environ['LD_PRELOAD'], os.environ['HAIRPIND_FORBIDDEN']
    wait_for('the daemon answers', 20, lab.status)


def as_started():
    """Started as root (or as the one user of this namespace): nothing of the list can be done"""
    start(victim_user=CORE_USER if real_root() else None)
    look('')
    same(lab.stop_daemon(), 0)


def main():
    global lab
    os.environ.pop('HAIRPIND_SECCOMP', None)    # each refusal would end the process that is to try the next act
    with Lab(build='build') as lab:
        if real_root():
            add_user(*DAEMON_USER)
            os.makedirs('/run/lab/state', exist_ok=True)
            os.chown('/run/lab/state', CORE_USER, CORE_USER)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as foreign:
            foreign.bind(FOREIGN)
            os.chmod(FOREIGN, 0o777)
            lab.set_address('81.2.69.7')
            lab.load_rules('81.2.69.1')
            lab.set_dns('81.2.69.1')
            lab.write_configuration()
            os.chmod('/etc/hairpind/password', 0o644)
            run_tests([as_started])


main()
