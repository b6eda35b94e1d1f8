# SPDX-License-Identifier: GPL-2.0-or-later
"""The control socket in the hands of somebody who means harm: who may do what, and that whoever holds, floods or never reads
costs the others nothing. On the plain build, for its memory is measured."""

import array
import contextlib
import ctypes
import json
import os
import resource
import signal
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import guard  # noqa: E402
from lab import real_root, wait_for  # noqa: E402
from tap import Skip, figure, holds, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build')
SOCKET, FOLDER = '/run/hairpind/control.sock', '/run/abuse'
READERS, ADMINS, STRANGER = 4242, 4243, 4244
CLONE_NEWUSER, PR_SET_DUMPABLE = 0x10000000, 4
HOSTNAMES = 1000
SLOW_S, LATE_PERCENT = 0.1, 1       # answers within; how many of them may be late
daemon = None


class Place:
    """What the guard knows of a laboratory."""
    folder, build, log_path, daemon = FOLDER, BUILD, f'{FOLDER}/log', None


place = Place()
place.guard = guard.Guard(place, f'{FOLDER}/hairpind.json')


def connect(path=SOCKET, seconds=5):
    """As hairpinctl does: where the queue is full it waits for a place."""
    client = socket.socket(socket.AF_UNIX)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('@ll', seconds, 0))
    client.connect(path)
    client.settimeout(seconds)
    return client


def read_all(client):
    answer = b''
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(1 << 16):
            answer += piece
    return answer


def ask(request):
    """The answer as an object; {} where the connection was cut."""
    with connect() as client:
        with contextlib.suppress(OSError):
            client.sendall(json.dumps(request).encode() + b'\n')
        answer = read_all(client)
    return json.loads(answer) if answer else {}


def seconds_of(command):
    began = time.monotonic()
    answer = ask({'command': command})
    assert answer and 'error' not in answer, answer
    return time.monotonic() - began


def start_daemon():
    global daemon
    os.makedirs(f'{FOLDER}/state', exist_ok=True)
    with open('/etc/group', 'a') as groups:
        groups.write(f'ctlread:x:{READERS}:\nctladmin:x:{ADMINS}:\n')
    names = [f'n{i}.{"x" * 60}.{"y" * 60}.example.org' for i in range(HOSTNAMES)]
    config = {'wans': [{'interface': 'wan9'}],
              'providers': [{'type': 'dyndns2', 'server': 'dyn.example.net', 'username': 'me', 'password': 'x', 'hostnames': names}],
              'control': {'socket': SOCKET, 'group': 'ctlread', 'admin_group': 'ctladmin'},
              'state': {'directory': f'{FOLDER}/state'}, 'log': {'level': 'err'}}
    with open(f'{FOLDER}/hairpind.json', 'w') as file:
        json.dump(config, file)
    os.chmod(f'{FOLDER}/hairpind.json', 0o600)
    log = open(f'{FOLDER}/log', 'ab')
    daemon = subprocess.Popen([f'{BUILD}/hairpind', '-c', f'{FOLDER}/hairpind.json'], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    wait_for('the daemon answers', 20, lambda: os.path.exists(SOCKET) and 'version' in ask({'command': 'version'}))
    place.daemon = daemon
    place.guard.started()
    guard.watch(place.guard)


def core():
    with open(f'/proc/{daemon.pid}/task/{daemon.pid}/children') as children:
        return int(children.read().split()[0])


def memory_kib():
    with open(f'/proc/{core()}/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('RssAnon'))


def descriptors():
    return len(os.listdir(f'/proc/{core()}/fd'))


def waited_s(*paths):
    """How long these have waited for a processor so far: a busy machine is not our doing."""
    total = 0
    for path in paths:
        with open(f'{path}/schedstat') as file:
            total += int(file.read().split()[1]) / 1e9
    return total


class Harm:
    """Meanwhile others are answered, soon and always, and memory is bounded."""

    def __init__(self, what, entry='S9'):
        self.what, self.entry = what, entry

    def __enter__(self):
        place.guard.expects(kib=2048)		# as below
        self.late = self.cut = self.asked = 0
        self.most_kib, self.before_kib, self.descriptors, self.over = 0, memory_kib(), descriptors(), False
        self.thread = threading.Thread(target=self.probe)
        self.thread.start()
        return self

    def probe(self):
        involved = f'/proc/{core()}', '/proc/thread-self'
        while not self.over:
            waited, began = waited_s(*involved), time.monotonic()
            self.cut += 'version' not in ask({'command': 'version'})
            took = time.monotonic() - began
            self.late += took - (waited_s(*involved) - waited) > SLOW_S
            self.asked += 1
            self.most_kib = max(self.most_kib, memory_kib())
            time.sleep(0.005)

    def __exit__(self, kind, *_):
        self.over = True
        self.thread.join()
        if kind:
            return
        print(f'# {self.asked} others asked, {self.late} were answered late; at most {self.most_kib} KiB', flush=True)
        figure(self.entry, f'{self.what}: others that were cut off', self.cut, 0)
        figure(self.entry, f'{self.what}: others answered after 100 ms, percent, a single one aside',
               100 * max(0, self.late - 1) / self.asked, LATE_PERCENT)
        # 16 answers of a mebibyte each is what may wait, and what they are made of.
        figure(self.entry, f'{self.what}: KiB of memory beyond rest, at most', self.most_kib - self.before_kib, 24 * 1024)
        wait_for('descriptors are closed', 5, lambda: descriptors() <= self.descriptors)
        figure(self.entry, f'{self.what}: KiB of memory that stay', max(0, memory_kib() - self.before_kib), 2048)


def as_user(uid, groups, what, userns=False):
    """what() in a process of that user; what it gives, as JSON. `userns`: and uid 0 of a user namespace of its own."""
    inside, outside = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(inside)
            os.setgroups(groups)
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            if userns:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.unshare(CLONE_NEWUSER) != 0:
                    os.write(outside, b'"no user namespace"')
                    os._exit(0)
                libc.prctl(PR_SET_DUMPABLE, 1)
                with open('/proc/self/uid_map', 'w') as file:
                    file.write(f'0 {uid} 1')
                assert os.getuid() == 0
            os.write(outside, json.dumps(what()).encode())
        except Exception as problem:    # told to whoever waits
            os.write(outside, json.dumps(f'{type(problem).__name__}: {problem}').encode())
        finally:
            os._exit(0)
    os.close(outside)
    with open(inside, 'rb') as file:
        got = file.read()
    os.waitpid(child, 0)
    return json.loads(got)


def what_it_may():
    """Which commands are done, which are refused."""
    answers = {}
    for request in ({'command': 'status'}, {'command': 'version'}, {'command': 'rules'}, {'command': 'plan'}, {'command': 'hooks'},
                    {'command': 'metrics'}, {'command': 'sync'}, {'command': 'update', 'force': True}, {'command': 'reload'},
                    {'command': 'pause', 'seconds': 1}, {'command': 'resume'}, {'command': 'log', 'level': 'err'},
                    {'command': 'hook', 'name': '10-x'}):
        error = ask(request).get('error', '')
        answers[request['command']] = 'refused' if 'you may' in error else 'heard'
    return answers


READING = ('status', 'version', 'rules', 'plan', 'hooks', 'metrics')


def rights():
    """Reading for the group, changing for root and admin_group; nobody else connects; uid 0 of another namespace is nobody"""
    mode = os.stat(SOCKET)
    same((oct(mode.st_mode & 0o777), mode.st_uid, mode.st_gid), ('0o660', 0, READERS))
    same(set(what_it_may().values()), {'heard'})
    outside = as_user(STRANGER, [], what_it_may)
    assert 'PermissionError' in outside, outside
    reader = as_user(STRANGER, [READERS], what_it_may)
    same({command for command, got in reader.items() if got == 'heard'}, set(READING))
    same(set(as_user(STRANGER, [READERS, ADMINS], what_it_may).values()), {'heard'})
    for groups, wanted in (([], None), ([READERS], reader)):
        got = as_user(STRANGER, groups, what_it_may, userns=True)
        if got == 'no user namespace':
            raise Skip('user namespaces are off for users')
        same(got if wanted else 'PermissionError' in got, wanted or True)
    same(ask({'command': 'status'})['paused_until'], None)
    holds('S8', 'refused: who is not in the group, and root of another user namespace; readers change nothing')


def crowd(what, said, entry='S9'):
    """what() as a reader that is not root, while root asks too."""
    with Harm(said, entry):
        got = as_user(STRANGER, [READERS], what)
        assert got is None, got


def held():
    """1,000 connections held open, with half a request each"""
    def hold():
        resource.setrlimit(resource.RLIMIT_NOFILE, (2048, 2048))
        clients = []
        for _ in range(1000):
            clients.append(connect())
            with contextlib.suppress(OSError):
                clients[-1].send(b'{"comm')
        time.sleep(0.5)
    crowd(hold, '1,000 connections held open')


def lines():
    """100 MB without an end, NULs, a byte at a time: at most 4 KiB are taken"""
    def say():
        taken = []
        for piece in (b'x' * (1 << 20), b'\0' * (1 << 20)):
            client, sent = connect(), 0
            with contextlib.suppress(ConnectionError):
                while sent < 100 << 20:
                    sent += client.send(piece)
            taken.append(sent)
            answer = read_all(client)
            assert not answer or b'4096 bytes' in answer or b'no JSON' in answer, answer[:200]
        assert max(taken) < 1 << 20, taken
        client = connect()
        for byte in b'{"command": "version"':
            client.send(bytes([byte]))
            time.sleep(0.01)
        client.send(b'}\n')
        assert b'version' in read_all(client)
    crowd(say, '100 MB without an end, NULs, a byte at a time')


def commands():
    """A million commands on one connection, one is answered; 10,000 connections with one each"""
    def command():
        client = connect()
        with contextlib.suppress(ConnectionError):
            client.sendall(b'{"command": "version"}\n' * 1000000)
        assert read_all(client).count(b'\n') <= 1
        for _ in range(10000):
            with connect() as client, contextlib.suppress(ConnectionError):
                client.send(b'{"command": "version"}\n')
                client.recv(100)
    crowd(command, 'a million commands, 10,000 connections')


def deaf():
    """Readers that never read while the status is big, and that watch and never read"""
    same(len(json.dumps(ask({'command': 'status'}))) > 300000, True)

    def ask_and_wait():
        clients = []
        for request in [b'{"command": "status"}\n'] * 24 + [b'{"command": "watch"}\n'] * 12:
            clients.append(connect())
            with contextlib.suppress(ConnectionError):
                clients[-1].send(request)
        time.sleep(1)

    def shout():
        for _ in range(1000):
            ask({'command': 'log', 'level': 'warning'})
        ask({'command': 'log', 'level': 'err'})
    shouting = threading.Thread(target=shout)
    shouting.start()
    try:
        crowd(ask_and_wait, 'readers that never read')
    finally:
        shouting.join()


def looks():
    """Looks at a big ruleset, one after the other from each of 14 connections: others have their turn between them"""
    rules = ''.join(f'ip daddr 81.2.69.1 tcp dport {port} dnat to 192.168.1.2 comment "hairpin"\n' for port in range(1, 2001))
    subprocess.run(['nft', '-f', '-'], input=f'table ip big {{ chain nat {{ type nat hook prerouting priority -100\n{rules}}}\n}}\n',
                   text=True, check=True)

    def look():
        took = []
        over = time.monotonic() + 2

        def again():
            while time.monotonic() < over:
                took.append(seconds_of('rules'))
        threads = [threading.Thread(target=again) for _ in range(14)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return round(statistics.median(took), 3)

    def ask_too():
        while not over.is_set():
            others.append(seconds_of('version'))
            time.sleep(0.005)
    others, over = [], threading.Event()
    asking = threading.Thread(target=ask_too)
    asking.start()
    try:
        theirs = as_user(STRANGER, [READERS], look)
    finally:
        over.set()
        asking.join()
        subprocess.run(['nft', 'delete', 'table', 'ip', 'big'], check=True)
    others = statistics.median(others)
    print(f'# a look took {theirs} s, another answer {others:.3f} s', flush=True)
    # Where the machine has other work both take longer. A fair share is one look of fourteen, or two.
    assert others * 3 < theirs, f'{others} s'


def passed():
    """Descriptors that are passed along are closed"""
    def give():
        files = [os.open('/dev/null', os.O_RDONLY) for _ in range(253)]
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', files))]
        for _ in range(100):
            client = connect()
            client.sendmsg([b'{"command": "version"}\n'], rights)
            assert b'version' in read_all(client)
    crowd(give, '253 descriptors a hundred times')


def vanish():
    """Clients that go away in the middle of a request, of an answer, of a wait: no effect"""
    def go():
        for request in (b'{"comm', b'{"command": "status"}\n', b'{"command": "watch"}\n', b'{"command": "sync"}\n', b'') * 200:
            with connect() as client, contextlib.suppress(ConnectionError):
                if request:
                    client.send(request)
                if request.endswith(b'}\n'):
                    client.recv(1)
    crowd(go, '1,000 clients that go away in the middle', 'F72')


def born():
    """The socket is never there with more rights than it shall have"""
    place = f'{FOLDER}/born/control.sock'
    with open(f'{FOLDER}/hairpind.json') as file:
        config = json.load(file)
    config['control']['socket'] = place
    config['state']['directory'] = f'{FOLDER}/born-state'
    os.makedirs(f'{FOLDER}/born-state')
    os.makedirs(f'{FOLDER}/born')
    with open(os.open(f'{FOLDER}/born.json', os.O_WRONLY | os.O_CREAT, 0o600), 'w') as file:
        json.dump(config, file)
    seen = set()
    for _ in range(5):
        other = subprocess.Popen([f'{BUILD}/hairpind', '-c', f'{FOLDER}/born.json'], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            over = time.monotonic() + 10
            while time.monotonic() < over:
                with contextlib.suppress(OSError):
                    mode = os.stat(place)
                    seen.add((mode.st_mode & 0o777, mode.st_uid, mode.st_gid))
                    if mode.st_gid == READERS and not isinstance(open_it(place), OSError):
                        break
        finally:
            other.send_signal(signal.SIGTERM)
            other.wait(30)
    wider = [mode for mode, _, _ in seen if mode & 0o117]
    assert seen, 'it was never seen'
    figure('S8', 'rights beyond 0660 while the socket is made, in 5 starts looked at all the time', len(wider), 0)


def paths():
    """What stands at the socket's path and is not ours stays: file, link, directory, another program's socket"""
    place = f'{FOLDER}/place.sock'
    with open(f'{FOLDER}/hairpind.json') as file:
        config = json.load(file)
    config.update(providers=[], control={'socket': place}, state={'directory': f'{FOLDER}/state2'})
    with open(f'{FOLDER}/other.json', 'w') as file:
        json.dump(config, file)
    config['control']['socket'] = f'{FOLDER}/{"x" * 120}'
    with open(f'{FOLDER}/long.json', 'w') as file:
        json.dump(config, file)
    with open(f'{FOLDER}/log2', 'w'):
        pass
    same(subprocess.run([f'{BUILD}/hairpind', '-n', '-c', f'{FOLDER}/long.json'], stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL).returncode, 2)

    def said(*parts):
        with open(f'{FOLDER}/log2') as log:
            text = log.read()
        return all(part in text for part in parts)

    def run_for(*parts):
        """A daemon until it has said that; its exit status, None: it went on."""
        os.truncate(f'{FOLDER}/log2', 0)
        with open(f'{FOLDER}/log2', 'ab') as log:
            other = subprocess.Popen([f'{BUILD}/hairpind', '-c', f'{FOLDER}/other.json'], stdin=subprocess.DEVNULL, stdout=log,
                                     stderr=log)
        try:
            wait_for(f'it says {parts}', 10, lambda: said(*parts))
            with contextlib.suppress(subprocess.TimeoutExpired):
                return other.wait(30 if 'listens' in parts else 0.1)
        finally:
            other.send_signal(signal.SIGTERM)
            other.wait(30)
        return None

    os.symlink('/etc/passwd', place)
    same(run_for('is no socket', 'left alone'), None)
    same(os.readlink(place), '/etc/passwd')
    os.unlink(place)
    os.mkdir(place)
    same(run_for('is no socket', 'left alone'), None)
    os.rmdir(place)
    with open(place, 'w') as file:
        file.write('precious')
    same(run_for('is no socket', 'left alone'), None)
    same(open(place).read(), 'precious')
    os.unlink(place)
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(place)
        theirs.listen()
        inode = os.stat(place).st_ino
        same(run_for('listens'), 1)
        same(os.stat(place).st_ino, inode)
    # Nobody listens any more: that one is replaced, and ours goes with us.
    config['control']['socket'] = place
    other = subprocess.Popen([f'{BUILD}/hairpind', '-c', f'{FOLDER}/other.json'], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for('ours', 10, lambda: os.path.exists(place) and os.stat(place).st_ino != inode)
    wait_for('it answers', 10, lambda: not isinstance(open_it(place), OSError))
    other.send_signal(signal.SIGTERM)
    same(other.wait(30), 0)
    same(os.path.exists(place), False)
    holds('S10', 'link, file, directory and live socket of others stay as they are; a stale one is replaced, ours goes with us')


def open_it(path):
    try:
        with connect(path) as client:
            client.send(b'{"command": "version"}\n')
            return read_all(client)
    except OSError as problem:
        return problem


def stop():
    """It ends in order"""
    family = place.guard.ends()
    daemon.send_signal(signal.SIGTERM)
    same(daemon.wait(30), 0)
    place.daemon = None
    place.guard.ended(family)


def main():
    if not real_root():
        print('it needs users beside root', file=sys.stderr)
        sys.exit(77)
    os.makedirs(FOLDER, exist_ok=True)
    os.chmod(FOLDER, 0o755)
    start_daemon()
    try:
        run_tests([rights, held, lines, commands, deaf, looks, passed, vanish, born, paths, stop])
    finally:
        if daemon.poll() is None:
            daemon.kill()


main()
