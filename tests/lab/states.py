# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon in states that it meets rarely: a boot where nothing is ready, clients that come all the while, strange names,
many records, and whether it answers and stops in each."""

import contextlib
import json
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time

from hours import Wire
from lab import RULES, inside, run, wait_for
from storm import DELROUTE, NEWLINK, NEWROUTE, Commits, Links, attribute, memory_kib, message, percentile
from storms import A, B, C, SEED
from tap import figure, holds, same


# --- F25: clients

class Clients(threading.Thread):
    """A LAN client that opens connections to the WAN's address: [(from, until, address, good)]."""

    def __init__(self, address, rate):
        super().__init__()
        self.address, self.rate, self.ended, self.seen = address, rate, False, []

    def run(self):
        following = time.monotonic()
        with inside('client'):
            while not self.ended:
                self.seen.append(self.connect(self.address))
                following += 1 / self.rate
                time.sleep(max(0, following - time.monotonic()))

    def connect(self, address):
        with socket.socket() as sock:
            sock.settimeout(5)      # refused is at once; what is late has met a busy machine
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            began = time.monotonic()
            try:
                sock.connect((address, 80))
                good = True
            except OSError:
                good = False
            return began, time.monotonic(), address, good


def clients(lab, changes, gap):
    """F25: a LAN client opens 200 connections a second during changes; none is refused but in the change itself"""
    more = '\n'.join(f'ip daddr {A} tcp dport {port} dnat to 192.168.1.2:80 comment "hairpin {port}"'
                     for port in range(1000, 1048))
    lab.rest(rules=(RULES % {'address': A}).replace('iifname "lo"', f'{more}\niifname "lo"'))
    here, there, quiet, number, needed = A, B, [], 0, 0
    crowd = Clients(A, 200)
    with Commits() as commits:
        crowd.start()
        committed = time.monotonic()
        for _ in range(changes):
            time.sleep(max(gap, 3 * needed))        # mostly it is quiet
            number += commits.count()
            quiet.append((committed, time.monotonic(), here))
            crowd.address = there
            lab.change(here, there)
            committed = commits.next(20)
            assert committed, 'no commit'
            needed = committed - quiet[-1][1]
            here, there = there, here
        time.sleep(gap)
        number += commits.count()
        crowd.ended = True
        crowd.join()
    figure('F25', f'transactions beyond one for each of {changes} changes of 50 rules', number, '== 0')
    between = [good for began, ended, address, good in crowd.seen for start, end, current in quiet
               if start < began and ended < end and address == current]
    assert len(between) > len(crowd.seen) / 2, (len(between), len(crowd.seen))
    figure('F25', f'connections of {len(between)} refused between one commit and the next change', between.count(False),
           '== 0')


# --- F29: boot

def boots(lab, seeds, gap):
    """F29: nothing is ready at boot, each piece comes later in any order"""
    slowest, attempts = 0, 0
    wire = Wire(lab.clock, 'router')
    print(f'# SEED={SEED}', flush=True)
    for seed in range(SEED, SEED + seeds):
        took, tried = boot(lab, wire, random.Random(seed), gap)
        slowest, attempts = max(slowest, took), max(attempts, tried)
    figure('F29', f's from the last piece to rules and record, the slowest of {seeds} orders, {gap} s apart', slowest, 5)
    figure('F29', 'tries to reach DNS or provider before there was a way to them', attempts, 3)


def boot(lab, wire, dice, gap):
    if lab.daemon:
        same(lab.stop_daemon(), 0)
    run('rm', '-rf', '/run/lab/late', '/run/lab/state')
    with contextlib.suppress(RuntimeError):
        lab.remove_wan()
    run('nft', 'flush', 'ruleset', ns='router')
    os.rename('/etc/resolv.conf', '/etc/resolv.conf.away')
    lab.set_dns('45.11.9.9')
    lab.write_configuration(lab.configuration(state={'directory': '/run/lab/late/state'}))
    began = lab.now()
    lab.start_daemon()
    pieces = {'link': ['link', 'address', 'route'], 'resolver': ['resolver'], 'rules': ['rules'], 'state': ['state']}
    queue = [name for name, parts in pieces.items() for _ in parts]
    dice.shuffle(queue)
    do = {'link': lab.make_wan, 'address': lambda: run('ip', 'addr', 'add', f'{A}/24', 'dev', 'wan0', ns='router'),
          'route': lab.default_route, 'resolver': lambda: os.rename('/etc/resolv.conf.away', '/etc/resolv.conf'),
          'rules': lambda: lab.load_rules(C), 'state': lambda: os.makedirs('/run/lab/late')}
    tried, needed = 0, [name for name in queue if name in ('link', 'resolver')]
    for name in queue:
        lab.wait(gap)
        if needed:      # without these no try can succeed; with them the record follows, rules or not
            tried = wire.tries(began)
        needed = needed[name in needed:]
        do[pieces[name].pop(0)]()
    began = lab.now()
    try:
        lab.until('rules and record', 30, lambda: lab.has_rules(A) and lab.dns() == [A])
    except TimeoutError as problem:
        raise AssertionError(f'{queue}: {problem}; {lab.log()[-3000:]}') from problem
    assert lab.daemon.poll() is None, 'it left'
    lab.address = A
    print(f'# {" ".join(queue)}: {lab.now() - began:.1f} s, {tried} tries in vain', flush=True)
    return lab.now() - began, tried


# --- S35: names of interfaces

STRANGE = ('-w', '$(id)', 'abcdefghijklmno', 'w\u00e4n0', "a'b\"c\\", '-rf', '\x1b[31mx', '%s%n%x')


def rename(links, index, name):
    """Not by ip(8), which reads `-w` as an option."""
    body = struct.pack('=BBHiII', 0, 0, 0, index, 0, 0) + attribute(3, name.encode() + b'\0')
    links.send(message(NEWLINK, 0, body))


def renamed(lab, name):
    """wan0 has another name, and the default route; False: the kernel does not want that one."""
    index = lab.links.index['wan0']
    lab.links.send(message(NEWLINK, 0, struct.pack('=BBHiII', 0, 0, 0, index, 0, 1)))
    with contextlib.suppress(OSError):
        rename(lab.links, index, name)
        lab.links.index[name] = index
    lab.links.send(message(NEWLINK, 0, struct.pack('=BBHiII', 0, 0, 0, index, 1, 1)))
    lab.links.send(lab.links.route(NEWROUTE, '0.0.0.0/0', 'wan0'))
    return name in lab.links.index


def is_refused(lab):
    environment = dict(os.environ, ASAN_OPTIONS='detect_leaks=0')
    return subprocess.run([f'{lab.build}/hairpind', '-n'], env=environment, capture_output=True, check=False).returncode == 2


def strange_interface(lab, name, wan):
    """What is not as with another name, in words."""
    lab.rest()
    same(lab.stop_daemon(), 0)
    if not renamed(lab, name):
        print(f'# the kernel refuses {name!r}')
        return []
    lab.write_configuration(lab.configuration(wans=[wan], providers=None))
    wrong = []
    if is_refused(lab):
        print(f'# refused at the start: {name!r}')
        wrong += [] if 'interface' in wan else [f'{name!r}: refused, though nobody named it']
    else:
        lab.start_daemon()
        lab.change(A, B)
        wait_for(f'rules with {name!r}', 5, lambda: lab.has_rules(B))
        # Escaped as in a log: a terminal may show it.
        if lab.status()['wans'][0]['interface'] != name.replace('\\', '\\\\').replace('\x1b', '\\x1b'):
            wrong.append(f'{name!r}: {lab.status()["wans"][0]["interface"]!r} in the status')
        same(lab.stop_daemon(), 0)
    if any(byte < 32 and byte != 10 for byte in lab.log().encode()):
        wrong.append(f'{name!r}: control characters in the log')
    renamed(lab, 'wan0')
    return wrong


def strange_interfaces(lab):
    """S35: interfaces with strange names, named or found by the default route; renamed, and with other names"""
    wrong = [word for name in STRANGE for wan in ({'interface': name, 'grace': '1s'}, {'grace': '1s'})
             for word in strange_interface(lab, name, wan)]
    assert not wrong, wrong
    figure('S35', f'of {len(STRANGE)} strange names those with which something was not as with another', len(wrong), '== 0')
    lab.rest(wans=[{'grace': '1s'}])
    assert renamed(lab, 'w\u00e4n0'), 'the kernel refuses an umlaut'
    lab.change(A, B)
    wait_for('rules after the name changed', 5, lambda: lab.has_rules(B))
    assert lab.status()['wans'][0]['interface'] == 'w\u00e4n0', lab.status()
    holds('S35', 'a WAN that is renamed while the daemon runs is followed')
    renamed(lab, 'wan0')
    lab.rest()
    with Commits() as commits:
        run('ip', 'link', 'property', 'add', 'dev', 'wan0', 'altname', 'a-very-long-other-name', ns='router')
        time.sleep(0.5)
        figure('S35', 'commits because of another name', commits.count(), '== 0')
    figure('S35', 'updates because of another name', lab.updates(), '== 0')


# --- F74: many records

def many_records(lab, strict):
    """F74: 500 records at 20 providers: how long a start takes, and how much memory"""
    if lab.daemon:
        same(lab.stop_daemon(), 0)
    run('rm', '-rf', '/run/lab/state')
    names = [[f'n{at}.p{number}.example.org' for at in range(25)] for number in range(20)]
    lab.write_configuration(lab.configuration(hooks=None, providers=[
        {'type': 'dyndns2', 'name': f'p{number}', 'server': f's{number}.example.net', 'username': 'me',
         'password': {'file': '/etc/hairpind/password'}, 'hostnames': names[number]} for number in range(20)]))
    lab.load_rules(A)
    began = time.monotonic()
    lab.start_daemon()
    wait_for('its records', 20, lambda: len((lab.status() or {'records': []})['records']) == 500)
    took = time.monotonic() - began
    found = lab.processes()
    used = sum(processor_with_children_s(pid) for pid in found.values() if pid)
    figure('F74', 's of processor time until 500 records at 20 providers are known', used, 1)
    if strict:
        figure('F74', 's until then', took, 1)
    figure('F74', 'MiB RSS of the core', memory_kib(found['core']) / 1024, 24)
    figure('F74', 'MiB RSS of the supervisor', memory_kib(found['supervisor']) / 1024, 24)


def processor_with_children_s(pid):
    """Of a process and of its children that have ended: the loader is one."""
    with open(f'/proc/{pid}/stat') as file:
        return sum(map(int, file.read().rpartition(')')[2].split()[11:15])) / os.sysconf('SC_CLK_TCK')


# --- F75: names of records

LABEL = 'a' * 63
GOOD = {f'{LABEL}.example.org': None, f'{LABEL}.{LABEL}.{LABEL}.{"b" * 61}': None, 'xn--mnchen-3ya.example.org': None,
        '_acme.example.org': None, '*.example.org': None, 'home.example.org.': 'home.example.org',
        'HOME.Example.ORG': 'home.example.org'}
BAD = (f'{LABEL}a.example.org', f'{LABEL}.{LABEL}.{LABEL}.{"b" * 62}', 'm\u00fcnchen.example.org', 'a.*.example.org', '',
       'a..example.org', '-a.example.org', 'a b.example.org', 'a\nb.example.org', 'a/b.example.org', 'a%s.example.org',
       '81.2.69.7', 'home', '.')


def hostnames(lab):
    """F75: long, odd and foreign names are taken as they are meant, or refused at the start with the place"""
    wrong = []
    for name in (*GOOD, *BAD):
        path = '/run/lab/names.json'
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
            json.dump({'providers': [{'type': 'dyndns2', 'server': 'x.example.net', 'username': 'me', 'password': 'p',
                                      'hostnames': [name]}]}, file)
        done = subprocess.run([f'{lab.build}/hairpind', '--print-config', '-c', path], capture_output=True, text=True,
                              env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'), check=False)
        if name in GOOD:
            right = done.returncode == 0 and f'["{GOOD[name] or name}"]' in done.stdout
        else:
            right = done.returncode == 2 and f'{path}:1:' in done.stderr
        if not right:
            wrong.append(name)
    assert not wrong, wrong
    figure('F75', f'of {len(GOOD) + len(BAD)} names those that were neither right nor refused', len(wrong), '== 0')


# --- P7, P8: in every state

@contextlib.contextmanager
def at_rest(lab):
    yield


@contextlib.contextmanager
def provider_silent(lab):
    lab.provider_says(silent=True)
    asked = len(lab.requests())
    lab.change(A, B)
    wait_for('it is asked', 20, lambda: len(lab.requests()) > asked)
    yield
    lab.provider_says()


@contextlib.contextmanager
def zone_silent(lab):
    os.kill(lab.knot.pid, signal.SIGSTOP)
    try:
        lab.change(A, B)
        yield
    finally:
        os.kill(lab.knot.pid, signal.SIGCONT)


@contextlib.contextmanager
def all_the_while(act, every_s):
    """It is done again and again by a thread, until the block is left or it fails."""
    ended = threading.Event()

    def work():
        with contextlib.suppress(BrokenPipeError, ValueError):
            while not ended.wait(every_s):
                act()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextlib.contextmanager
def fight(lab):
    other = subprocess.Popen(['nsenter', '--net=/run/netns/router', 'nft', '-i'], stdin=subprocess.PIPE, text=True,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lab.children.append(other)
    other.stdin.write('add table ip t; add chain ip t pre { type nat hook prerouting priority -80; }\n')
    line = f'flush chain ip t pre; add rule ip t pre ip daddr {C} tcp dport 5 dnat to 192.168.1.2 comment "hairpin"\n'

    def set_back():
        other.stdin.write(line)
        other.stdin.flush()

    with all_the_while(set_back, 0.002):
        yield
    other.stdin.close()
    other.wait(20)
    lab.children.remove(other)


@contextlib.contextmanager
def route_storm(lab):
    links = Links()
    bundle = [links.route(kind, f'10.1.{n}.0/24', 'wan0') for n in range(100) for kind in (NEWROUTE, DELROUTE)]
    with all_the_while(lambda: links.send(*bundle), 0.005):
        yield


@contextlib.contextmanager
def hook_hangs(lab):
    lab.write_hook('01-hang', '#!/bin/sh\ntrap "" TERM\nsleep 1234\n')
    lab.change(A, B)
    wait_for('it runs', 10, lambda: 'sleep 1234' in run('ps', '-eo', 'args'))
    yield
    os.unlink('/etc/hairpind/hooks.d/01-hang')


STATES = (at_rest, provider_silent, zone_silent, fight, route_storm, hook_hangs)


def ask_ms():
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect('/run/hairpind/control.sock')
        client.sendall(b'{"command": "status"}\n')
        answer = b''
        while piece := client.recv(1 << 16):
            answer += piece
    assert b'"wans"' in answer, answer[:200]
    return (time.monotonic() - began) * 1000


def in_state(lab, state, questions):
    """([ms to answer], s to stop)"""
    lab.rest()
    with state(lab):
        took = [ask_ms() for _ in range(questions)]
        began = time.monotonic()
        lab.guard.expects(dies='publisher')
        same(lab.end(lab.daemon, seconds=30), 0, state.__name__)
        return took, time.monotonic() - began


def answers_and_stops(lab, questions, strict):
    """P7, P8: it answers and stops in every state"""
    slowest = 0
    for state in STATES:
        for _ in range(3):      # a machine that stands still for a moment is no fault of ours
            took, stopped = in_state(lab, state, questions)
            print(f'# {state.__name__}: stopped in {stopped:.2f} s, median of answers {percentile(took, 0.5):.2f} ms', flush=True)
            if stopped <= 5 and percentile(took, 0.99 if strict else 0.5) <= 50:
                break
        slowest = max(slowest, stopped)
        what = state.__name__.replace('_', ' ')
        if strict:
            figure('P7', f'ms to answer, p99 of {questions}, {what}', percentile(took, 0.99), 50)
        else:
            figure('P7', f'ms to answer, median of {questions}, {what}', percentile(took, 0.5), 50)
    figure('P8', f's to stop, the slowest of {len(STATES)} states', slowest, 5)


# --- P4: how soon a provider is asked

def asked_soon(lab, rounds):
    """P4: after a quiet minute a provider is asked at once"""
    lab.rest()
    here, there, took = A, B, []
    for _ in range(rounds):
        time.sleep(61)
        asked, began = len(lab.requests()), time.monotonic()
        lab.change(here, there)
        wait_for('the request', 10, lambda: len(lab.requests()) > asked, every=0.005)
        took.append(time.monotonic() - began)
        wait_for('current', 60, lambda: lab.record()['state'] == 'current')
        here, there = there, here
    figure('P4', f's from the event to the request, the slowest of {rounds}', max(took), 0.5)
    holds('P4', 'one request each', lab.updates() == rounds)
