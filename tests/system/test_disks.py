# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks and files as they are not to be: full, read-only, open to others, damaged, linked elsewhere, swapped."""

import json
import os
import shutil
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from hours import HOUR, MINUTE, Hours  # noqa: E402
from lab import real_root, run, wait_for  # noqa: E402
from tap import figure, holds, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
STATE, DIRECTORY = '/run/lab/state/state.json', '/run/lab/state'
CONFIG = '/etc/hairpind/hairpind.json'
lab = None


def in_step(address):
    return f'ip daddr {address} tcp' in lab.rules()


def saved():
    with open(STATE) as file:
        return json.load(file)


def saved_address():
    return saved()['wans'][0]['ipv4']['address']


def spoken(before, *words):
    """Lines of the log since then with one of these words."""
    return [line for line in lab.log().splitlines()[before:] if any(word in line for word in words)]


def leftovers():
    return [name for name in os.listdir(DIRECTORY) if name not in ('state.json', 'lock', 'fill')]


def on_small_disk(how):
    """A daemon whose state lies on a tmpfs of 8 KiB; ends it."""
    lab.begin()
    same(lab.stop_daemon(), 0)
    with open(STATE) as file:
        text = file.read()
    run('mount', '-t', 'tmpfs', '-o', 'size=8k,mode=700', 'none', DIRECTORY)
    try:
        with open(STATE, 'w') as file:
            file.write(text)
        os.chmod(STATE, 0o600)
        how()
    finally:
        if lab.daemon:
            lab.stop_daemon()
        run('umount', DIRECTORY)


def full():
    """A full disk: rules and records go on, the old state stays whole, it is saved when there is room again"""
    on_small_disk(run_full)


def run_full():
    lab.start_daemon()
    lab.settle()
    lab.clock.go(minutes=5)
    old, lines, full_since = saved(), lab.lines(), lab.clock.now()
    with open(f'{DIRECTORY}/fill', 'wb', buffering=0) as file:
        try:
            while True:
                file.write(b'x' * 4096)
        except OSError:
            pass
    for _ in range(3):
        lab.change_address()
        lab.settle(1200)
        assert in_step(lab.address)
        lab.clock.go(minutes=14)
        same(saved(), old)
        same(leftovers(), [])
    assert lab.clock.now() - full_since < 58 * MINUTE
    figure('F48', 'warnings of a disk that is full for 1 hours at most', len(spoken(lines, 'not saved')), '== 1')
    holds('F48', 'meanwhile rules and record follow, the old state file is whole, no temporary file is left')
    os.unlink(f'{DIRECTORY}/fill')
    began = lab.clock.now()
    lab.clock.until('saved again', 120, lambda: saved_address() == lab.address)
    figure('F48', 'from room on the disk to the saved state', lab.clock.now() - began, 60, 's')
    figure('P10', 'disk space back', lab.clock.now() - began, 60, 's')
    same(leftovers(), [])


def read_only():
    """A read-only flash: it starts and works, and says so once"""
    on_small_disk(run_read_only)


def run_read_only():
    run('mount', '-o', 'remount,bind,ro', DIRECTORY)
    asked = len(lab.requests())
    lab.start_daemon(log=f'{lab.folder}/read_only.log')
    lab.settle()
    lab.clock.go(minutes=30)
    same(len(lab.requests()), asked)
    lab.change_address()
    lab.settle(1200)
    assert in_step(lab.address)
    figure('F49', 'requests for one change on a read-only disk', len(lab.requests()) - asked, '== 1')
    lab.clock.go(hours=2)
    figure('F49', 'warnings in two and a half hours', len(spoken(0, 'not saved', 'state directory')), '== 1')
    restarts = len(lab.requests())
    for _ in range(3):
        same(lab.stop_daemon(), 0)
        lab.start_daemon(log=f'{lab.folder}/read_only.log')
        lab.settle()
    figure('F49', 'requests after 3 restarts, DNS right', len(lab.requests()) - restarts, '== 0')


# --- state files

def state_files():
    """State files that are none of ours: up at once, set aside, at most one update"""
    lab.begin()
    same(lab.stop_daemon(), 0)
    good = saved()
    wrong = dict(good, wans='none', records=7)
    foreign = dict(good, records=[dict(record, hostname='other.example.net') for record in good['records']])
    empty = dict(good, wans=[dict(wan, ipv4={'address': '', 'since': 1}) for wan in good['wans']])
    began = time.monotonic()
    lab.start_daemon()
    ordinary, most, slowest = time.monotonic() - began, 0, 0
    same(lab.stop_daemon(), 0)
    for name, content in (
            ('empty', b''), ('half', json.dumps(good).encode()[:150]), ('100 MB', 100 << 20), ('a directory', 'directory'),
            ('a FIFO', 'fifo'), ('random bytes', os.urandom(5000)), ('wrong types', wrong), ('another host\'s', foreign),
            ('version 999', dict(good, version=999)), ('empty addresses', empty), ('a link', 'link')):
        put_state(content)
        asked, began = len(lab.requests()), time.monotonic()
        lab.start_daemon(log=f'{lab.folder}/state.log')
        slowest = max(slowest, time.monotonic() - began)
        lab.settle()
        most = max(most, len(lab.requests()) - asked)
        if name != 'another host\'s':
            assert os.path.lexists(f'{STATE}.bad'), name
            same(len([line for line in lab.log().splitlines() if 'state.json' in line and '.bad' in line]), 1, name)
        same(lab.stop_daemon(), 0)
        same(saved_address(), lab.address, name)
        os.unlink(f'{lab.folder}/state.log')
    figure('F15', 'updates after a state file that cannot be used, the most', most, 1)
    figure('F15', 'the slowest start with one, longer than with a good one', max(0.0, slowest - ordinary), 2, 's')
    same(open('/etc/hosts').read(), HOSTS)


def put_state(content):
    for path in (STATE, f'{STATE}.bad'):
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        elif os.path.lexists(path):
            os.unlink(path)
    if content == 'directory':
        os.mkdir(STATE)
    elif content == 'fifo':
        os.mkfifo(STATE, 0o600)
    elif content == 'link':
        os.symlink('/etc/hosts', STATE)
    elif isinstance(content, int):
        with open(STATE, 'wb') as file:
            file.truncate(content)
    else:
        with open(STATE, 'wb') as file:
            file.write(content if isinstance(content, bytes) else json.dumps(content).encode())


def versions():
    """An older and a newer version of the state: no update where DNS is right"""
    lab.begin()
    same(lab.stop_daemon(), 0)
    good, asked = saved(), len(lab.requests())
    older = {key: value for key, value in good.items() if key != 'names'}
    older['wans'] = [{key: value for key, value in wan.items() if key not in ('told', 'prefix', 'outside')}
                     for wan in good['wans']]
    newer = dict(good, version=good['version'] + 1, more=['unheard of'])
    similar = dict(good, more={'unheard': 'of'}, records=[dict(record, more=1) for record in good['records']])
    for name, content in (('older', older), ('newer', newer), ('of the same version with more in it', similar)):
        put_state(content)
        lab.start_daemon()
        lab.settle()
        lab.clock.go(minutes=10)
        same(lab.stop_daemon(), 0, name)
        same(saved()['version'], good['version'])
    figure('F77', 'updates after an upgrade and a downgrade of the state', len(lab.requests()) - asked, '== 0')


def failed_is_not_done():
    """An update that fails is never recorded as done, whatever fails and whenever it is restarted"""
    lab.begin()
    said = 0
    for name, how in (('connect', 'refuse'), ('TLS', 'tls'), ('headers', {'cut': True}), ('body', {'short': True}),
                      ('500', {'status': 500}), ('an unknown answer', {'body': 'hello'})):
        if how == 'tls':
            lab.end(lab.provider)
            os.unlink(f'{lab.folder}/provider.ready')
            for key in ('key', 'pem'):
                shutil.copy(f'{lab.folder}/tls.{key}', f'{lab.folder}/good.{key}')
            run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout',
                f'{lab.folder}/tls.key', '-out', f'{lab.folder}/tls.pem', '-days', '3650', '-subj', '/CN=wrong')
            lab.start_provider()
        elif how == 'refuse':
            lab.cut('tcp dport 443 reject with tcp reset')
        else:
            lab.provider_says(**how)
        lab.change_address()
        lab.clock.go(seconds=20)
        said += published()
        same(lab.stop_daemon(), 0)
        assert not any(record.get('published') == lab.address for record in saved()['records']), name
        lab.start_daemon()
        lab.clock.go(seconds=20)
        said += published()
        if how == 'tls':
            lab.end(lab.provider)
            os.unlink(f'{lab.folder}/provider.ready')
            for key in ('key', 'pem'):
                shutil.move(f'{lab.folder}/good.{key}', f'{lab.folder}/tls.{key}')
            lab.start_provider()
        lab.cut()
        lab.provider_says()
        lab.settle(40 * MINUTE)
        same(lab.dns(), [lab.address], name)
    figure('F17', 'times that an update that had failed was called published', said, '== 0')
    holds('F17', 'the retry followed after each of them')


def published():
    record = lab.record()
    return record['published'] == lab.address or record['state'] == 'current'


# --- rights and links

def rights():
    """A state directory that others may write, or that is none: it runs without memory and says so"""
    for name, make in (('open', lambda: os.chmod(DIRECTORY, 0o777)), ('a file', as_file), ('a dead link', as_link)):
        lab.begin()
        same(lab.stop_daemon(), 0)
        make()
        lab.start_daemon(log=f'{lab.folder}/rights.log')
        lab.settle()
        figure('F50', f'warnings where the state directory is {name}', len(spoken(0, 'state directory')), '== 1')
        same(lab.stop_daemon(), 0)
        os.unlink(f'{lab.folder}/rights.log')
        run('rm', '-rf', DIRECTORY)
    assert not os.path.exists('/run/lab/nowhere')


def as_file():
    run('rm', '-rf', DIRECTORY)
    open(DIRECTORY, 'w').close()


def as_link():
    run('rm', '-rf', DIRECTORY)
    os.symlink('/run/lab/nowhere', DIRECTORY)


def exposed():
    """A configuration that others may write is refused in one line; what they may read is a mistake for --strict"""
    for path, mode, owner, strict, ordinary in (
            (CONFIG, 0o600, 0, 0, 0), (CONFIG, 0o640, 0, 0, 0), (CONFIG, 0o644, 0, 2, 0), (CONFIG, 0o666, 0, 2, 2),
            (CONFIG, 0o660, 0, 2, 2), (CONFIG, 0o600, 1234, 2, 2), (PASSWORD, 0o644, 0, 2, 0), (PASSWORD, 0o666, 0, 2, 2),
            (PASSWORD, 0o600, 1234, 2, 2), (PASSWORD, 'fifo', 0, 2, 2), (PASSWORD, 'link', 0, 2, 2),
            (PASSWORD, '/dev/zero', 0, 2, 2), (CONFIG, 'fifo', 0, 2, 2), (CONFIG, 'link', 0, 2, 2),
            ('/etc/hairpind', 0o777, 0, 2, 2), ('/etc/hairpind', 0o1777, 0, 0, 0), (CONFIG, 'hard link', 0, 2, 2)):
        if (owner or mode == 'hard link') and not real_root():
            continue
        literal = lab.configuration()
        if path == CONFIG:
            literal['providers'][0]['password'] = 'literal'
        lab.write_configuration(literal)
        before = os.stat('/etc/hairpind').st_mode & 0o7777
        expose(path, mode, owner)
        same((check('--strict'), check()), (strict, ordinary), f'{path} {mode if isinstance(mode, str) else oct(mode)} {owner}')
        os.chmod('/etc/hairpind', before)
        for name in (CONFIG, PASSWORD):
            os.unlink(name)
    lab.write_configuration()
    holds('S7', 'what others may write is refused with one clear line, FIFOs, links and devices too; 0600 and 0640 are accepted')


PASSWORD = '/etc/hairpind/password'


def expose(path, mode, owner):
    if mode == 'fifo':
        os.unlink(path)
        os.mkfifo(path, 0o600)
    elif mode == 'hard link':       # in a directory of everybody's, to a file of somebody else's
        os.chown(path, 1234, 0)
        os.rename(path, '/etc/hairpind/elsewhere')
        os.link('/etc/hairpind/elsewhere', path)
        os.chmod('/etc/hairpind', 0o1777)
    elif mode == 'link':
        os.rename(path, '/etc/hairpind/elsewhere')
        os.symlink('elsewhere', path)
    elif isinstance(mode, str):
        os.unlink(path)
        os.symlink(mode, path)
    else:
        os.chmod(path, mode)
        os.chown(path, owner, 0)


def check(*more):
    """The exit status of --check; where it refuses, one line of complaint, and never the secret."""
    done = subprocess.run([f'{lab.build}/hairpind', '--check', *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=20, env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    assert 'literal' not in done.stdout.replace('literal secret', ''), done.stdout
    same(done.stdout.count(' error: '), int(done.returncode == 2), done.stdout)
    return done.returncode


def swapped():
    """The configuration becomes a link, its secret a FIFO, while it is read: only what was opened is looked at"""
    lab.begin()
    lab.write_configuration()
    bad = 0
    for turn in range(40):
        path = (CONFIG, PASSWORD)[turn % 2]
        os.rename(path, f'{path}.good')
        child = None
        try:
            os.link(f'{path}.good', path)
            child = subprocess.Popen([f'{lab.build}/hairpind', '--check'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     text=True, env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
            time.sleep(turn * 0.002)
            if turn % 4 < 2:
                os.symlink('/etc/shadow', f'{path}.swap')
            else:
                os.mkfifo(f'{path}.swap', 0o600)
            os.rename(f'{path}.swap', path)
            out, _ = child.communicate(timeout=20)
            bad += child.returncode not in (0, 2) or 'root:' in out
        finally:
            os.rename(f'{path}.good', path)
    figure('S36', 'swaps of 40 that were followed, waited for or died of', bad, '== 0')


HOSTS = open('/etc/hosts').read()


def links():
    """Links planted at every path the daemon writes: their targets keep their content"""
    with open('/proc/sys/fs/protected_symlinks') as file:
        print(f'# fs.protected_symlinks={file.read().strip()}; the directories are not sticky, so it protects nothing here')
    lab.begin(lab.config(metrics={'textfile': '/run/lab/metrics/hairpind.prom'}))
    same(lab.stop_daemon(), 0)
    os.makedirs('/run/lab/metrics', exist_ok=True)
    victim = '/run/lab/victim'
    for plant in (os.symlink, os.link):
        with open(victim, 'w') as file:
            file.write('precious\n')
        for place in (STATE, f'{STATE}.bad', f'{DIRECTORY}/.state.json.new', f'{DIRECTORY}/lock',
                      '/run/lab/metrics/hairpind.prom', '/run/lab/metrics/.hairpind.prom.new', '/run/hairpind/control.sock'):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if os.path.lexists(place):
                os.unlink(place)
            plant(victim, place)
        lab.start_daemon(wait=False, log=f'{lab.folder}/links.log')
        wait_for('rules', 10, lambda: in_step(lab.address))
        lab.clock.go(seconds=30)
        lab.change_address()
        wait_for('rules again', 10, lambda: in_step(lab.address))
        lab.clock.go(seconds=30)
        same(lab.stop_daemon(), 0)
        with open(victim) as file:
            same(file.read(), 'precious\n', plant.__name__)
        same(os.stat(victim).st_mode & 0o777, 0o644)
        same((os.stat(victim).st_uid, os.stat(victim).st_gid), (0, 0))
        assert spoken(0, 'control', 'socket'), lab.log()
        shutil.rmtree(DIRECTORY)
        shutil.rmtree('/run/lab/metrics')
        os.makedirs('/run/lab/metrics')
        for place in ('/run/hairpind/control.sock', victim, f'{lab.folder}/links.log'):
            if os.path.lexists(place):
                os.unlink(place)
    holds('S11', 'what links at state, temporary, set-aside, lock, metrics and socket lead to keeps its content and rights')


def main():
    global lab
    with Hours(build=BUILD) as lab:
        run_tests([full, read_only, state_files, versions, failed_is_not_done, rights, exposed, swapped, links])


main()
