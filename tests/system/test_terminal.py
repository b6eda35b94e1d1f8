# SPDX-License-Identifier: GPL-2.0-or-later
"""What hairpinctl writes to a terminal, looked at as a whole: tests/system/golden/NAME.txt. GOLDEN=write writes them anew; read the diff."""

import datetime
import difflib
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from fcntl import ioctl

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from tap import run_tests, same  # noqa: E402

BUILD = os.path.abspath(os.environ.get('HAIRPIN_BUILD', 'build/asan'))
CANNED, GOLDEN, PLACE = 'tests/unit/golden', 'tests/system/golden', '/run/terminal'
SOCKET, HOOKS = f'{PLACE}/control.sock', f'{PLACE}/hooks.d'
WRITTEN = 1767268800    # 2026-01-01T12:00:00Z, the present of the canned answers
MARKS = {'0': '</>', '1': '<bold>', '31': '<red>', '32': '<green>', '33': '<yellow>'}
VIEWS = {'80 columns': (80, {'TERM': 'xterm'}), '80 columns, NO_COLOR': (80, {'TERM': 'xterm', 'NO_COLOR': '1'}),
         '40 columns, dumb': (40, {'TERM': 'dumb'})}

# What is there to be copied, or read line by line by programs, is not broken.
WHOLE = {'watch': r'\d\d:|HH:', 'metrics': '', 'provider': r'  "', 'doctor': r'    \S', 'reload-mistakes': r'/etc/|hairpinctl: '}

RULES = '''
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat;
		ip daddr 81.2.69.7 tcp dport 80 dnat to 192.168.1.2 comment "web"
	}
}
'''


class Daemon:
    """Answers as hairpind would, with answers that lie ready; their times are moved to now."""

    patient = False

    def __init__(self, *answers):
        self.answers = list(answers)
        if os.path.exists(SOCKET):
            os.unlink(SOCKET)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(SOCKET)
        self.listener.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                command = json.loads(client.recv(4096))['command']
                answer = next(answer for name, answer in self.answers if name == command)
                if self.patient:        # a slow machine has most of a second to show it
                    time.sleep(1 - time.time() % 1)
                client.sendall(answer if command == 'watch' else moved(answer))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(SOCKET)


def moved(answer):
    def move(match):
        then = datetime.datetime.fromisoformat(match[0].replace('Z', '+00:00')).timestamp()
        return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(then - WRITTEN + int(time.time())))
    return re.sub(r'2026-01-01T\d\d:\d\d:\d\dZ', move, json.dumps(answer)).encode() + b'\n'


def canned(name):
    with open(f'{CANNED}/{name}.json', encoding='utf-8') as file:
        return json.load(file)


def on_terminal(words, columns, variables, until=None):
    """(exit status, what the terminal got). With `until` it is interrupted when that is there."""
    leader, follower = pty.openpty()
    ioctl(follower, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    kept = {key: os.environ[key] for key in ('PATH', 'UBSAN_OPTIONS', 'HAIRPIND_REPORTS') if key in os.environ}
    child = subprocess.Popen([f'{BUILD}/hairpinctl', '--socket', SOCKET, *words], stdin=follower, stdout=follower, stderr=follower,
                             env=dict(kept, ASAN_OPTIONS='detect_leaks=0', TZ='UTC', **variables))
    os.close(follower)
    out = b''
    while True:
        try:
            out += os.read(leader, 65536)
        except OSError:
            break
        if until and until in out:
            child.send_signal(signal.SIGINT)
            until = None
    os.close(leader)
    status = child.wait(20)
    text = re.sub(r'\d\d:\d\d:\d\d (?=(\033\[31m)?hairpind is gone)', 'HH:MM:SS ', out.decode().replace('\r\n', '\n'))
    return status, re.sub(r'\033\[(\d+)m', lambda match: MARKS[match[1]], text)


def bare(text):
    return re.sub('|'.join(MARKS.values()), '', text)


def look(name, words, until=None):
    """On three terminals: nothing but colours moves the cursor, no line is too wide, and colours change no letter."""
    shown = {}
    for view, (columns, variables) in VIEWS.items():
        status, text = on_terminal(words, columns, variables, until)
        assert not re.search(r'[\x00-\x09\x0b-\x1f\x7f-\x9f]', text), text
        wide = [line for line in bare(text).splitlines() if len(line) > columns and not re.match(WHOLE.get(name, r'hairpinctl: '), line)]
        assert not wide, wide
        shown[view] = (status, text)
    (status, coloured), (_, plain), (_, dumb) = shown.values()
    same((bare(coloured), bare(plain), bare(dumb)), (plain, plain, dumb), name)
    return f'$ hairpinctl {" ".join(words)}    (exit {status})\n--- 80 columns\n{coloured}--- 40 columns, without colours\n{dumb}'


def compare(name, make):
    """The text of make() is that of the file. A second may pass between the answer and the look at the clock."""
    path = f'{GOLDEN}/{name}.txt'
    for number in range(8):
        Daemon.patient = number > 3
        text = make()
        Daemon.patient = False
        if os.environ.get('GOLDEN') == 'write':
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text)
        with open(path, encoding='utf-8') as file:
            wanted = file.read()
        if text == wanted:
            return
    raise AssertionError(f'{path} differs:\n' + ''.join(difflib.unified_diff(wanted.splitlines(True), text.splitlines(True), 'kept', 'shown')))


def check(name, words, *answers, until=None):
    with Daemon(*answers):
        compare(name, lambda: look(name, words, until))


def status_states():
    """status: well, waiting, attention, paused, a hook that failed, several WANs, nothing to do"""
    for name in ('well', 'waiting', 'disabled', 'private', 'publisher', 'paused', 'hooks', 'wans', 'idle', 'names', 'source', 'hostile'):
        check(f'status-{name}', [], ('status', canned(f'status-{name}')))


def records(count, others):
    """A status of so many records; the others are not current."""
    status = canned('status-well')
    one = status['records'][0]
    status['records'] = [dict(one, hostname=f'h{i}.example.org') for i in range(count)]
    for i in range(others):
        status['records'][(7 * i) % count].update(state='stale', attempts=3, next_try='2026-01-01T12:04:00Z', published='81.2.69.1',
                                                  reason='the provider has a problem of its own (911)')
    return status


def status_many():
    """status of a thousand records: on a terminal those that need somebody, to a pipe all of them"""
    check('status-many', ['status'], ('status', records(1000, 2)))
    with Daemon(('status', records(1000, 200))):
        _, text = on_terminal(['status'], *VIEWS['80 columns, NO_COLOR'])
        assert '800 more current, 152 more not current' in text and len(text.splitlines()) < 170, text
        done = subprocess.run([f'{BUILD}/hairpinctl', '--socket', SOCKET], stdout=subprocess.PIPE, text=True, timeout=20)
        same((done.returncode, done.stdout.count('.example.org ')), (0, 1000))


def rules_and_plan():
    """rules, plan and sync"""
    check('rules', ['rules'], ('rules', canned('rules-some')))
    check('rules-two-wans', ['rules'], ('rules', canned('rules-two-wans')))
    check('rules-none', ['rules'], ('rules', canned('rules-none')))
    check('plan', ['plan'], ('plan', canned('plan-some')))
    nothing = {'schema': 1, 'address': None, 'pending': 0, 'in_step': 12, 'rules': [], 'records': []}
    check('plan-nothing', ['plan'], ('plan', nothing))
    check('sync', ['sync'], ('sync', {'tagged': 12, 'changed': 3, 'unchanged': 8, 'skipped': 1, 'commit_us': 310}))


def steering():
    """update, pause, resume, log, reload, version, and what is refused"""
    check('update', ['update', '--force', 'home.example.org'], ('update', {'records': 2}))
    check('resume', ['resume'], ('resume', {'resumed': True}))
    check('log', ['log', 'debug'], ('log', {'level': 'debug', 'until': None}))
    check('reload', ['reload'], ('reload', {'reloaded': True, 'problems': ''}))
    check('version', ['version'], ('version', {'version': '0.1.0'}))
    problems = '/etc/hairpind/hairpind.json:3:14: error: there is no option "tokn"; did you mean "token"?\n  { "tokn": "x" }\n    ^\n'
    check('reload-mistakes', ['reload'], ('reload', {'error': 'the configuration has mistakes; the old one stays', 'problems': problems}))
    check('sync-paused', ['sync'], ('sync', {'error': 'paused until 2027-01-01T00:00:00Z; "hairpinctl resume" ends it'}))


def watching():
    """watch: a line for each event, none of them wrapped, and a daemon that goes"""
    events = [('hello', {'version': '0.1.0', 'generation': 7}),
              ('link', {'wan': 'fibre', 'interface': 'ppp0', 'up': False}),
              ('lost', {'wan': 'fibre', 'interface': 'ppp0', 'family': 'ipv4', 'old': '81.2.69.7', 'new': None, 'rules': 0, 'commit_us': 0}),
              ('address', {'wan': 'fibre', 'interface': 'ppp0', 'family': 'ipv4', 'old': '81.2.69.7', 'new': '81.2.69.9', 'rules': 12,
                           'commit_us': 310, 'generation': 8}),
              ('state', {'wan': 'fibre', 'hostname': 'home.example.org', 'family': 'ipv4', 'provider': 'cf-home', 'from': 'current',
                         'to': 'stale', 'reason': None}),
              ('record', {'wan': 'fibre', 'hostname': 'home.example.org', 'family': 'ipv4', 'provider': 'cf-home', 'old': '81.2.69.7',
                          'new': '81.2.69.9', 'message': None}),
              ('failed', {'wan': 'fibre', 'hostname': 'nas.example.org', 'family': 'ipv6', 'provider': 'dyn', 'old': None,
                          'new': '2a01:4f8::7', 'message': 'badauth: username or password is wrong'}),
              ('rules', {'wan': 'fibre', 'rules': 2, 'commit_us': 97, 'reason': 'ruleset changed'}),
              ('rules', {'wan': None, 'rules': 0, 'commit_us': 0, 'reason': 'not in step', 'error': 'the kernel refuses: Operation not permitted'}),
              ('hook', {'name': '10-ntfy', 'for': 'address', 'result': 'exit 22'}),
              ('publisher', {'state': 'failed', 'reason': 'it was killed by signal 9'}),
              ('reload', {'error': 'the configuration has mistakes'}), ('reload', {}),
              ('pause', {'until': '2026-01-01T12:30:00Z'}), ('resume', {}), ('log', {'level': 'debug'}), ('lagged', {'lost': 17})]
    lines = [json.dumps({'event': name, 'time': f'2026-01-01T12:00:{i:02}Z', **members}) for i, (name, members) in enumerate(events)]
    answers = (('watch', ('\n'.join(lines) + '\n').encode()), ('status', canned('status-well')))

    check('watch', ['watch'], *answers, until=b'is gone')


def files():
    """hook list and test, providers: what lies in files"""
    os.makedirs(HOOKS, exist_ok=True)
    os.chmod(HOOKS, 0o755)
    for name, mode in (('10-ntfy', 0o755), ('20-unbound', 0o755), ('30-wireguard-endpoint', 0o777), ('40-off', 0o644)):
        with open(f'{HOOKS}/{name}', 'w') as file:
            file.write('#!/bin/sh\n')
        os.chmod(f'{HOOKS}/{name}', mode)
    with open(f'{PLACE}/hairpind.json', 'w') as file:
        json.dump({'hooks': {'directory': HOOKS}}, file)
    compare('hook-list-alone', lambda: look('hook-list-alone', ['-c', f'{PLACE}/hairpind.json', 'hook', 'list']))
    hooks = [{'name': name, 'last_run': '2026-01-01T11:57:00Z', 'event': 'address', 'result': result, 'reason': None, 'runs': 12,
              'failures': failures} for name, result, failures in (('10-ntfy', 'ok', 0), ('20-unbound', 'exit 3', 2))]
    check('hook-list', ['hook', 'list'], ('hooks', {'directory': HOOKS, 'reason': None, 'hooks': hooks}))
    check('hook-test', ['hook', 'test', '10-ntfy'], ('hook', canned('hook-test')))
    compare('provider', lambda: look('provider', ['providers', 'duckdns']))
    look('providers', ['providers'])


def imported():
    """import: what another program's file holds moves no cursor"""
    with open(f'{PLACE}/ddclient.conf', 'wb') as file:
        file.write(b'protocol=dyndns2, login=a\xc2\x9b31m\xe2\x80\xae\x1b[2J\xff, password=p h.example.org\n')
    status, text = on_terminal(['import', 'ddclient', f'{PLACE}/ddclient.conf'], *VIEWS['80 columns'])
    same(status, 0, text)
    assert r'"a\u009b31m\u202e\u001b[2J' in text, text
    assert not re.search(r'[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]', text), text


def metrics():
    """metrics: as they are, whatever the terminal"""
    text = '# HELP hairpind_up Is 1.\n# TYPE hairpind_up gauge\nhairpind_up{version="0.1.0"} 1\n'
    check('metrics', ['metrics'], ('metrics', {'text': text}))


def kernel():
    """tag and doctor, of the kernel of this namespace"""
    subprocess.run(['nft', '-f', '-'], input='flush ruleset\n' + RULES, text=True, check=True)

    def tag():
        listed = subprocess.run(['nft', '-a', 'list', 'ruleset'], stdout=subprocess.PIPE, text=True, check=True).stdout
        handle = re.search(r'comment "[^"]*" # handle (\d+)', listed)[1]
        with open(f'{PLACE}/hairpind.json', 'w') as file:
            file.write('{}')
        words = ['-c', f'{PLACE}/hairpind.json', 'tag', 'ip', 'nat', 'prerouting', handle]
        fresh = on_terminal(words, *VIEWS['80 columns'])
        again = on_terminal(words, *VIEWS['80 columns'])
        subprocess.run(['nft', '-f', '-'], input='flush ruleset\n' + RULES, text=True, check=True)
        return ''.join(f'{text}(exit {status})\n' for status, text in (fresh, again)).replace(f' {handle}', ' HANDLE')
    compare('tag', tag)
    text = look('doctor', ['-c', f'{PLACE}/hairpind.json', 'doctor', '--passive'])
    assert re.search(r'--- 80 columns\n<red>\d+ findings?</>|--- 80 columns\n<red>\d+ finding', text), text


def refusals():
    """Nobody answers, wrong words: a sentence, what to do, and the exit status"""
    def make():
        shown = ''
        for words in ([], ['sync'], ['watch'], ['plan', '--address', 'x'], ['statsu'], ['status', 'now'], ['pause'], ['pause', 'soon'],
                      ['log', 'loud'], ['update', 'a..b'], ['hook', 'tset'], ['sync', '--force'], ['providers', 'duckdsn'],
                      ['import', 'dclient', 'x'], ['import', 'ddclient', '/nowhere'], ['tag', 'ip', 'nat'],
                      ['tag', 'ipx', 'nat', 'pre', '1'], ['tag', 'ip', 'nat', 'pre', '999'], ['doctor', '--probe', 'http'], ['version'],
                      ['hook', 'test', '10-ntfy'], ['metrics']):
            status, text = on_terminal(words, *VIEWS['80 columns'])
            shown += f'$ hairpinctl {" ".join(words)}    (exit {status})\n{text}\n'
        return shown
    compare('refusals', make)


os.makedirs(PLACE, exist_ok=True)
run_tests([status_states, status_many, rules_and_plan, steering, watching, files, imported, metrics, kernel, refusals])
