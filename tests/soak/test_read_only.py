# SPDX-License-Identifier: GPL-2.0-or-later
"""A week on a read-only flash: addresses that change, restarts, a provider that fails for half a day. DAYS=2 shortens it."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from hours import DAY, HOUR, Hours, most  # noqa: E402
from lab import real_root, run  # noqa: E402
from tap import figure, holds, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build')
DAYS = int(os.environ.get('DAYS', '7'))
DIRECTORY = '/run/lab/state'
lab = None


def warnings(since=0):
    return [line for line in lab.log()[since:].splitlines() if 'not saved' in line or 'state directory' in line]


def restart():
    same(lab.stop_daemon(), 0)
    lab.start_daemon(log=lab.log_path)


def week():
    """A week: an update per change, none for a restart, one warning a life"""
    lab.begin(lab.config(dns={'check_every': '1h'}), settle=False)
    same(lab.stop_daemon(), 0)
    run('mount', '--bind', DIRECTORY, DIRECTORY)
    run('mount', '-o', 'remount,bind,ro', DIRECTORY)
    try:
        live()
    finally:
        if lab.daemon:
            lab.stop_daemon()
        run('umount', DIRECTORY)


def live():
    lab.start_daemon(log=f'{lab.folder}/read_only.log')
    lab.settle()
    began, first = len(lab.requests()), lab.clock.now()
    for _ in range(DAYS):
        lab.clock.go(hours=16)
        lab.change_address()
        lab.settle(1200)
        lab.clock.go(hours=8)
        assert f'ip daddr {lab.address} tcp' in lab.rules()
    figure('F49', f'updates in {DAYS} days with a change a day', len(lab.requests()) - began, f'== {DAYS}')
    figure('F49', f'warnings in {DAYS} days', len(warnings()), '== 1')
    same(os.listdir(DIRECTORY).count('state.json.new'), 0)
    restarts()
    failures()
    print(f'# {(lab.clock.now() - first) / DAY:.1f} virtual days')


def restarts():
    """What was published is not remembered: DNS tells."""
    began = len(lab.requests())
    for _ in range(12):
        restart()
        lab.clock.go(hours=1)
        assert lab.all_current(), lab.status()
    figure('F49', 'updates after 12 restarts, an hour apart, DNS right', len(lab.requests()) - began, '== 0')


def failures():
    """The back-off of a life is kept, whatever cannot be written."""
    lab.provider_says(status=503)
    began = lab.clock.now()
    lab.change_address()
    lab.clock.go(hours=12)
    asked = lab.asked(began)
    figure('F49', 'requests in the first hour of an outage', sum(at < asked[0] + HOUR for at in asked), 8)
    figure('F49', 'requests in any later hour of 12', most([at for at in asked if at >= asked[0] + HOUR], HOUR), 3)
    lab.provider_says()
    began = lab.clock.now()
    lab.settle(2400)
    figure('F49', 'updates after the outage', len(lab.asked(began)), '== 1')
    holds('F49', 'rules and record are right after it', lab.dns() == [lab.address])


def main():
    global lab
    if not real_root():
        print('ok 1 # SKIP only root mounts a medium read-only\n1..1')
        return
    with Hours(build=BUILD) as lab:
        run_tests([week])


main()
