# SPDX-License-Identifier: GPL-2.0-or-later
"""What is looked after following each test is found where it is broken: the guard itself, beside a daemon that only looks
like one."""

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import guard  # noqa: E402
from lab import PASSWORD, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

FOLDER, SOCKET, HOOK = '/run/lab', '/run/hairpind/control.sock', 'HAIRPIN_EVENT=address setsid sleep 1234'
SUPERVISOR = '''
import subprocess, sys
while True:
	core = subprocess.Popen(['hairpind: core', '-c', sys.argv[1]], executable='/bin/sh')
	print('core: left with status', core.wait(), flush=True)
'''
CORE = f'''
while read word rest; do
	case $word in
	say) echo "$rest" ;;
	leak) exec 4</dev/null 5</dev/null 6</dev/null ;;
	grow) x=0123456789abcdef; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do x=$x$x; done ;;
	spin) echo ready; while :; do :; done ;;
	child) sleep 1234 & ;;
	secret) sh -c 'sleep 1234; :' "$rest" & ;;
	environment) X="$rest" {HOOK} & ;;
	zombie) sleep 0.2 & echo ready; exec sleep 1234 ;;
	lost) ({HOOK} &) ;;
	die) exit 3 ;;
	esac
	echo ready
done
'''
GOOD = {'wans': [{'name': 'wan', 'ipv4': {'address': '81.2.69.7'}, 'ipv6': None, 'rules': {'tagged': 3, 'in_step': 2, 'skipped': 1}}],
        'records': [{'hostname': 'home', 'state': 'current', 'published': '81.2.69.7', 'wanted': '81.2.69.7'}]}
lab = None


class Fake:
    """What the guard knows of a laboratory."""
    folder, build = FOLDER, 'build'

    def __init__(self):
        self.log_path = f'{FOLDER}/daemon.log'
        self.guard, self.daemon, self.says = guard.Guard(self), None, GOOD
        self.configure(PASSWORD)
        self.listener = socket.create_server(SOCKET, family=socket.AF_UNIX)
        threading.Thread(target=self.serve, daemon=True).start()

    def configure(self, secret):
        with open(f'{FOLDER}/password', 'w') as file:
            file.write(secret + '\n')
        with open(guard.CONFIGURATION, 'w') as file:
            json.dump({'providers': [{'type': 'dyndns2', 'password': {'file': f'{FOLDER}/password'}}],
                       'state': {'directory': f'{FOLDER}/state'}}, file)

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            with client:
                client.recv(4096)
                client.sendall(json.dumps(self.says).encode())

    def start(self):
        self.says = GOOD
        with open(self.log_path, 'w') as log:
            self.daemon = subprocess.Popen([sys.executable, '-c', SUPERVISOR, CORE], stdin=subprocess.PIPE, text=True,
                                           stdout=log, stderr=log)
        wait_for('a core', 5, lambda: b'core' in self.roles())
        self.guard.started()

    def roles(self):
        return [process.role.encode() for process in guard.tree(self.daemon.pid, guard.everybody()).values()]

    def order(self, text, answer='ready'):
        """What the core is to do; waits until it has."""
        size = os.path.getsize(self.log_path)

        def done():
            with open(self.log_path) as log:
                log.seek(size)
                return answer in log.read()
        self.daemon.stdin.write(text + '\n')
        self.daemon.stdin.flush()
        wait_for(f'the core does {text}', 5, done)

    def stop(self):
        """As Lab.end(): the core goes when nobody can order it any more."""
        family = self.guard.ends()
        everyone = guard.tree(self.daemon.pid, guard.everybody())
        self.daemon.kill()
        self.daemon.wait()
        for pid in everyone:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.daemon.stdin.close()
        self.daemon = None
        self.guard.ended(family)


def kill_strays():
    for pid, process in guard.everybody().items():
        if b'sleep' in process.arguments:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def problems():
    """What the guard finds now; "" for nothing."""
    try:
        lab.guard.check()
    except AssertionError as problem:
        return str(problem)
    return ''


def found(word, *orders):
    """A test: after these orders the guard finds that, and only when they were given."""
    def test():
        lab.start()
        same(problems(), '')
        for order in orders:
            lab.order(order)
        text = problems()
        lab.guard.resume()
        lab.stop()
        kill_strays()
        lab.guard.resume()
        assert word in text, f'found {text!r}, not {word!r}'
    test.__doc__, test.__name__ = f'{" and ".join(orders).split(" ")[0]}: {word}', orders[0].split()[0]
    return test


def declared():
    """A death that was announced is none; the next one is"""
    lab.start()
    same(problems(), '')
    lab.guard.expects(dies='core')
    lab.order('die', 'left with status')
    wait_for('the next core', 5, lambda: b'core' in lab.roles())
    same(problems(), '')
    lab.order('die', 'left with status')
    text = problems()
    lab.guard.resume()
    lab.stop()
    assert 'left with status 3' in text and 'died' in text, text


def gone():
    """A daemon that is gone; one that leaves something behind"""
    lab.start()
    lab.daemon.kill()
    lab.daemon.wait()
    text = problems()
    lab.guard.resume()
    assert 'the daemon is gone' in text, text
    core = next(pid for pid, process in guard.everybody().items() if process.role == 'core')
    lab.guard.ended({core})
    text = problems()
    os.kill(core, signal.SIGKILL)
    lab.guard.resume()
    lab.daemon.stdin.close()
    lab.daemon = None
    assert 'outlived the daemon' in text and 'left behind' in text, text


def out_of_step():
    """Rules that are not in step, a record that is not what it says"""
    for path, value in ((('wans', 0, 'rules', 'in_step'), 1), (('records', 0, 'published'), '81.2.69.1')):
        lab.start()
        lab.says = json.loads(json.dumps(GOOD))
        place = lab.says
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        text = problems()
        lab.guard.resume()
        lab.stop()
        assert 'in step' in text or 'is current at 81.2.69.1' in text, text


def secrets():
    """A secret in each guise: in the log, in the state, in what a hook got, in an answer, in what hairpinctl prints"""
    account = base64.b64encode(f'me:{PASSWORD}'.encode()).decode()
    shapes = [PASSWORD, account, base64.b64encode(PASSWORD.encode()).decode(), urllib.parse.quote(PASSWORD, safe=''),
              urllib.parse.quote_plus(PASSWORD), json.dumps({'a': PASSWORD}), f'"{PASSWORD[:8]}..."',
              base64.urlsafe_b64encode(b'key=' + PASSWORD.encode()).decode(), PASSWORD.encode().hex()]
    for shape in shapes:
        lab.guard.saw('hairpinctl', f'said {shape} and more')
        assert 'a secret in hairpinctl' in problems(), shape
    lab.guard.saw('hairpinctl', 'said Horse and me:hidden, SG9yc2U=')
    same(problems(), '')
    for path in (lab.log_path, f'{FOLDER}/state/state.json', f'{FOLDER}/hooks.got'):
        with open(path, 'a') as file:
            file.write(f'\nit is {shapes[1]}\n')
        assert f'a secret in {path}' in problems(), path
        os.truncate(path, 0)
    lab.start()
    lab.says = dict(GOOD, reason=f'asked https://me:{shapes[3]}@dyn.example.net/')
    text = problems()
    lab.guard.resume()
    lab.stop()
    assert 'a secret in the answer to status' in text, text


def another_secret():
    """One that was written later is known as well"""
    lab.says = GOOD
    lab.configure('another-one!')
    lab.guard.saw('hairpinctl', 'b64 ' + base64.b64encode(b'x:another-one!').decode())
    same(problems(), '')
    lab.guard.saw('hairpinctl', 'b64 ' + base64.b64encode(b'x:another-one!').decode())
    assert 'a secret' in problems()


guard.SETTLE_S, guard.LOOKS_A_S = 0.4, 20
os.makedirs(f'{FOLDER}/state', exist_ok=True)
for folder in (os.path.dirname(SOCKET), os.path.dirname(guard.CONFIGURATION)):
    os.makedirs(folder, exist_ok=True)
lab = Fake()
run_tests([
    found('a sanitizer reports', 'say ==1==ERROR: AddressSanitizer: heap-use-after-free'),
    found('a sanitizer reports', 'say core.c:1:2: runtime error: signed integer overflow'),
    found('publisher: left with status 1', 'say publisher: left with status 1'),
    found('descriptors', 'leak'),
    found('RssAnon', 'grow'),
    found('does not rest', 'spin'),
    found('a stray child', 'child'),
    found('a zombie', 'zombie'),
    found('is left behind', 'lost'),
    found('the arguments of sh', f'secret {PASSWORD[:10]}'),
    found('the environment of sleep', f'environment {PASSWORD}'),
    declared, gone, out_of_step, secrets, another_secret])
