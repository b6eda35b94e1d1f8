# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples of hairpind-rules(7) load when they are pasted, and every one of them follows the address."""

import os
import re
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import Lab, run  # noqa: E402
from tap import run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
OLD, NEW = '203.0.113.7', '198.51.100.77'
lab = None


def examples(begin):
    """What stands between .Bd -literal and .Ed and begins so, in the manual."""
    with open('packaging/man/hairpind-rules.7') as page:
        blocks = re.findall(r'^\.Bd -literal[^\n]*\n(.*?)^\.Ed$', page.read(), re.S | re.M)
    found = [block.replace('\\e\n', '\\\n').replace('\\&', '') for block in blocks if block.startswith(begin)]
    assert found, begin
    return found


def rewrite(*words):
    done = subprocess.run(['nsenter', '--net=/run/netns/router', f'{lab.build}/hairpind', '--rewrite', *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                          env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    same((done.returncode, done.stderr), (0, ''))
    return done.stdout


def nft_forms():
    """nft: each form of the manual loads and follows"""
    run('nft', '-f', '-', ns='router', input='flush ruleset\n' + examples('table ip nat {\n    set')[0])
    before = run('nft', 'list', 'table', 'ip', 'nat', ns='router')
    same(before.count(OLD), examples('table ip nat {\n    set')[0].count(OLD))
    out = rewrite(NEW, '--add-missing')
    after = run('nft', 'list', 'table', 'ip', 'nat', ns='router')
    same((after.count(OLD), after.count(NEW)), (0, before.count(OLD) + 1), out)
    added = f'ip daddr {NEW} tcp dport 86 dnat to 192.168.1.2 comment "hairpin, with add_missing"'
    assert added in after, after
    same(before.count(' : ') + before.count('198.51.100.9'), after.count(' : ') + after.count('198.51.100.9'))


def iptables_forms():
    """iptables-nft: each form of the manual loads and follows"""
    run('nft', 'flush', 'ruleset', ns='router')
    commands = examples('iptables -t nat -A PREROUTING -d 203')[0]
    run('sh', '-ec', commands.replace('iptables -t', 'iptables-nft -t'), ns='router')
    before = run('iptables-nft-save', '-t', 'nat', ns='router').count(OLD)
    assert before >= 5, before
    out = rewrite(NEW)
    after = run('iptables-nft-save', '-t', 'nat', ns='router')
    same((after.count(OLD), after.count(NEW)), (0, before), out)


def main():
    global lab
    with Lab(build=BUILD) as lab:
        run_tests([nft_forms, iptables_forms])


main()
