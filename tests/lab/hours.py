# SPDX-License-Identifier: GPL-2.0-or-later
"""Hours of the daemon's life, counted: a laboratory in virtual time (warp.py), and what is seen of it from outside."""

import shutil
import socket
import struct

from lab import AUTHORITY, HOST, ZONE, Lab, inside, make_room, run
from warp import Warp

MINUTE, HOUR, DAY = 60, 3600, 86400


class Wire:
    """
    What passes the WAN's far end: [time, 'dns', name] and [time, 'syn', port] in virtual time. Or what the router sends
    by whatever link it has, lo too.
    """

    def __init__(self, clock, ns='inet'):
        self.clock = clock
        self.seen = []
        self.direction = 0 if ns == 'inet' else 4       # PACKET_HOST, PACKET_OUTGOING
        with inside(ns):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
            make_room(self.socket, 1 << 24)
            if ns == 'inet':
                self.socket.bind(('isp0', 0))
        self.socket.setblocking(False)
        clock.watchers.append(self.read)

    def read(self):
        while True:
            try:
                packet, (_, kind, direction, *_) = self.socket.recvfrom(65536)
            except BlockingIOError:
                return
            if kind == 0x800 and direction == self.direction:
                self.take(packet)

    def take(self, packet):
        head = packet[0] % 16 * 4
        port = struct.unpack_from('!H', packet, head + 2)[0]
        if packet[9] == 17 and port == 53:
            self.seen.append([self.clock.now(), 'dns', name_of(packet[head + 8 + 12:])])
        elif packet[9] == 6 and packet[head + 13] & 0x12 == 2:
            self.seen.append([self.clock.now(), 'syn', port])

    def times(self, kind, what, since=0):
        """When it was seen; what belongs to one try (10 s) once."""
        self.read()
        return tries([at for at, *rest in self.seen if rest == [kind, what] and at >= since])

    def tries(self, since=0):
        """How often anything was asked of anybody."""
        self.read()
        return len(tries([at for at, *_ in self.seen if at >= since]))

    def names(self, since=0):
        """Of questions to DNS, with their times."""
        self.read()
        return [(at, what) for at, kind, what in self.seen if kind == 'dns' and at >= since]


def tries(times):
    """When each began: what belongs to one try (10 s) once."""
    began = []
    for at in times:
        if not began or at - began[-1] > 10:
            began.append(at)
    return began


def name_of(question):
    words = []
    while question and question[0]:
        words.append(question[1:1 + question[0]].decode(errors='replace'))
        question = question[1 + question[0]:]
    return '.'.join(words).lower()


class Hours(Lab):
    """A laboratory whose daemons live in virtual time."""

    def __enter__(self):
        super().__enter__()
        Warp(self)
        self.wire = Wire(self.clock)
        self.load_rules('81.2.69.1')
        self.octet = 1
        return self

    def names(self, count):
        return [HOST] if count == 1 else [f'host{number}.example.org' for number in range(count)]

    def config(self, names=(HOST,), provider=None, **more):
        """One provider with these names."""
        entry = dict(self.configuration()['providers'][0], hostnames=list(names), **(provider or {}))
        return self.configuration(providers=[entry], **more)

    def begin(self, config=None, settle=True, **says):
        """A daemon that knows nothing, on a new address, and a provider that `says`; its records are current then."""
        if self.daemon:
            self.stop_daemon()
        shutil.rmtree('/run/lab/state', ignore_errors=True)
        self.provider_says(**says)
        self.cut()
        config = config or self.configuration()
        self.write_configuration(config)
        self.change_address()
        self.start_daemon(log=f'{self.folder}/hairpind.{self.octet}.log')
        if settle:
            self.settle()
            self.clock.go(minutes=10)   # the publisher has gone, and with it its connections
        return self.clock.now()

    def change_address(self):
        self.octet = self.octet % 240 + 1
        self.set_address(f'81.2.69.{self.octet}')

    def all_current(self):
        status = self.status()
        return status and all(record['state'] == 'current' and record['published'] == self.address
                              for record in status['records'])

    def settle(self, seconds=600):
        self.clock.until('all records are current', seconds, self.all_current, every=5)

    def asked(self, since):
        """When the provider was asked, from then on."""
        return [request['time'] for request in self.requests() if request['time'] >= since]

    def asked_for(self, since):
        """The names that it was asked for."""
        return [name for request in self.requests() if request['time'] >= since
                for name in request['query'].get('hostname', '').split(',')]

    def until_invisible(self, ttl):
        """The provider says good, and the zone, of that TTL, never follows: minutes until that is said."""
        self.begin()
        self.set_dns(self.address, ttl=ttl)
        self.provider_says(lie=True)
        self.change_address()
        began = self.clock.now()
        self.clock.go(max(10 * MINUTE, 2 * ttl) - MINUTE)
        assert self.record()['state'] == 'verifying', self.record()
        self.clock.until('not visible', 12 * MINUTE, lambda: 'not visible' in (self.record()['reason'] or ''), every=10)
        assert 'died' not in self.log(), self.log()
        return (self.clock.now() - began) / MINUTE

    def lines(self):
        return len(self.log().splitlines())

    def add_dns(self, address):
        """One more address of the name."""
        run('knsupdate', ns='inet', input=f'server {AUTHORITY}\nzone {ZONE}.\nupdate add {HOST}. 60 A {address}\nsend\nquit\n')

    # --- what breaks

    def replace_resolver(self, *words):
        """The same, with other words for dnsmasq."""
        self.end(self.resolver)
        self.start_resolver(*words)

    def hide_address(self):
        """The provider of the line puts the router behind a NAT of its own."""
        run('ip', 'addr', 'replace', '100.64.0.1/24', 'dev', 'isp0', ns='inet')
        run('ip', 'addr', 'add', '100.64.0.7/24', 'dev', 'wan0', ns='router')
        run('ip', 'addr', 'del', f'{self.address}/24', 'dev', 'wan0', ns='router')
        run('ip', 'route', 'replace', 'default', 'via', '100.64.0.1', ns='router')
        self.address = '100.64.0.7'

    def cut(self, *rules):
        """The internet's firewall says so; nothing: it lets everything through again."""
        run('nft', '-f', '-', ns='inet', input='table inet cut {}\ndelete table inet cut\n' + (
            'table inet cut { chain c { type filter hook input priority 0;\n' + '\n'.join(rules) + '\n}\n}\n' if rules else ''))


def most(times, window):
    """The most of them in any so many seconds."""
    times = sorted(times)
    return max([sum(1 for other in times if at <= other < at + window) for at in times], default=0)
