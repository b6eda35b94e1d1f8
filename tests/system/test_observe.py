# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be seen of a running hairpind: its hooks and what one of them does; its numbers."""

import os
import pty
import re
import shutil
import stat
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..', '.')]
import prometheus  # noqa: E402
from lab import HOST, Lab, wait_for  # noqa: E402
from tap import Skip, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
HOOKS = '/etc/hairpind/hooks.d'
TEXTFILE = '/run/lab/metrics/hairpind.prom'
lab = None


def call(*words):
    """hairpinctl as a user calls it: status, standard output, standard error."""
    done = subprocess.run(['nsenter', '--net=/run/netns/router', f'{lab.build}/hairpinctl', *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                          env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    return done.returncode, done.stdout, done.stderr


def on_terminal(*words):
    """The same on a terminal of 80 columns."""
    leader, follower = pty.openpty()
    subprocess.run(['stty', 'cols', '80', '-onlcr'], stdin=follower, check=True)
    child = subprocess.Popen(['nsenter', '--net=/run/netns/router', f'{lab.build}/hairpinctl', *words],
                             stdin=follower, stdout=follower, stderr=follower,
                             env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0', TERM='xterm', NO_COLOR=''))
    os.close(follower)
    out = b''
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    os.close(leader)
    child.wait(10)
    return out.decode()


def listed():
    return {hook['name']: hook for hook in lab.ctl('hook', 'list')['hooks']}


def hooks_alone():
    """hook list without a daemon: each file ready, refused or ignored, and why"""
    lab.set_address('81.2.69.7')
    lab.load_rules('81.2.69.1')
    os.makedirs(os.path.dirname(TEXTFILE), exist_ok=True)
    lab.write_configuration(lab.configuration(metrics={'textfile': TEXTFILE}))
    lab.write_hook()
    lab.write_hook('20-fails', '#!/bin/sh\necho "no such topic"\nexit 3\n')
    lab.write_hook('30-open', '#!/bin/sh\n')
    os.chmod(f'{HOOKS}/30-open', 0o777)
    lab.write_hook('40-off.bak')
    lab.write_hook('50-plain')
    os.chmod(f'{HOOKS}/50-plain', 0o644)
    os.symlink('10-note', f'{HOOKS}/60-link')
    os.mkdir(f'{HOOKS}/70-folder', 0o755)
    found = listed()
    same({name: hook['state'] for name, hook in found.items()},
         {'10-note': 'ready', '20-fails': 'ready', '30-open': 'refused', '40-off.bak': 'ignored',
          '50-plain': 'ignored', '60-link': 'refused', '70-folder': 'ignored'})
    assert 'others may write it' in found['30-open']['reason'], found['30-open']
    assert 'symbolic link' in found['60-link']['reason'], found['60-link']
    assert 'not executable' in found['50-plain']['reason'], found['50-plain']
    same(found['10-note']['runs'], None)
    os.chmod(HOOKS, 0o777)
    list_of_open = lab.ctl('hook', 'list')
    os.chmod(HOOKS, 0o755)
    same(list_of_open['hooks'], [])
    assert 'others may write to hooks.d' in list_of_open['reason'], list_of_open
    same(call('hook', 'test', '10-note')[0], 4)
    same(call('hook', 'test')[0], 2)
    same(call('hook', 'list', 'x')[0], 2)


def hooks_of_a_run():
    """With a daemon: last run, result and counts, in hook list and in the status, whose verdict asks for attention"""
    lab.start_daemon()
    wait_for('hooks ran', 20, lambda: listed()['20-fails']['runs'])
    wait_for('the record is current', 30, lambda: (lab.record() or {}).get('state') == 'current')
    wait_for('hooks of the record', 10, lambda: listed()['30-open']['runs'] == 2)
    found = listed()
    same([found['10-note'][key] for key in ('event', 'result', 'runs', 'failures')], ['record', 'ok', 2, 0])
    same([found['20-fails'][key] for key in ('state', 'result', 'runs', 'failures')], ['ready', 'exit 3', 2, 2])
    same([found['30-open'][key] for key in ('state', 'result', 'failures')], ['refused', 'refused', 2])
    same(found['50-plain']['runs'], None)
    assert re.match(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$', found['10-note']['last_run']), found['10-note']
    same([hook['name'] for hook in lab.status()['hooks']], ['10-note', '20-fails', '30-open', '60-link'])
    shown = on_terminal()
    assert shown.startswith('\033[31mAttention\033[0m: 3 hooks failed when they were run last.'), shown
    assert re.search(r'\n  20-fails  \d+ s ago +\033\[31mexit 3\033\[0m +record\n', shown), shown
    assert all(len(re.sub(r'\033\[\d*m', '', line)) <= 80 for line in shown.splitlines()), shown


def hook_tested():
    """hook test: that one file, with the values of now; its result, output and exit status"""
    lines = len(lab.hook_lines())
    status, out, error = call('hook', 'test', '10-note')
    same((status, out, error), (0, 'hook 10-note, event address: ok\n', ''))
    same(lab.hook_lines()[lines:], ['address ipv4 81.2.69.1 81.2.69.7 '])
    status, out, _ = call('hook', 'test', '10-note', 'record')
    same((status, out), (0, 'hook 10-note, event record: ok\n'))
    same(lab.hook_lines()[lines + 1:], ['record ipv4 81.2.69.7 81.2.69.7 home.example.org'])
    status, out, _ = call('hook', 'test', '20-fails')
    same((status, out), (1, 'hook 20-fails, event address: exit 3\n  no such topic\n'))
    status, out, _ = call('--json', 'hook', 'test', '30-open', 'lost')
    same(status, 1)
    assert '"result":"refused"' in out and 'others may write it' in out, out
    status, _, error = call('hook', 'test', '50-plain')
    same((status, error), (1, 'hairpinctl: hook 50-plain is not executable\n'))
    status, _, error = call('hook', 'test', '99-none')
    same(status, 1)
    assert 'No such file' in error, error
    same(call('hook', 'test', '../10-note')[0], 2)
    same(call('hook', 'test', '10-note', 'birthday')[0], 2)


def hooks_mended():
    """Mended and tested, or removed: the verdict is well again after the next event"""
    lab.write_hook('20-fails', '#!/bin/sh\nexit 0\n')
    same(call('hook', 'test', '20-fails')[0], 0)
    os.remove(f'{HOOKS}/30-open')
    os.remove(f'{HOOKS}/60-link')
    lab.set_address('81.2.69.8')
    wait_for('the verdict', 30, lambda: call()[1].startswith('All well'))
    same([hook['name'] for hook in lab.status()['hooks']], ['10-note', '20-fails'])


def numbers():
    """What `hairpinctl metrics` says, through the strict reader."""
    status, out, error = call('metrics')
    same((status, error), (0, ''))
    return prometheus.parse(out)


def in_file():
    with open(TEXTFILE) as file:
        return prometheus.parse(file.read())


def counted():
    """metrics: well-formed, and each number is what happened in this run"""
    found, value = numbers(), prometheus.value
    ipv4 = {'wan': 'wan', 'family': 'ipv4'}
    same(value(found, 'hairpind_wan_up', **ipv4), 1)
    same(value(found, 'hairpind_wan_address_info', **ipv4, address='81.2.69.8'), 1)
    same(value(found, 'hairpind_wan_address_changes_total', **ipv4), 2)
    same(value(found, 'hairpind_rules', state='current'), 2)
    same(value(found, 'hairpind_rules', state='stale'), 0)
    same(value(found, 'hairpind_rules', state='skipped'), 1)
    same(value(found, 'hairpind_rule_updates_total', tag='hairpin'), 4)
    same(value(found, 'hairpind_rule_commit_seconds', '_count'), 2)
    assert 0 < value(found, 'hairpind_rule_commit_seconds', '_sum') < 1, found['hairpind_rule_commit_seconds']
    same(value(found, 'hairpind_provider_updates_total', provider='dyndns2', result='good'), 2)
    same(value(found, 'hairpind_record_current', name=HOST, type='A', provider='dyndns2'), 1)
    record = lab.status()['records'][0]
    same(record['state'], 'current')
    now = time.time()
    for name in ('hairpind_record_success_timestamp_seconds', 'hairpind_record_verified_timestamp_seconds'):
        assert now - 120 < value(found, name, name=HOST) <= now + 1, found[name]
    hooks = {hook['name']: hook for hook in lab.status()['hooks']}
    same(value(found, 'hairpind_hook_runs_total', hook='10-note', result='ok'), hooks['10-note']['runs'])
    same(value(found, 'hairpind_hook_runs_total', hook='20-fails', result='exit'), hooks['20-fails']['failures'])
    same(value(found, 'hairpind_publisher_starts_total'), 1)
    same(value(found, 'hairpind_publisher_restarts_total'), 0)
    same(value(found, 'hairpind_config_last_reload_successful'), 1)
    lab.write_configuration({'wan': []})
    same(call('reload')[0], 1)
    lab.load_rules('81.2.69.1')
    wait_for('rules again', 5, lambda: value(numbers(), 'hairpind_rule_updates_total') == 6)
    found = numbers()
    same(value(found, 'hairpind_config_last_reload_successful'), 0)
    same(value(found, 'hairpind_config_reloads_total', result='failed'), 1)
    assert value(found, 'hairpind_foreign_ruleset_changes_total') >= 1
    lab.write_configuration(lab.configuration(metrics={'textfile': TEXTFILE, 'addresses': False}))
    same(call('reload')[0], 0)
    found = numbers()
    same(value(found, 'hairpind_config_last_reload_successful'), 1)
    same(value(found, 'hairpind_wan_address_info'), None)
    same(value(found, 'hairpind_provider_updates_total', result='good'), 2, 'a reload forgets nothing')


def documented():
    """Each metric stands in hairpind-metrics(7), and the strict reader is one"""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../packaging/man/hairpind-metrics.7')) as page:
        written_down = set(re.findall(r'^\.It Li (hairpind_\S+)$', page.read(), re.M))
    same(sorted(set(numbers()) - written_down), [])
    good = '# HELP hairpind_x_total A.\n# TYPE hairpind_x_total counter\nhairpind_x_total{a="b"} 1\n'
    same(prometheus.value(prometheus.parse(good), 'hairpind_x_total', a='b'), 1)
    for old, new in (('} 1', '} 1 5'), ('"b"', '"b\\x"'), ('"b"', '"b"b"'), ('} 1\n', '} 1'), ('_total', ''),
                     ('} 1\n', '} 1\nhairpind_x_total{a="b"} 2\n'), ('} 1', '} x'), ('counter', 'gauge'),
                     ('# HELP hairpind_x_total A.\n', ''), ('} 1\n', '} 1\n' + good), ('hairpind_x_total{', 'hairpind_y{')):
        try:
            prometheus.parse(good.replace(old, new))
        except prometheus.Broken:
            continue
        raise AssertionError(f'accepted: {good.replace(old, new)}')


def read_by_promtool():
    """promtool, where it is installed, finds nothing wrong with them"""
    if not shutil.which('promtool'):
        raise Skip('no promtool')
    done = subprocess.run(['promtool', 'check', 'metrics'], input=call('metrics')[1], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    same((done.returncode, done.stdout), (0, ''))


def written():
    """The text file: for others to read, the same numbers; a core that is killed begins anew, the file stays whole"""
    same(stat.S_IMODE(os.stat(TEXTFILE).st_mode), 0o644)
    same(os.listdir(os.path.dirname(TEXTFILE)), ['hairpind.prom'])
    before = prometheus.value(in_file(), 'hairpind_start_timestamp_seconds')
    lab.kill('core')
    wait_for('another core', 10, lambda: lab.status() and prometheus.value(
        in_file(), 'hairpind_wan_address_changes_total', family='ipv4') == 1)
    found = in_file()
    assert prometheus.value(found, 'hairpind_start_timestamp_seconds') > before - 1
    same(prometheus.value(found, 'hairpind_rules', state='current'), 2)
    lab.set_address('81.2.69.9')
    wait_for('rules', 5, lambda: prometheus.value(numbers(), 'hairpind_rule_updates_total') == 2)
    same(lab.stop_daemon(), 0)
    same(prometheus.value(in_file(), 'hairpind_rule_updates_total'), 2, 'the last word')
    same(call('metrics')[0], 4)


def main():
    global lab
    with Lab(build=BUILD) as lab:
        lab.set_dns('81.2.69.1')
        return run_tests([hooks_alone, hooks_of_a_run, hook_tested, hooks_mended, counted, documented,
                          read_by_promtool, written])


if __name__ == '__main__':
    sys.exit(main())
