# SPDX-License-Identifier: GPL-2.0-or-later
"""10,000 hooks, one after each change of the address; some fail, die, print much or leave a child behind."""

import os
import select
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import soak  # noqa: E402
from kernel import Kernel  # noqa: E402
from lab import Lab, run, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

USUAL = 10000
COUNT = soak.rounds(USUAL)
# Of ten addresses one each is answered in another way; the last word is said before that.
HOOK = '''#!/bin/sh
[ "$HAIRPIN_EVENT" = address ] || exit 0
case $HAIRPIN_NEW in
*2) sleep 1234 & ;;
*3) i=0; while [ $i -lt 100 ]; do echo "line $i of $HAIRPIN_NEW"; i=$((i + 1)); done ;;
esac
echo "$HAIRPIN_NEW" > /run/lab/told
case $HAIRPIN_NEW in
*1) exit 1 ;;
*4) kill -9 $$ ;;
esac
'''
lab = kernel = told = None


def one(number):
    address = f'81.2.69.{10 + number % 200}'
    kernel.change(address)
    assert select.select([told], [], [], 20)[0], f'no hook for {address}: {lab.log()[-1000:]}'
    same(os.read(told, 100).decode(), address + '\n')


def rest():
    """No hook runs; what one left behind is gone with it."""
    wait_for('no hook runs', 20, lambda: len(family()) == 2)
    return {name: pid for name, pid in lab.processes().items() if name != 'publisher'}


def family():
    everyone = soak.guard.everybody()
    hooks = [process for process in everyone.values() if process.is_hook and process.state != 'Z']
    return [*soak.guard.tree(lab.daemon.pid, everyone), *hooks]


def hooks():
    """Hooks of all kinds: nothing grows, each change is told, nothing is left behind"""
    soak.Soak('hooks', USUAL, one, rest).run(COUNT)


with Lab(build='build') as lab:
    lab.load_rules('81.2.69.1')
    kernel = Kernel()
    kernel.change('81.2.69.9')
    run('ip', 'route', 'add', 'default', 'via', '81.2.69.254', ns='router')
    lab.write_configuration(lab.configuration(providers=None, log={'level': 'notice'}))
    lab.write_hook(text=HOOK)
    os.mkfifo(f'{lab.folder}/told', 0o666)
    told = os.open(f'{lab.folder}/told', os.O_RDWR | os.O_NONBLOCK)
    lab.start_daemon()
    wait_for('it has begun', 10, lambda: len(family()) == 2)
    run_tests([hooks])
