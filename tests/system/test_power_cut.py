# SPDX-License-Identifier: GPL-2.0-or-later
"""Power cuts: the state lies on a real ext4 on a loop device. What has reached that device at a moment is what a cut leaves:
the image is copied, everything is killed, and the next daemon starts from the copy. (The device itself has no cache here
that could lose or reorder writes.)

An image is taken as it was at one moment: two copies, one after the other, are the same. SEED and ROUNDS as elsewhere;
tests/soak runs many."""

import json
import os
import random
import signal
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from hours import Hours  # noqa: E402
from lab import real_root, run, wait_for  # noqa: E402
from tap import Skip, figure, holds, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
SEED = int(os.environ.get('SEED', time.time_ns() % 100000))
ROUNDS = int(os.environ.get('ROUNDS', 4))
dice = random.Random(SEED)
STATE, DIRECTORY, IMAGE = '/run/lab/state/state.json', '/run/lab/state', '/run/lab/disk'
lab = journal = None


def make_disk():
    with open(IMAGE, 'wb') as file:
        file.truncate(8 << 20)
    global journal
    journal = dice.random() >= 0.2
    run('mkfs.ext4', '-q', '-F', '-O', 'has_journal' if journal else '^has_journal', IMAGE)
    mount(IMAGE)


def mount(image):
    """Rename is not to save who does not sync: ext4 would guess what is meant."""
    os.makedirs(DIRECTORY, exist_ok=True)
    options = 'loop,noauto_da_alloc' + (',commit=600' if journal else '')    # without a journal Linux refuses it
    # Where others use loop devices, too, one that was just let go may be given twice, and mount(8) fails.
    wait_for(f'{image} is mounted', 20, lambda: run('mount', '-o', options, image, DIRECTORY, check=False)
             or os.path.ismount(DIRECTORY), every=0.2)
    os.chmod(DIRECTORY, 0o700)


def image_now():
    """The device's bytes at one moment."""
    with open(IMAGE, 'rb') as file:
        before = file.read()
        for _ in range(100):
            file.seek(0)
            after = file.read()
            if after == before:
                return after
            before = after
    raise AssertionError('the device is never at rest')


def unmount():
    """As soon as nobody is in it."""
    wait_for('the disk is let go', 10, lambda: not os.path.ismount(DIRECTORY) or
             run('umount', DIRECTORY, check=False) is None or not os.path.ismount(DIRECTORY))


def saved():
    with open(STATE) as file:
        return json.load(file)


def cut(number):
    """A change, a cut at some moment of it, and the next daemon; the surplus requests."""
    asked = len(lab.requests())
    lab.change_address()
    time.sleep(dice.choice((0, 0.002, 0.01, 0.05, 0.1, 0.2, 0.4)))
    left = image_now()
    lab.guard.expects(dies='supervisor')
    lab.daemon.send_signal(signal.SIGKILL)
    lab.daemon.wait(5)
    lab.end(lab.daemon)
    unmount()
    with open(IMAGE, 'wb') as file:
        file.write(left)
    run('e2fsck', '-p', IMAGE, check=False)     # without a journal it is due; it mends names and counts, no content
    mount(IMAGE)
    got = saved()       # whole, or this fails
    assert got['version'] == 1 and got['wans'], got
    lab.start_daemon(log=f'{lab.folder}/cut.{number}.log')
    lab.settle()
    assert not os.path.exists(f'{STATE}.bad')
    same(lab.dns(), [lab.address])
    lab.clock.go(minutes=11)    # it rests: nothing is being saved just now
    same([name for name in os.listdir(DIRECTORY) if name.endswith('.new')], [])
    return len(lab.requests()) - asked - 1


def cuts():
    """Power cuts at random moments of a change: the state is whole, the update is sent once"""
    if not real_root() or not os.path.exists('/dev/loop-control'):
        raise Skip('no loop devices here')
    print(f'# SEED={SEED} ROUNDS={ROUNDS}')
    make_disk()
    try:
        lab.change_address()
        lab.write_configuration()
        lab.start_daemon()
        lab.settle()
        lab.clock.go(minutes=11)
        surplus = [cut(number) for number in range(ROUNDS)]
    finally:
        if lab.daemon:
            lab.stop_daemon()
        unmount()
    holds('F15', f'after a power cut the state file is the old or the new one, whole ({ROUNDS} cuts)')
    figure('F4', 'surplus requests after a power cut, the most', max(surplus), 1)


def careless():
    """The same cut of a writer that does not sync: files are lost, so the test can see it"""
    if not real_root() or not os.path.exists('/dev/loop-control'):
        raise Skip('no loop devices here')
    make_disk()
    try:
        for number in range(5):
            with open(f'{DIRECTORY}/new', 'w') as file:
                file.write('x' * 2000)
            os.rename(f'{DIRECTORY}/new', f'{DIRECTORY}/{number}')
            left = image_now()
    finally:
        unmount()
    with open(IMAGE, 'wb') as file:
        file.write(left)
    mount(IMAGE)
    try:
        whole = [name for name in os.listdir(DIRECTORY) if name.isdigit() and os.path.getsize(f'{DIRECTORY}/{name}') == 2000]
    finally:
        unmount()
    assert len(whole) < 5, whole


def main():
    global lab
    with Hours(build=BUILD) as lab:
        run_tests([careless, cuts])


main()
