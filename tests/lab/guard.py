# SPDX-License-Identifier: GPL-2.0-or-later
"""What holds after every test of the whole daemon, without a word in the test.

The processes that should live are alive and the same, none has said a sanitizer's report, nothing is left behind (children,
zombies, descriptors, memory), none is busy, the rules are in step, and no secret stands in a log, in the state, in an
argument list, in an environment, in what a hook got, or in what hairpinctl is told. A laboratory has one (`lab.guard`); a
test that ends a process on purpose says so before: `lab.guard.expects(dies='core')`.
"""

import contextlib
import functools
import json
import os
import re
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.dirname(HERE))
import tap  # noqa: E402
from hidden import Secrets  # noqa: E402

CONFIGURATION = '/etc/hairpind/hairpind.json'
REPORT = re.compile(rb'Sanitizer|runtime error:')
DEATH = re.compile(rb'(core|publisher): (?:ended by signal|left with status|says what it must not|did not leave)[^\n]*')
SETTLE_S, WINDOW_S = 6, 0.05
LOOKS_A_S = 5		# at least, so that a slow machine has more time
BUSY_SHARE, BUSY_SWITCHES = 0.3, 20	# of a window, for a process that rests
PUBLISHER_DESCRIPTORS, GROWN_KIB = 64, 512
LATER = 2		# the core's socket for connections, opened when needed, and what was under way at the start


def read(path, limit=8 << 20):
    """A file's bytes, b'' where it is gone."""
    try:
        with open(path, 'rb') as file:
            return file.read(limit)
    except OSError:
        return b''


class Process:
    """One of /proc, as it is now; what does not change is read once."""

    def __init__(self, pid):
        self.pid = pid
        stat = read(f'/proc/{pid}/stat').rpartition(b')')
        self.name = stat[0].partition(b'(')[2].decode(errors='replace')
        fields = stat[2].split()
        self.state, self.parent = (fields[0].decode(), int(fields[1])) if len(fields) > 1 else ('', 0)

    @functools.cached_property
    def arguments(self):
        return read(f'/proc/{self.pid}/cmdline')

    @functools.cached_property
    def environment(self):
        return read(f'/proc/{self.pid}/environ')

    @functools.cached_property
    def is_hook(self):
        """Or the command of an address source."""
        return any(word.startswith((b'HAIRPIN_EVENT=', b'HAIRPIN_WAN=')) for word in self.environment.split(b'\0'))

    @functools.cached_property
    def role(self):
        program = os.path.basename(self.arguments.split(b'\0')[0])
        if program == b'hairpin-publish':
            return 'publisher'
        if program == b'hairpind: core' or self.name == 'hairpind: core':  # hairpind without arguments has room for no title
            return 'core'
        return 'hook' if self.is_hook else 'child'

    def descriptors(self):
        with contextlib.suppress(OSError):
            return len(os.listdir(f'/proc/{self.pid}/fd'))
        return 0

    def status(self, name):
        found = re.search(rb'^' + name.encode() + rb':\s+(\d+)', read(f'/proc/{self.pid}/status'), re.M)
        return int(found[1]) if found else 0

    def work(self):
        """(seconds on a processor or waiting for one, how often it lay down)"""
        times = read(f'/proc/{self.pid}/schedstat').split()
        return sum(int(time) for time in times[:2]) / 1e9, self.status('voluntary_ctxt_switches')


def everybody():
    """{pid: Process} of this laboratory's processes; namespaces see no others."""
    found = (Process(int(name)) for name in os.listdir('/proc') if name.isdigit())
    return {process.pid: process for process in found if process.state}


def tree(pid, everyone):
    """Its descendants and itself, by pid."""
    found = {pid: everyone[pid]} if pid in everyone else {}
    grown = True
    while grown:
        more = {process.pid: process for process in everyone.values() if process.parent in found and process.pid not in found}
        found.update(more)
        grown = bool(more)
    return found


class Guard:
    """Of the daemon that lab.daemon is. A test with a daemon of its own gives what stands in for a laboratory: folder,
    build, log_path, daemon; and its configuration's path."""

    def __init__(self, lab, configuration=CONFIGURATION):
        self.lab, self.path = lab, configuration
        self.secrets = Secrets()
        self.logs = {}		# path -> bytes looked through
        self.found = []		# what a start or an end showed, told after the test
        self.plain = 'asan' not in lab.build
        self.forget()
        self.settle()

    # --- what a test says

    def expects(self, dies=(), descriptors=0, strays=False, kib=0, out_of_step=False):
        """Of this test function alone: who dies on purpose ('supervisor', 'core', 'publisher'), and what may grow."""
        self.mortal |= {dies} if isinstance(dies, str) else set(dies)
        self.more_descriptors += descriptors
        self.more_kib += kib
        self.strays |= strays
        self.out_of_step |= out_of_step

    def forget(self):
        """A test is over: what it said holds no longer."""
        self.mortal, self.more_descriptors, self.more_kib = set(), 0, 0
        self.strays = self.out_of_step = False

    def resume(self):
        """A test has failed: the next one begins with what is there now."""
        self.found = []
        list(self.new_log_texts())
        self.forget()
        self.settle()
        if self.lab.daemon and self.lab.daemon.poll() is None:
            self.note_baselines(tree(self.lab.daemon.pid, everybody()))

    def settle(self):
        """Another life of the daemon: other processes, other baselines."""
        self.core = None
        self.least = {}			# pid -> its fewest descriptors
        self.kib = {}			# pid -> RssAnon when first at rest

    # --- when it is looked

    def started(self):
        self.settle()
        self.logs.setdefault(self.lab.log_path, 0)
        self.secrets.learn(self.path)
        if self.lab.daemon.poll() is None:
            self.note_baselines(tree(self.lab.daemon.pid, everybody()))

    def ends(self):
        """The daemon is about to be ended: the last look at it. Gives what has to be gone then."""
        if self.lab.daemon.poll() is not None and 'supervisor' not in self.mortal:
            self.found.append(f'the daemon left by itself, with {self.lab.daemon.returncode}')
        family = tree(self.lab.daemon.pid, everybody())
        self.found += [] if self.mortal else self.core_problems(family)
        self.found += [f'a secret in {where}' for where in self.secrets_of(family)]
        return set(family) - {self.lab.daemon.pid}

    def ended(self, family):
        """Nothing of it is left."""
        self.found += self.wait(lambda: [f'{process.name} {pid} outlived the daemon: {process.arguments!r}'
                                         for pid, process in everybody().items()
                                         if pid in family and process.state != 'Z' and not self.strays])
        self.settle()

    def check(self):
        """After a test function. The first failure is raised, with all that was found."""
        self.secrets.learn(self.path)
        problems = self.found + self.log_problems()
        self.found = []
        if self.lab.daemon:
            problems += self.daemon_problems()
        problems += self.stray_problems()
        problems += [f'a secret in {where}' for where in self.places_with_secrets()]
        self.forget()
        if problems:
            raise AssertionError('after the test: ' + '; '.join(dict.fromkeys(problems)))

    def last(self):
        """The laboratory is left: what its end showed."""
        leave(self)
        problems = self.found + self.log_problems()
        if problems:
            raise AssertionError('at the end: ' + '; '.join(problems))

    def saw(self, where, text):
        """Something that was shown to a user."""
        if self.secrets.shown_in(text.encode()):
            self.found.append(f'a secret in {where}')

    def wait(self, look):
        """What look() still finds when all had time to come to rest."""
        end, looks = time.monotonic() + SETTLE_S, 1
        while (problems := look()) and (time.monotonic() < end or looks < LOOKS_A_S * SETTLE_S):
            looks += 1
            time.sleep(0.02)
        return problems

    # --- logs

    def log_problems(self):
        problems = []
        for path, text in self.new_log_texts():
            if REPORT.search(text):
                start = REPORT.search(text).start()
                problems.append(f'{path}: a sanitizer reports {text[max(0, start - 100):start + 1500].decode(errors="replace")}')
            problems += [f'{path}: {death[0].decode(errors="replace")}' for death in DEATH.finditer(text)
                         if death[1].decode() not in self.mortal]
            shown = self.secrets.shown_in(text)
            if shown:
                problems.append(f'a secret in {path}: {shown[1]!r}')
        return problems

    def new_log_texts(self):
        for path, seen in list(self.logs.items()):
            size = os.path.getsize(path) if os.path.exists(path) else 0
            if size != seen:
                with open(path, 'rb') as file:
                    file.seek(seen if size > seen else 0)
                    yield path, file.read()
                self.logs[path] = size

    # --- the daemon's processes

    def daemon_problems(self):
        if self.lab.daemon.poll() is not None:
            status = self.lab.daemon.returncode
            return [] if 'supervisor' in self.mortal else [f'the daemon is gone, with {status}: {self.last_lines()}']

        def look():
            family = tree(self.lab.daemon.pid, everybody())
            problems = self.core_problems(family) + self.child_problems(family)
            problems += self.descriptor_problems(family) + self.memory_problems(family)
            return problems + self.busy_problems(family) + self.step_problems()

        problems = self.wait(look)
        self.note_baselines(tree(self.lab.daemon.pid, everybody()))
        return problems

    def last_lines(self):
        return read(self.lab.log_path)[-600:].decode(errors='replace')

    def core_problems(self, family):
        core = next((pid for pid, process in family.items() if process.role == 'core' and process.state != 'Z'), None)
        if not self.core or core == self.core:
            return []
        if not core:
            return ['there is no core']
        return [] if 'core' in self.mortal or 'supervisor' in self.mortal else [f'the core {self.core} died; it is {core} now']

    def child_problems(self, family):
        problems, roles = [], {}
        for pid, process in family.items():
            role = 'supervisor' if pid == self.lab.daemon.pid else process.role
            if process.state == 'Z':
                problems.append(f'a zombie: {process.name} {pid} of {process.parent}')
            elif role == 'child':
                problems.append(f'a stray child: {pid} {process.arguments!r}')
            elif role != 'hook':
                roles.setdefault(role, []).append(pid)
        return problems + [f'{len(pids)} processes are {role}' for role, pids in roles.items() if len(pids) > 1]

    def descriptor_problems(self, family):
        """The core has one more to the publisher, the supervisor some to a hook."""
        roles = [process.role for process in family.values()]
        problems = []
        for pid, process in family.items():
            role = 'supervisor' if pid == self.lab.daemon.pid else process.role
            if role == 'publisher':
                most = PUBLISHER_DESCRIPTORS
            elif role == 'core':
                most = self.least.get(pid, 1000) + LATER + ('publisher' in roles)
            elif role == 'supervisor' and 'hook' not in roles:
                most = self.least.get(pid, 1000)
            else:
                continue
            if process.descriptors() > most + self.more_descriptors:
                problems.append(f'{role}: {process.descriptors()} descriptors, at most {most} were to be')
        return problems

    def memory_problems(self, family):
        """A sanitizer keeps what was freed, so of the plain programs only."""
        if not self.plain:
            return []
        return [f'{process.name} {pid}: RssAnon {process.status("RssAnon")} KiB, {self.kib[pid]} at the start'
                for pid, process in family.items() if pid in self.kib
                and process.status('RssAnon') > self.kib[pid] + GROWN_KIB + self.more_kib]

    def note_baselines(self, family):
        publisher = any(process.role == 'publisher' for process in family.values())
        for pid, process in family.items():
            role = 'supervisor' if pid == self.lab.daemon.pid else process.role
            if role not in ('supervisor', 'core'):
                continue
            if role == 'core':
                self.core = pid
            count = process.descriptors() - (publisher and role == 'core')
            self.least[pid] = min(self.least.get(pid, count), count) + self.more_descriptors
            self.kib.setdefault(pid, process.status('RssAnon'))
            self.kib[pid] += self.more_kib

    def busy_problems(self, family):
        """Who works all through a window, or would with a processor."""
        before, began = {pid: process.work() for pid, process in family.items()}, time.monotonic()
        time.sleep(WINDOW_S)
        window, problems = time.monotonic() - began, []
        for pid, process in family.items():
            ran, switches = (now - then for now, then in zip(process.work(), before[pid]))
            if Process(pid).state == 'R' or ran > BUSY_SHARE * window or switches > BUSY_SWITCHES * window / WINDOW_S:
                problems.append(f'{process.name} {pid} does not rest: {ran:.3f} s and {switches} switches in {window:.3f} s')
        return problems

    def step_problems(self):
        """The right state: each tagged thing holds the address or was left alone; what is current holds what is wanted."""
        status = self.ask('status')
        if not status or self.out_of_step or status.get('paused_until'):
            return []
        problems = [f'{wan["name"]}: {rules["tagged"]} tagged, {rules["in_step"]} in step, {rules["skipped"]} left alone'
                    for wan in status['wans'] for rules in [wan['rules']]
                    if (wan['ipv4'] or wan['ipv6']) and rules['tagged'] != rules['in_step'] + rules['skipped']]
        return problems + [f'{record["hostname"]} is current at {record["published"]}, wanted {record["wanted"]}'
                           for record in status['records']
                           if record['state'] == 'current' and record['published'] != record['wanted']]

    def stray_problems(self):
        """Neither a process of ours nor a hook's child lives outside the daemon."""
        def look():
            everyone = everybody()
            ours = tree(self.lab.daemon.pid, everyone) if self.lab.daemon else {}
            return [f'{process.name} {pid} is left behind: {process.arguments!r}' for pid, process in everyone.items()
                    if pid not in ours and process.state != 'Z' and (
                        process.role in ('core', 'publisher') and self.is_lost(process, everyone) or process.is_hook)]
        return [] if self.strays else self.wait(look)

    def is_lost(self, process, everyone):
        """A core or publisher whose parent is no supervisor: one of another daemon of the test's own is none of ours."""
        parent = everyone.get(process.parent)
        return not parent or 'hairpin' not in parent.name

    # --- secrets

    def places_with_secrets(self):
        places = dict(self.files())
        for command in ('status', 'plan', 'hooks', 'metrics'):
            places[f'the answer to {command}'] = self.ask(command, raw=True)
        family = tree(self.lab.daemon.pid, everybody()) if self.lab.daemon else {}
        return [where for where, text in places.items() if self.secrets.shown_in(text)] + self.secrets_of(family)

    def secrets_of(self, family):
        return [f'the {what} of {process.name} {pid}' for pid, process in family.items()
                for what, text in (('arguments', process.arguments), ('environment', process.environment))
                if self.secrets.shown_in(text)]

    def files(self):
        """State, metrics, and what hooks got."""
        configuration = self.configuration()
        metrics = (configuration.get('metrics') or {}).get('textfile')
        paths = [f'{self.lab.folder}/hooks.got', *([metrics] if metrics else [])]
        state = (configuration.get('state') or {}).get('directory', '/var/lib/hairpind')
        with contextlib.suppress(OSError):      # there is none, or it is the machine's own, which this user may not list
            paths += [f'{state}/{name}' for name in os.listdir(state)]
        for path in paths:
            if os.path.isfile(path) and os.path.getsize(path) < 8 << 20:
                yield path, read(path)

    def configuration(self):
        with contextlib.suppress(ValueError):
            found = json.loads(read(self.path) or b'{}')
            return found if isinstance(found, dict) else {}
        return {}

    def ask(self, command, raw=False):
        """What the daemon tells hairpinctl; nothing where it does not answer."""
        text = b''
        path = (self.configuration().get('control') or {}).get('socket', '/run/hairpind/control.sock')
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(path)
            client.sendall(json.dumps({'command': command}).encode() + b'\n')
            while piece := client.recv(1 << 16):
                text += piece
        if raw:
            return text
        try:
            return json.loads(text)
        except ValueError:
            return None


def watch(guard):
    tap.after_each.append(guard)


def leave(guard):
    if guard in tap.after_each:
        tap.after_each.remove(guard)
