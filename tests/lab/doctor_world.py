# SPDX-License-Identifier: GPL-2.0-or-later
"""A router for doctor and the hosts around it, made anew for each story and cheap enough for that.

           inet                          router                              LAN
   45.11.1.80 (lo)            wan0 81.2.69.7   br0 192.168.1.1 --- client .10, server .2
   81.2.69.254 isp0 -----------+                lan1 and lan2 are br0's ports

Parts that a story may ask for besides:

   guest   br1 192.168.2.1 with the host guest 192.168.2.10
   dmz     dmz0 192.168.3.1 with the host dmz 192.168.3.2
   wan1    a second uplink 82.3.70.7, its other side 82.3.70.254
   front   the provider's box: wan0 is 192.168.100.2 then, the box has 81.2.69.7 and sends everything here
   cgn     the provider's translator for many: wan0 is 100.64.7.2, nothing comes in
   ppp     the uplink is ppp0, point to point, 81.2.69.7 with the peer 81.2.69.254
   switch  client and server stand behind one switch, at the only port of br0
   six     IPv6: prefix 2a01:4f8:a001:1::/64 on br0, wan0 2a01:4f8:1::7, server ::2 and fd00::2
   docker  docker0 172.17.0.1 with the host container 172.17.0.2

Each host says its name on the ports of PORTS. One thread serves and asks: a socket keeps the namespace it
was made in.
"""

import contextlib
import selectors
import socket
import time

from lab import inside, run
from packets import Asked

PUBLIC, FORMER, INNER = '81.2.69.7', '81.2.69.5', '192.168.100.2'
PUBLIC6, FORMER6 = '2a01:4f8:1::7', '2a01:4f8:1::5'
STRANGER, STRANGER6 = '45.11.1.80', '2a01:4f8:9::80'
PREFIX, FORMER_PREFIX = '2a01:4f8:a001:1', '2a01:4f8:a005:1'
SOURCES = {'inet': (STRANGER, STRANGER6), 'lan': ('192.168.1.10', f'{PREFIX}::10'), 'guest': ('192.168.2.10', None),
           'server': ('192.168.1.2', f'{PREFIX}::2'), 'dmz': ('192.168.3.2', None), 'router': ('0.0.0.0', '::'),
           'by wan1': ('82.3.70.254', None)}
NAMESPACES = {'lan': 'client', 'by wan1': 'inet'}
# What a host serves: (protocol, ports). The router's own web interface is on port 80.
SERVICES = [('tcp', (80, 443, 2222, 7000, 7005, 7009, 8443)), ('udp', (53, 5000))]
SERVING = {'server': SERVICES, 'dmz': SERVICES, 'guest': SERVICES, 'container': [('tcp', (8080, 80))],
           'box': [('tcp', (80,))], 'router': [('tcp', (80,)), ('udp', (53,))],
           'inet': [('tcp', (80, 443, 2222, 7000, 7005, 8080)), ('udp', (53, 5000))]}
NAMES = {'inet': 'stranger'}


class World:
    """Use as a context manager; inside tests/lab/enter, with a /run of one's own."""
    calls = 0

    def __init__(self, parts=(), address=PUBLIC):
        self.parts, self.address = set(parts), address
        self.namespaces, self.served = [], []
        self.wan = 'ppp0' if 'ppp' in self.parts else 'wan0'

    def __enter__(self):
        try:
            self.make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for sock in self.served:
            sock.close()
        # Their links are gone at once then; the namespaces themselves end later.
        for ns in reversed(self.namespaces):
            run('ip', 'netns', 'del', ns, check=False)

    # --- hosts and links

    def host(self, ns):
        run('ip', 'netns', 'add', ns)
        self.namespaces.append(ns)
        # New IPv6 addresses serve at once.
        self.switch(ns, 'ipv6/conf/all/accept_dad=0', 'ipv6/conf/default/accept_dad=0')
        self.ip(ns, 'link set lo up')

    @staticmethod
    def ip(ns, *commands):
        run('ip', '-n', ns, '-batch', '-', input='\n'.join(commands) + '\n')

    def link(self, ns, device, other, its_device):
        self.ip(ns, f'link add {device} type veth peer name {its_device} netns {other}', f'link set {device} up')
        self.ip(other, f'link set {its_device} up')

    @staticmethod
    def switch(ns, *lines):
        """Switches of /proc/sys/net; one that this kernel lacks is left."""
        with inside(ns):
            for line in lines:
                name, value = line.split('=')
                with contextlib.suppress(FileNotFoundError), open(f'/proc/sys/net/{name}', 'w') as file:
                    file.write(value)

    def make(self):
        self.host('inet')
        self.host('router')
        for ns in ('inet', 'router'):
            self.switch(ns, 'ipv4/ip_forward=1', 'ipv6/conf/all/forwarding=1', 'ipv4/conf/all/rp_filter=0',
                        'ipv4/conf/default/rp_filter=0')
        self.switch('router', 'bridge/bridge-nf-call-iptables=0', 'bridge/bridge-nf-call-ip6tables=0')
        self.make_uplink()
        self.make_lan()
        for part in ('guest', 'dmz', 'wan1', 'six', 'docker'):
            if part in self.parts:
                getattr(self, 'make_' + part)()
        for ns in self.namespaces:
            self.serve(ns)

    def make_uplink(self):
        outer, device = 'router', self.wan
        if self.parts & {'front', 'cgn'}:
            outer, device = 'box', 'up0'
            self.make_box('100.64.7' if 'cgn' in self.parts else '192.168.100')
        self.link(outer, device, 'inet', 'isp0')
        self.ip('inet', f'addr add {STRANGER}/32 dev lo', f'addr add {FORMER}/32 dev lo',
                'addr add 81.2.69.254/24 dev isp0')
        if 'ppp' in self.parts:
            self.ip('router', f'addr add {self.address} peer 81.2.69.254/32 dev ppp0', 'route add default dev ppp0')
            return
        self.ip(outer, f'addr add {self.address}/24 dev {device}', 'route add default via 81.2.69.254')
        if self.address != PUBLIC:
            self.ip('inet', f'route add {self.address}/32 dev isp0')

    def make_box(self, network):
        self.host('box')
        self.switch('box', 'ipv4/ip_forward=1')
        self.link('router', 'wan0', 'box', 'down0')
        self.ip('box', f'addr add {network}.1/24 dev down0')
        self.ip('router', f'addr add {network}.2/24 dev wan0', f'route add default via {network}.1')
        incoming = 'drop' if 'cgn' in self.parts else f'dnat to {network}.2'
        run('nft', '-f', '-', ns='box', input=f'''
table ip box {{
	chain pre {{ type nat hook prerouting priority dstnat; iifname "up0" {incoming}; }}
	chain post {{ type nat hook postrouting priority srcnat; oifname "up0" masquerade; }}
}}''')

    def make_lan(self):
        self.host('client')
        self.host('server')
        self.ip('router', 'link add br0 type bridge', 'addr add 192.168.1.1/24 dev br0', 'link set br0 up')
        if 'switch' in self.parts:
            self.make_switch()
        else:
            self.link('router', 'lan1', 'client', 'eth0')
            self.link('router', 'lan2', 'server', 'eth0')
            self.ip('router', 'link set lan1 master br0', 'link set lan2 master br0')
        for ns, address in (('client', '192.168.1.10'), ('server', '192.168.1.2')):
            self.ip(ns, f'addr add {address}/24 dev eth0', 'route add default via 192.168.1.1')

    def make_switch(self):
        self.host('switch')
        self.ip('switch', 'link add sw type bridge', 'link set sw up')
        for ns, device, port in (('router', 'lan1', 'port0'), ('client', 'eth0', 'port1'), ('server', 'eth0', 'port2')):
            self.link(ns, device, 'switch', port)
            self.ip('switch', f'link set {port} master sw')
        self.ip('router', 'link set lan1 master br0')

    def make_network(self, ns, device, number, host, bridge=False):
        self.host(ns)
        if bridge:
            self.ip('router', f'link add {device} type bridge', f'link set {device} up')
            self.link('router', f'{device}p', ns, 'eth0')
            self.ip('router', f'link set {device}p master {device}')
        else:
            self.link('router', device, ns, 'eth0')
        self.ip('router', f'addr add {number}.1/24 dev {device}')
        self.ip(ns, f'addr add {number}.{host}/24 dev eth0', f'route add default via {number}.1')

    def make_guest(self):
        self.make_network('guest', 'br1', '192.168.2', 10, bridge=True)

    def make_dmz(self):
        self.make_network('dmz', 'dmz0', '192.168.3', 2)

    def make_docker(self):
        self.make_network('container', 'docker0', '172.17.0', 2, bridge=True)

    def make_wan1(self):
        self.link('router', 'wan1', 'inet', 'isp1')
        self.ip('inet', 'addr add 82.3.70.254/24 dev isp1')
        self.ip('router', 'addr add 82.3.70.7/24 dev wan1')

    def make_six(self):
        self.ip('inet', f'addr add {STRANGER6}/128 dev lo', f'addr add {FORMER6}/64 dev isp0 nodad',
                'addr add 2a01:4f8:1::254/64 dev isp0 nodad', f'route add {PREFIX}::/64 via {PUBLIC6} dev isp0')
        self.ip('router', f'addr add {PUBLIC6}/64 dev {self.wan} nodad',
                f'route add default via 2a01:4f8:1::254 dev {self.wan}',
                f'addr add {PREFIX}::1/64 dev br0 nodad', 'addr add fd00::1/64 dev br0 nodad')
        for ns, number in (('client', '10'), ('server', '2')):
            self.ip(ns, f'addr add {PREFIX}::{number}/64 dev eth0 nodad', f'addr add fd00::{number}/64 dev eth0 nodad',
                    f'route add default via {PREFIX}::1')

    # --- who serves what

    def serve(self, ns, services=None):
        for protocol, ports in services or SERVING.get(ns, ()):
            for port in ports:
                with inside(ns):
                    sock = listen(protocol, port)
                self.served.append(Served(sock, NAMES.get(ns, ns), protocol))

    def stop(self, ns, protocol, port):
        """That service ends."""
        for served in list(self.served):
            if (served.name, served.protocol, served.sock.getsockname()[1]) == (NAMES.get(ns, ns), protocol, port):
                served.close()
                self.served.remove(served)

    def ask(self, questions, seconds=6):
        """[(client, protocol, port, address, expected)] -> who answered each. Silence is awaited for a short while
        only where it is expected, and after all others have answered."""
        World.calls += 1
        first = 10000 + World.calls * 40 % 50000
        asked = Conversation(self.served)
        for number, (client, protocol, port, address, expected) in enumerate(questions):
            source = SOURCES[client][':' in address]
            asked.open(number, NAMESPACES.get(client, client), protocol, (source, first + number), (address, port))
            if expected == 'nobody':
                asked.silent.add(number)
        answers = asked.wait(seconds)
        return [named(answers[number]) for number in range(len(questions))]


def named(answer):
    return 'nobody' if answer[0].startswith('<') else answer[0]


def listen(protocol, port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM if protocol == 'tcp' else socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(('::', port))
    if protocol == 'tcp':
        sock.listen(16)
    sock.setblocking(False)
    return sock


class Served:
    """A service that says its host's name, whom it sees, and its port."""

    def __init__(self, sock, name, protocol):
        self.sock, self.name, self.protocol = sock, name, protocol

    def close(self):
        self.sock.close()

    def words(self, peer):
        return f'{self.name} {peer[0].removeprefix("::ffff:")} {self.sock.getsockname()[1]}\n'.encode()

    def serve(self, conversation):
        if self.protocol == 'udp':		# the answer leaves with the address that was asked
            _, ancillary, _, peer = self.sock.recvmsg(100, 100)
            self.sock.sendmsg([self.words(peer)], ancillary, 0, peer)
            return
        stream, peer = self.sock.accept()
        stream.setblocking(False)
        conversation.serve_stream(stream, self.words(peer))


class Conversation(Asked):
    """Questions and answers in one loop."""
    SILENCE, LOOKS = 0.35, 5        # seconds, and looks at which nobody had said anything

    def __init__(self, served):
        super().__init__()
        self.silent, self.streams = set(), set()
        for service in served:
            self.selector.register(service.sock, selectors.EVENT_READ, service)

    def serve_stream(self, stream, words):
        self.streams.add(stream)
        self.selector.register(stream, selectors.EVENT_READ, lambda: self.say(stream, words))

    def say(self, stream, words):
        try:
            if stream.recv(100):
                stream.send(words)
        finally:
            self.selector.unregister(stream)
            self.streams.discard(stream)
            stream.close()

    def go_on(self, key, sock, events):
        try:
            if isinstance(key, Served):
                key.serve(self)
            elif callable(key):
                key()
            else:
                super().go_on(key, sock, events)
        except OSError:
            pass

    def wait(self, seconds):
        now = time.monotonic()
        end, quiet, again, looks = now + seconds, now + self.SILENCE, now + 0.5, 0
        while self.waiting and (looks < self.LOOKS or now < (end if set(self.waiting) - self.silent else quiet)):
            ready = self.selector.select(0.05)
            looks = 0 if ready else looks + 1
            for entry, events in ready:
                self.go_on(entry.data, entry.fileobj, events)
            now = time.monotonic()
            if now > again:
                self.ask_again()
                again = now + 0.5
        for key, sock in list(self.waiting.items()):
            self.close(key, sock, TimeoutError())
        for stream in self.streams:
            stream.close()
        self.selector.close()
        return self.answers
