# SPDX-License-Identifier: GPL-2.0-or-later
"""Virtual time itself: the clocks of all three processes move together, and nothing is passed over."""

import os
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import Lab, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402
from warp import Warp  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
lab = clock = None


def current():
    return (lab.record() or {}).get('state') == 'current'


def between(low, got, high):
    assert low <= got <= high, f'{got}, not from {low} to {high}'


def hours_pass():
    """Three hours: the core looks around at its times, far less real time passes"""
    clock.until('current', 60, current)
    began, turns, real = clock.now(), clock.turns(lab.processes()['core']), time.monotonic()
    clock.go(hours=3)
    between(3 * 3600, clock.now() - began, 3 * 3600 + 60)
    between(3 * 12, clock.turns(lab.processes()['core']) - turns, 3 * 120)
    between(0, time.monotonic() - real, 3600)
    same(len(lab.requests()), 1)


def retries_by_the_clock():
    """A provider that fails is asked again after 30 virtual seconds, then twice that; its delays are virtual too"""
    lab.provider_says(status=500)
    lab.set_address('81.2.69.3')
    clock.until('two more tries', 180, lambda: len(lab.requests()) == 4, every=5)
    times = [request['time'] for request in lab.requests()[1:]]
    between(24, times[1] - times[0], 38)
    between(48, times[2] - times[1], 75)
    lab.provider_says(delay=10)
    began = clock.now()
    clock.until('current', 200, current)
    between(10, clock.now() - began, 180)


def steps_and_sleep():
    """A step moves the wall clock alone; a suspend also the one that counts sleep, and what was due comes at once"""
    def since():
        return lab.status()['wans'][0]['ipv4']['since']

    uptime, wall = lab.status()['uptime_s'], clock.wall()
    clock.step(86400)
    between(86400, clock.wall() - wall, 86400 + 30)
    between(0, lab.status()['uptime_s'] - uptime, 30)
    lab.set_address('81.2.69.4')
    wait_for('the new address', 10, lambda: lab.status()['wans'][0]['ipv4']['address'] == '81.2.69.4')
    same(since()[:10], time.strftime('%Y-%m-%d', time.gmtime(clock.wall())))
    turns = clock.turns(lab.processes()['core'])
    clock.sleep(8 * 3600)
    wait_for('the core woke', 5, lambda: clock.turns(lab.processes()['core']) > turns)
    between(8 * 3600, lab.status()['uptime_s'] - uptime, 8 * 3600 + 60)


def server_waits():
    """The provider waits for a zone that keeps its update back and does not run: time stands"""
    clock.until('current', 60, current)
    asked = len(lab.requests())
    lab.provider_says(kept_back=0.7)
    lab.set_address('81.2.69.5')
    clock.go(hours=1)
    same((len(lab.requests()) - asked, current()), (1, True))


def main():
    global lab, clock
    with Lab(build=BUILD) as lab:
        clock = Warp(lab)
        lab.load_rules('81.2.69.1')
        lab.write_configuration()
        lab.set_address('81.2.69.2')
        lab.start_daemon()
        run_tests([hours_pass, retries_by_the_clock, steps_and_sleep, server_waits])


main()
