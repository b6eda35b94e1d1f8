# SPDX-License-Identifier: GPL-2.0-or-later
"""What doctor shows on a terminal of 80 columns, with and without colour: tests/system/golden/doctor-NAME.txt. With
GOLDEN=write they are written anew; read the diff. Notes are left out: they tell of this machine's files."""

import os
import pty
import re
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from doctor_rules import BY_HAND, RETURN_PATH  # noqa: E402
from doctor_try import ENVIRONMENT  # noqa: E402
from doctor_world import World  # noqa: E402
from lab import run  # noqa: E402
from tap import run_tests, same  # noqa: E402

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'golden')
CONFIG = '/run/doctor.json'
COMMAND = ['nsenter', '--net=/run/netns/router', 'hairpinctl', '-c', CONFIG, 'doctor']
world = None


def load(rules):
    run('nft', '-f', '-', ns='router', input='flush ruleset\n' + rules)


def on_terminal(**environment):
    """All that it prints there."""
    screen, end = pty.openpty()
    subprocess.run(['stty', 'cols', '80'], stdin=end, check=True)
    child = subprocess.Popen(COMMAND, stdin=subprocess.DEVNULL, stdout=end, stderr=end, start_new_session=True,
                             env=dict(ENVIRONMENT, TERM='xterm', **environment))
    os.close(end)
    shown = b''
    try:
        while piece := os.read(screen, 65536):
            shown += piece
    except OSError:		# the other end is closed
        pass
    os.close(screen)
    return child.wait(60), shown.decode().replace('\r\n', '\n')


def without_notes(shown):
    """Paragraphs that are the same on every machine."""
    plain = re.compile(r'(\x1b\[\d+m)?(Note|Well:)')
    return '\n'.join(part for part in re.split(r'\n(?=\n)', shown) if not plain.match(part.lstrip('\n'))).rstrip() + '\n'


def compare(name, shown):
    path = f'{GOLDEN}/doctor-{name}.txt'
    if os.environ.get('GOLDEN') == 'write':
        with open(path, 'w', encoding='utf-8') as file:
            file.write(shown)
    with open(path, encoding='utf-8') as file:
        same(shown, file.read(), f'{path} differs; shown now:\n{shown}')


def too_wide(shown):
    plain = re.sub(r'\x1b\[\d+m', '', shown)
    return [line for line in plain.splitlines() if len(line) > 80 and not line.startswith('    ')]


def see(name, status):
    got, plain = on_terminal(NO_COLOR='1')
    same(got, status, plain)
    assert '\x1b' not in plain, plain
    same(too_wide(plain), [])
    compare(name, without_notes(plain))
    got, coloured = on_terminal(NO_COLOR='')
    same(got, status, coloured)
    same(re.sub(r'\x1b\[\d+m', '', coloured), plain, 'colours change no letter')
    compare(name + '-colour', without_notes(coloured))
    return plain


def healthy():
    """nothing to mend: a verdict and who reaches what"""
    load(BY_HAND)
    see('healthy', 0)


def a_finding():
    """the return path is missing: what was seen, and the command that mends it, whole"""
    load(BY_HAND.replace(RETURN_PATH, ''))
    shown = see('return-path', 1)
    commands = [line.strip() for line in shown.splitlines() if line.startswith('    nft ')]
    assert commands, shown
    for command in commands:
        run('sh', '-ec', command, ns='router')
    same(on_terminal(NO_COLOR='1')[0], 0, 'pasted from the terminal')


def elsewhere():
    """a pipe gets the same words, and no colour"""
    load(BY_HAND)
    done = subprocess.run(COMMAND, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          env=dict(ENVIRONMENT, TERM='xterm'))
    same((done.returncode, done.stderr), (0, ''))
    same(without_notes(done.stdout), without_notes(on_terminal(NO_COLOR='1')[1]))


def main():
    global world
    with open(CONFIG, 'w', encoding='utf-8') as file:
        file.write('{"wans": [{"interface": "wan0"}], "hooks": {"directory": "/run/none"}}')
    with World() as world:
        run_tests([healthy, a_finding, elsewhere])


main()
