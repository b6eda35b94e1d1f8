# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual: what it shows works when it is pasted, what hairpinctl takes is in it, and nothing else is."""

import json
import os
import re
import shlex
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import Lab, run, wait_for  # noqa: E402
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


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def page_examples(name):
    """Command lines of the literal blocks of a page's EXAMPLES."""
    text = read(f'packaging/man/{name}').split('.Sh EXAMPLES', 1)[1].split('.Sh ', 1)[0]
    return [block.replace('\\e\n', '\\\n') for block in re.findall(r'^\.Bd -literal[^\n]*\n(.*?)^\.Ed$', text, re.S | re.M)]


def ctl(*words):
    done = subprocess.run([f'{BUILD}/hairpinctl', *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                          env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    return done.returncode, done.stdout


def words_agree():
    """hairpinctl: commands and options are the same in --help, in the page, in the program and for the shells"""
    text, page = ctl('--help')[1], read('packaging/man/hairpinctl.8')
    described = page.split('.Sh DESCRIPTION', 1)[1].split('.Sh FILES', 1)[0]
    commands = {line for line in ctl('complete', '--', '')[1].split() if not line.startswith('-')}
    assert len(commands) >= 16, commands
    for command in sorted(commands):
        assert re.search(rf'(^  |\| ){command}\b', text, re.M), f'{command} is not in --help'
        assert re.search(rf'^\.It Cm {command}\b', described, re.M), f'{command} has no paragraph'
        assert re.search(rf'^\.Cm .*\b{command}\b|^\.Op Cm {command}\b', page.split('.Sh DESCRIPTION')[0], re.M), f'{command} has no synopsis'
    same(set(re.findall(r'^\.It Cm ([a-z]+)', described, re.M)), commands)
    known = set(re.findall(r'^\t\t\{ "([a-z-]+)",', read('src/hairpinctl.c'), re.M))
    offered = set()
    for command in ('', *commands):
        offered |= set(re.findall(r'^--([a-z-]+)$', ctl('complete', '--', *([command] if command else []), '--')[1], re.M))
    same((set(re.findall(r'--([a-z][a-z-]+)', text)), offered), (known, known))
    same(set(re.findall(r'Fl (?:[a-zA-Z] , Fl )?-([a-z-]+)', page)), known)


def lines_parse():
    """Every hairpinctl line of the pages and the README is one that hairpinctl takes"""
    pages = sorted(name for name in os.listdir('packaging/man') if '.Sh EXAMPLES' in read(f'packaging/man/{name}'))
    blocks = [(name, block) for name in pages for block in page_examples(name)]
    blocks += [('README.md', block) for block in re.findall(r'^```\w*\n(.*?)^```$', read('README.md'), re.S | re.M)]
    lines = [(name, line) for name, block in blocks for line in re.findall(r'^(?:\$ )?(?:sudo )?(hairpinctl\b.*)$', block, re.M)]
    assert len(lines) >= 16 and {'README.md', 'hairpinctl.8'} < {name for name, _ in lines}, lines
    for name, line in lines:
        words = shlex.split(line.split(' | ')[0].split('#')[0].replace('\\', ''))[1:]
        if words[-1:] == ['ID']:
            words[-1] = 'duckdns'
        status, said = ctl('--socket', '/run/nobody', *words)
        assert status in (0, 1, 3, 4) or 'give it by' in said, (name, line, status, said)


def stub(folder, **programs):
    os.makedirs(folder)
    for name, text in programs.items():
        with open(os.open(f'{folder}/{name}', os.O_WRONLY | os.O_CREAT, 0o755), 'w') as file:
            file.write(f'#!/bin/sh\n{text}\n')


def examples_work():
    """The examples of hairpinctl(8), hairpind-doctor(7) and hairpind-hooks(7), pasted on a router that runs hairpind"""
    lab.set_address('81.2.69.7')
    lab.load_rules('81.2.69.7')
    run('nft', 'delete', 'rule', 'ip', 'nat', 'postrouting', 'handle', re.search(
        r'"hairpin return path" # handle (\d+)', lab.rules())[1], ns='router')
    lab.write_configuration(lab.configuration())
    stub('/run/stub', sudo='exec "$@"', logger='echo "$@"', journalctl='exit 0')
    os.environ['PATH'] = f'/run/stub:{os.path.abspath(lab.build)}:{os.environ["PATH"]}'
    lab.start_daemon()
    wait_for('the record is current', 30, lambda: (lab.record() or {}).get('state') == 'current')
    shown = {}

    def paste(text):
        done = subprocess.run(['nsenter', '--net=/run/netns/router', 'timeout', '60', 'sh', '-c', text], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, cwd='/run/stub',
                              env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
        shown[text] = done.stdout
        return done

    script = next(block for block in page_examples('hairpind-hooks.7') if block.startswith('#!'))
    with open('/run/stub/log-address', 'w') as file:
        file.write(script)
    same(subprocess.run(['sh', '/run/stub/log-address', 'address'], stdout=subprocess.PIPE, text=True, env={
        'PATH': '/run/stub:/bin:/usr/bin', 'HAIRPIN_WAN': 'fibre', 'HAIRPIN_OLD': '192.0.2.1', 'HAIRPIN_NEW': '192.0.2.2'}).stdout,
        '-t wan fibre: 192.0.2.1 is now 192.0.2.2\n')
    for name in ('hairpind-hooks.7', 'hairpind-doctor.7', 'hairpind-metrics.7', 'hairpinctl.8'):
        for block in page_examples(name):
            if 'hairpinctl' not in block and not block.startswith('install'):
                continue
            if 'watch' in block or 'import' in block or '--probe' in block:     # these have tests of their own
                continue
            done = paste(block)
            assert done.returncode in (0, 3) and not re.search('usage|Usage|syntax|parse error', done.stderr), (block, done)
    assert 'return-path\n' in next(text for key, text in shown.items() if '.code' in key), shown
    assert 'masquerade' in next(text for key, text in shown.items() if 'commands[]' in key), shown
    assert 'log-address' in next(text for key, text in shown.items() if 'hook list' in key), shown
    same(next(text for key, text in shown.items() if 'select(.state' in key), '')
    # What doctor prints is given to a shell, as its page says.
    remedy = next(key for key in shown if 'commands[]' in key).strip() + ' | sh -e'
    same((paste(remedy).returncode, 'comment "hairpin return path"' in lab.rules()), (0, True))
    same(json.dumps(lab.ctl('doctor')).count('return-path'), 0)


def main():
    global lab
    with Lab(build=BUILD) as lab:
        run_tests([words_agree, lines_parse, nft_forms, iptables_forms, examples_work])


main()
