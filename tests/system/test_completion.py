# SPDX-License-Identifier: GPL-2.0-or-later
"""What the shells offer after a key: our words, the daemon's names, the kernel's rules; and nothing of them is run."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import wait_for  # noqa: E402
from tap import Skip, run_tests, same  # noqa: E402

BUILD = os.path.abspath(os.environ.get('HAIRPIN_BUILD', 'build/asan'))
SCRIPTS = os.path.abspath('packaging/completion')
ENVIRONMENT = dict(os.environ, PATH=f'{BUILD}:{os.environ["PATH"]}', ASAN_OPTIONS='detect_leaks=0', HOME='/run/completion', TERM='dumb')

RULES = '''
table ip nat {
	chain pre {
		type nat hook prerouting priority -100
		tcp dport 80 dnat to 192.168.1.2
		tcp dport 81 accept
	}
}
table ip other { }
table inet fw { }
'''

# Answers with names of records or hooks, one of which a shell must not run.
DAEMON = '''
import json, os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + '.new')
listener.listen(4)
os.rename(sys.argv[1] + '.new', sys.argv[1])
while True:
    client, _ = listener.accept()
    hooks = b'hooks' in client.recv(4096)
    names = ['10-ntfy', '$(touch /run/completion/x)'] if hooks else ['home.example.org', 'nas.example.org', '`touch /run/completion/x`']
    answer = {'hooks': [{'name': name} for name in names]} if hooks else {'records': [{'hostname': name} for name in names]}
    client.sendall(json.dumps(answer).encode() + b'\\n')
    client.close()
'''


def bash(*words):
    script = f'source {SCRIPTS}/hairpinctl.bash; COMP_WORDS=(hairpinctl "$@"); COMP_CWORD=$#; _hairpinctl; ' \
             'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(['bash', '--norc', '-c', script, 'bash', *words], env=ENVIRONMENT, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=90)
    same(done.stderr, '')
    return done.stdout.split()


def fish(line):
    if not shutil.which('fish'):
        raise Skip('fish is not installed')
    done = subprocess.run(['fish', '--no-config', '-c', f'source {SCRIPTS}/hairpinctl.fish; complete -C "{line}"'], env=ENVIRONMENT,
                          stdout=subprocess.PIPE, text=True, timeout=90)
    return [word.split('\t')[0] for word in done.stdout.splitlines()]


def zsh(line, wanted):
    """Types the line and a tab into a zsh on a terminal of its own."""
    if not shutil.which('zsh'):
        raise Skip('zsh is not installed')
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe('zsh', ['zsh', '-f', '-i'], ENVIRONMENT)
    os.write(terminal, f'PS1=; fpath=({SCRIPTS} $fpath); autoload -U compinit; compinit -u -D; echo ready\n'.encode())
    seen = b''
    typed = False
    until = time.monotonic() + 90
    while time.monotonic() < until and not re.search(wanted, seen):
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                seen += os.read(terminal, 4096)
            except OSError:
                break
        if not typed and re.search(rb'\nready', seen):
            typed = True
            seen = b''
            os.write(terminal, line.encode() + b'\t')
    os.write(terminal, b'\x03exit\n')
    os.close(terminal)
    os.waitpid(child, 0)
    assert re.search(wanted, seen), seen


def words():
    """Each command that --help lists is offered, and the other way round."""
    text = subprocess.run([f'{BUILD}/hairpinctl', '--help'], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, timeout=90).stdout
    listed = set(re.findall(r'^  (?:hook list \| )?([a-z]+)\b', text, re.M))
    listed |= {'resume'}        # stands behind pause
    same(set(bash('')), listed)
    same(bash('doc'), ['doctor'])
    same(bash('log', ''), ['debug', 'err', 'info', 'notice', 'warning'])
    same(set(bash('doctor', '--')), {'--json', '--socket', '--config', '--address', '--probe', '--interface', '--passive'})
    same(bash('doctor', '--interface', 'l'), ['lo'])
    same(bash('providers', 'duckd'), ['duckdns'])
    same(bash('import', 'ddclient', 'Makef'), ['Makefile'])
    same(bash('pause', '10m', ''), [])


def kernel():
    subprocess.run(['nft', '-f', '-'], input=RULES, text=True, check=True)
    same(bash('tag', 'ip', ''), ['nat', 'other'])
    same(bash('tag', 'ip', 'nat', ''), ['pre'])
    handle = re.search(r'dnat to \S+ # handle (\d+)', subprocess.run(
        ['nft', '-a', 'list', 'ruleset'], stdout=subprocess.PIPE, text=True, check=True).stdout).group(1)
    same(bash('tag', 'ip', 'nat', 'pre', ''), [handle])
    same(bash('tag', 'ip', 'nat', 'pre', handle, ''), ['hairpin'])


def daemon():
    path = '/run/completion/socket'
    child = subprocess.Popen([sys.executable, '-c', DAEMON, path])
    try:
        wait_for('it listens', 20, lambda: os.path.exists(path))
        same(bash('--socket', path, 'update', ''), ['home.example.org', 'nas.example.org'])
        same(bash('--socket', path, 'update', 'home.example.org', 'n'), ['nas.example.org'])
        same(bash('--socket', path, 'hook', 'test', ''), ['10-ntfy'])
        same(bash('--socket', path, 'hook', 'test', '10-ntfy', 'a'), ['address'])
        assert not os.path.exists('/run/completion/x')
    finally:
        child.kill()
        child.wait()


def other_shells():
    same(fish('hairpinctl provid'), ['providers'])
    assert 'warning' in fish('hairpinctl log '), 'fish'
    assert 'Makefile' in ' '.join(fish('hairpinctl import inadyn Makef')), 'fish'


def zsh_too():
    zsh('hairpinctl provid', rb'provid\x07?ers ')


os.makedirs('/run/completion', exist_ok=True)
run_tests([words, kernel, daemon, other_shells, zsh_too])
