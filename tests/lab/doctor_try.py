# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays the routers of the laboratory, several at a time, and says of each what was not as it should be.

A healthy one: packets arrive from everywhere, doctor finds nothing. A broken one: packets arrive, the fault comes, real
packets show it, doctor names it and nothing else, the remedies that it prints are given to sh where it says,
packets arrive again, and doctor finds nothing.
"""

import contextlib
import ctypes
import json
import multiprocessing
import os
import queue
import subprocess
import traceback

from doctor_story import Do, Ends, File, Wrong, question
import guard
from doctor_world import PUBLIC, PUBLIC6, World
from lab import TOP, run, wait_for
from tap import Skip, run_tests, same

BUILD = os.path.join(TOP, os.environ.get('HAIRPIN_BUILD', 'build/asan'))
WORKERS = 4
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS='detect_leaks=0', UBSAN_OPTIONS='print_stacktrace=1',
                   PATH=f'{BUILD}:/usr/sbin:/sbin:/usr/bin:/bin', LC_ALL='C')
CONFIG = '/etc/hairpind/hairpind.json'

# Where clients are, and what the report calls those who answer. Nobody: it may be that the router refused.
LINKS = {'inet': None, 'lan': 'br0', 'guest': 'br1'}
REACHES = {'nobody': ('no', 'router'), 'router': ('router',), 'box': ('elsewhere', 'no'), 'stranger': ('elsewhere',)}
REACHES.update(dict.fromkeys(('server', 'dmz', 'guest', 'container'), ('yes',)))


class Trial:
    """One router, in a world of its own."""

    def __init__(self, router, world):
        self.router, self.world = router, world
        self.here = {}			# the files, as they are now
        self.daemon, self.seen = None, {}
        self.folder, self.build, self.log_path = '/run', BUILD, '/run/hairpind.log'
        self.guard = guard.Guard(self)

    # --- making it

    def prepare(self):
        router = self.router
        for do in router.setup:
            self.sh(do.ns, do.command)
        self.write(dict(router.files))
        if router.config:
            self.write({CONFIG: json.dumps(router.config)})
        self.load([])

    def load(self, wrong):
        """The rules; after the first time in place of those that are there."""
        texts = {kind: getattr(self.router, kind) for kind in ('rules', 'iptables', 'legacy')}
        for fault in wrong:
            assert any(fault.old in text for text in texts.values()), f'no rule has {fault.old!r}'
            texts = {kind: text.replace(fault.old, fault.new) for kind, text in texts.items()}
        run('nft', '-f', '-', ns='router', input='flush ruleset\n' + texts['rules'])
        if texts['iptables']:
            run('iptables-nft-restore', ns='router', input=texts['iptables'])
        if texts['legacy']:
            run('iptables-legacy-restore', ns='router', input=texts['legacy'])

    def write(self, files):
        for path, text in files.items():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
                file.write(text)
            if text.startswith('#!/bin/sh'):
                os.chmod(path, 0o755)
            self.here[path] = text

    def start_daemon(self):
        os.makedirs('/run/hairpind', exist_ok=True)
        with open('/run/hairpind.log', 'wb') as log:
            self.daemon = subprocess.Popen(['nsenter', '--net=/run/netns/router', 'hairpind'], stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log, env=ENVIRONMENT)
        try:
            wait_for('the daemon knows the address', 10, self.daemon_knows)
        except TimeoutError as problem:
            with open('/run/hairpind.log') as log:
                raise AssertionError(f'{problem}\n{log.read()}') from problem
        self.guard.started()

    def daemon_knows(self):
        assert self.daemon.poll() is None, open('/run/hairpind.log').read()
        status, text, _ = self.hairpinctl('status')
        return status == 0 and all(wan['ipv4'] and wan['rules']['last_sync'] for wan in
                                   json.loads(text)['wans'])

    def end(self):
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(10)
        run('rm', '-rf', '/run/hairpind')
        for path in self.here:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    # --- the fault, and the way back

    def break_it(self):
        wrong = [fault for fault in self.router.faults if isinstance(fault, Wrong)]
        if wrong:
            self.load(wrong)
        for fault in self.router.faults:
            if isinstance(fault, Do):
                self.sh(fault.ns, fault.command)
            elif isinstance(fault, Ends):
                self.world.stop(fault.ns, fault.protocol, fault.port)
            elif isinstance(fault, File):
                assert fault.old in self.here[fault.path]
                self.write({fault.path: self.here[fault.path].replace(fault.old, fault.new)})

    def undo(self):
        """What only somebody else can mend. Rules are loaded anew where no remedy can know how they were meant."""
        for fault in self.router.faults:
            if isinstance(fault, Ends):
                self.world.serve(fault.ns, [(fault.protocol, (fault.port,))])
            elif isinstance(fault, Do) and fault.back:
                self.sh(fault.ns, fault.back)
        if self.router.elsewhere and any(isinstance(fault, Wrong) for fault in self.router.faults):
            self.load([])

    # --- what is seen

    def sh(self, ns, command):
        done = subprocess.run(['nsenter', f'--net=/run/netns/{ns}', 'sh', '-c', command], env=ENVIRONMENT, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        assert done.returncode == 0, f'{command}: exit {done.returncode}: {done.stdout}'

    def see(self, when, differently=()):
        """Real packets are answered by whom they should be; `differently`: question -> who else."""
        wanted = self.wanted()
        assert set(differently) <= set(wanted), f'not asked: {set(differently) - set(wanted)}'
        wanted.update(differently)
        wrong = {text: who for text, who in self.ask(wanted).items() if who != wanted[text]}
        assert not wrong, f'{when}: ' + '; '.join(f'{text}: {who}, not {wanted[text]}' for text, who in wrong.items())

    def wanted(self):
        return {text.partition(' = ')[0]: question(text)[4] for text in self.router.asks + self.router.guards}

    def look(self):
        """Who answers, where nobody knows who should. Silence has to be met twice."""
        met = self.ask(dict.fromkeys(self.wanted(), 'nobody'))
        met.update(self.ask({text: 'nobody' for text, who in met.items() if who == 'nobody'}))
        return met

    def ask(self, wanted):
        """{question: whom to expect} -> {question: who answered}"""
        asked = [question(text)[:4] + (who,) for text, who in wanted.items()]
        met = dict(zip(wanted, self.world.ask(asked)))
        self.seen.update({text: who for text, who in met.items() if question(text)[3] in (PUBLIC, PUBLIC6)})
        return met

    def hairpinctl(self, *words):
        done = subprocess.run(['nsenter', '--net=/run/netns/router', 'hairpinctl', '--json', *words], env=ENVIRONMENT,
                              text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def doctor(self, when, codes):
        """Its findings; they have exactly these codes."""
        status, text, complaint = self.hairpinctl('doctor')
        assert status in (0, 1) and text, f'{when}: exit {status}: {complaint}'
        report = json.loads(text)
        found = [check for check in report['checks'] if check['verdict'] == 'finding']
        got = sorted(check['code'] for check in found)
        assert got == sorted(codes), f'{when}: doctor found {got}, not {sorted(codes)}\n' + told(report)
        same(status, 1 if codes else 0, f'{when}: exit status')
        same((report['verdict'], report['findings']), ('findings' if codes else 'healthy', len(codes)), when)
        self.compare(when, report)
        return found

    def compare(self, when, report, unsure=False):
        """What the report says of each forward is what real packets met a moment ago. `unsure`: it may not know, or
        not call something a forward."""
        for text, who in self.seen.items():
            client, protocol = question(text)[:2]
            reaches = [reach_of(forward, client) for forward in forwards_of(report, text)]
            if client not in LINKS or text in self.router.untold or unsure and not reaches:
                continue
            fits = REACHES[who] + (('unknown',) if unsure or self.router.findings else ())
            if unsure:		# another host than the rule's; a host that UDP cannot be asked of
                fits += ('elsewhere',) if who in ('server', 'nobody') else ()
                fits += ('yes',) if (who, protocol) == ('nobody', 'udp') else ()
            if not any(reach in fits for reach in reaches):
                raise AssertionError(f'{when}: {text} met {who}, the report has {reaches}\n' + told(report))

    def mend(self, findings):
        for check in findings:
            remedy = check['remedy']
            assert remedy and remedy['text'], f'no remedy for {check["code"]}'
            if remedy['place'] == 'elsewhere':
                continue
            assert self.router.elsewhere or remedy['commands'], f'no commands against {check["code"]}'
            for command in remedy['commands']:
                try:
                    self.sh(remedy['place'], command)
                except AssertionError as problem:
                    raise AssertionError(f'the remedy for {check["code"]}: {problem}') from problem


def forwards_of(report, text):
    """Those that the question was to."""
    _, protocol, port, address, _ = question(text)
    return [forward for forward in report['forwards'] if forward['protocol'] == protocol and
            (':' in forward['to']) == (':' in address) and forward['port'] <= port <= forward['port_last']]


def reach_of(forward, client):
    if client == 'inet':
        return forward['internet']
    return next((network['reach'] for network in forward['networks'] if network['interface'] == LINKS.get(client)), None)


def told(report):
    lines = []
    for check in report['checks']:
        lines.append(f'{check["verdict"]} {check["code"]} ({check["subject"]}): {check["text"]}')
        if check['verdict'] in ('finding', 'unknown'):
            lines += [f'    {line}' for line in check['evidence']]
            lines += [f'    # {line}' for line in (check['remedy'] or {}).get('commands', ())]
    for forward in report['forwards']:
        lines.append(f'forward {forward["protocol"]} {forward["port"]} to {forward["to"]}: internet '
                     f'{forward["internet"]}; ' + ', '.join(f'{network["network"]} {network["reach"]}'
                                                          for network in forward['networks']))
    return '\n'.join(lines)


def play(router, play_in):
    for what in router.needs:
        if what == 'legacy' and not has_legacy():
            raise Skip('this kernel has no legacy iptables')
        if what == 'br_netfilter' and not os.path.exists('/proc/sys/net/bridge/bridge-nf-call-iptables'):
            raise Skip('this kernel has no br_netfilter')
    with World(router.parts, router.address) as world:
        trial = Trial(router, world)
        try:
            play_in(router, trial)
            if trial.daemon:
                trial.guard.check()
        except AssertionError as problem:
            raise AssertionError(f'{problem}\n{router.tale}\n' + run('nft', '-a', 'list', 'ruleset', ns='router')
                                 ) from problem
        finally:
            trial.end()


def play_known(router, trial):
    trial.prepare()
    if router.daemon:
        trial.start_daemon()
    if not router.born:
        trial.see('as it was')
    alone = os.environ.get('DOCTOR') == 'no'		# packets and nothing else
    if not router.findings:
        if not alone:
            trial.doctor('healthy', [])
        return
    trial.break_it()
    trial.see('broken', router.broken)
    assert bool(router.broken) != router.quiet, 'a fault that nobody sees'
    if alone:
        return
    findings = trial.doctor('broken', router.findings)
    trial.mend(findings)
    trial.undo()
    for do in router.follows:
        trial.sh(do.ns, do.command)
    if router.lasting:
        return
    trial.see('mended')
    trial.doctor('mended', [])


def has_legacy():
    with contextlib.suppress(FileNotFoundError):
        return subprocess.run(['unshare', '-n', 'iptables-legacy', '-t', 'nat', '-S'], capture_output=True).returncode == 0
    return False


# --- many at a time

def work(routers, how, results, asked):
    """A worker has folders of its own, so that names of namespaces and files do not meet."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000) != 0:		# CLONE_NEWNS
        raise OSError(ctypes.get_errno(), 'unshare')
    run('mount', '--make-rprivate', '/')
    run('mount', '-t', 'tmpfs', 'none', '/run')
    os.makedirs('/run/netns')
    os.makedirs('/run/etc')
    run('cp', '-a', '/etc/.', '/run/etc', check=False)
    run('mount', '--bind', '/run/etc', '/etc')
    if not os.access('/root', os.W_OK):		# remedies keep copies there
        run('mount', '-t', 'tmpfs', 'none', '/root')
    for path in ('/etc/nftables.conf', '/etc/nftables.d', '/etc/hairpind'):
        run('rm', '-rf', path)
    while True:
        with asked.get_lock():
            index, asked.value = asked.value, asked.value + 1
        if index >= len(routers):
            return
        try:
            play(routers[index], how)
            results.put((index, None, ''))
        except Skip as why:
            results.put((index, Skip, str(why)))
        except Exception as problem:
            known = isinstance(problem, AssertionError)
            results.put((index, AssertionError, str(problem) if known else traceback.format_exc()))


class Results:
    """What came of the routers, in any order."""

    def __init__(self, routers, how):
        self.routers, self.known = routers, {}
        make = multiprocessing.get_context('fork')
        asked, self.queue = make.Value('i', 0), make.Queue()
        self.workers = [make.Process(target=work, args=(routers, how, self.queue, asked), daemon=True)
                        for _ in range(min(WORKERS, len(routers)))]
        for worker in self.workers:
            worker.start()

    def of(self, index):
        while index not in self.known:
            try:
                number, kind, text = self.queue.get(timeout=1)
                self.known[number] = (kind, text)
            except queue.Empty:
                assert any(worker.is_alive() for worker in self.workers), 'the workers have ended'
        return self.known[index]


def test_of(results, index, router):
    def test():
        kind, text = results.of(index)
        if kind:
            raise kind(text)
    test.__doc__ = router.name
    test.__name__ = ''.join(letter if letter.isalnum() else '_' for letter in router.name)
    return test


def try_all(routers, how=play_known):
    """TAP, one line for each router. TEST_ONLY=word plays only those with the word in their name."""
    only = os.environ.get('TEST_ONLY', '')
    routers = [router for router in routers
               if only in ''.join(letter if letter.isalnum() else '_' for letter in router.name)]
    results = Results(routers, how)
    run_tests([test_of(results, index, router) for index, router in enumerate(routers)])
