# SPDX-License-Identifier: GPL-2.0-or-later
"""The laboratory for packets: each host says its name on many ports, so that a client learns who answered.

"server" is the LAN's server, "router" the router itself (its own services on the same ports), "stranger" the
internet: also the next holder of an address that the WAN had, so that a packet to it is answered by whom it
should be. Both address families; a delegated prefix lies on br0.
"""

import contextlib
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

from lab import AUTHORITY6, GATEWAY6, HERE, PROVIDER, Lab, inside, run, wait_for

PORTS = ('2000-2599', '3000-3099')
SERVER, SERVER6 = '192.168.1.2', 'fd00::2'
STRANGER, STRANGER6 = PROVIDER, AUTHORITY6
CLIENTS = {('lan', 4): ('client', '192.168.1.10'), ('lan', 6): ('client', 'fd00::10'),
           ('inet', 4): ('inet', STRANGER), ('inet', 6): ('inet', STRANGER6),
           ('router', 4): ('router', '192.168.1.1'), ('inet by wan1', 4): ('inet', '82.3.70.254')}
# The way out for all, and the way back for the ports up to 2999.
BASE = '''
table inet base {
	chain post {
		type nat hook postrouting priority srcnat + 10
		oifname { "wan0", "wan1" } masquerade
		iifname "br0" oifname "br0" ct status dnat meta l4proto { tcp, udp } th dport 2000-2999 masquerade
	}
}
'''
LAN6 = {'router': ('br0', 'fd00::1'), 'client': ('eth0', 'fd00::10'), 'server': ('eth0', 'fd00::2')}


class PacketLab(Lab):
    """A lab without providers and DNS: addresses, rules, packets."""

    def __enter__(self):
        try:
            return super().__enter__()
        except BaseException:
            self.__exit__()
            raise

    def make_internet(self):
        self.wans = {}		# device -> its addresses
        self.lent = {}		# device -> its former ones, lent to the stranger: (address, device there)
        self.calls = 0
        for ns, (device, address) in LAN6.items():
            batch(ns, f'addr add {address}/64 dev {device} nodad')
            if ns != 'router':
                batch(ns, 'route add default via fd00::1')

    def make_lan(self):
        names = {'server': 'server', 'router': 'router', 'inet': 'stranger'}
        for ns, name in names.items():
            self.start(sys.executable, '-B', f'{HERE}/answer.py', name, f'{self.folder}/answers-{ns}', *PORTS, ns=ns)
        for ns in names:
            wait_for(f'{ns} answers', 20, lambda: os.path.exists(f'{self.folder}/answers-{ns}'))

    def set_wan(self, *addresses, wan='wan0', isp='isp0'):
        """A WAN's addresses of both families; its former ones become the stranger's."""
        held, lent = self.wans.get(wan, []), self.lent.get(wan, [])
        former = [address for address in held if address not in addresses]
        batch('inet', *(f'addr del {address} dev {device}' for address, device in lent))
        batch('router',
              *(f'addr del {address}/{length(address)} dev {wan}' for address in former),
              *(f'addr add {address}/{length(address)} dev {wan}{nodad(address)}'
                for address in addresses if address not in held),
              *(('route replace default via 81.2.69.254', f'route replace default via {GATEWAY6} dev wan0')
                if wan == 'wan0' else ()))
        self.wans[wan] = list(addresses)
        self.lent[wan] = self.lend(former, isp)

    def lend(self, addresses, isp='isp0'):
        """Gives the stranger these addresses, each on the device where it is answered for."""
        # Nobody answers a neighbour solicitation for an address of lo.
        lent = [(f'{address}/{128 if ":" in address else 32}', isp if ':' in address else 'lo')
                for address in addresses]
        batch('inet', *(f'addr add {address} dev {device}{nodad(address)}' for address, device in lent))
        return lent

    def make_second_wan(self):
        """wan1, whose other side is 82.3.70.254."""
        run('ip', 'link', 'add', 'wan1', 'netns', 'router', 'type', 'veth', 'peer', 'name', 'isp1', 'netns', 'inet')
        batch('inet', 'addr add 82.3.70.254/24 dev isp1', 'link set isp1 up')
        batch('router', 'link set wan1 up')

    def set_prefix(self, prefix, former=None):
        """The prefix delegated to the LAN, such as 2a01:4f8:a001:1; hosts ::1, ::10 (server) and ::20 (client)."""
        hosts = (('router', 'br0', '1'), ('server', 'eth0', '10'), ('client', 'eth0', '20'))
        batch('inet', *(f'addr del {address} dev {device}' for address, device in self.lent.get('br0', [])))
        for ns, device, suffix in hosts:
            batch(ns, *([f'addr del {former}::{suffix}/64 dev {device}'] if former else []),
                  f'addr add {prefix}::{suffix}/64 dev {device} nodad')
        batch('inet', *([f'route del {former}::/64'] if former else []),
              f'route add {prefix}::/64 via {self.wans["wan0"][-1]} dev isp0')
        self.lent['br0'] = self.lend([f'{former}::{suffix}' for _, _, suffix in hosts] if former else [])

    @contextlib.contextmanager
    def unseen(self):
        """The core does not look meanwhile, so that it finds all changes in one look."""
        core = self.processes()['core']
        os.kill(core, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(core, signal.SIGCONT)

    def mark_log(self):
        self.mark = len(self.log())

    def wait_forgotten(self, *former):
        """Until conntrack's entries of these addresses are gone: the last step of a change."""
        for address in former:
            wait_for(f'connections of {address} forgotten', 10,
                     lambda: f' connections of {address} forgotten' in self.log()[self.mark:])

    def ask(self, questions, seconds=4):
        """{key: (client, proto, address, port)} -> {key: (name, peer, port)}, or ('<why not>', '', 0). The
        client is 'lan' or 'inet'. Every call has source ports of its own: no connection of an earlier one counts."""
        self.calls += 1
        first, questions = 10000 + self.calls * 1000, dict(questions)
        assert len(questions) <= 1000 and first < 64000
        asked = Asked()
        for number, (key, (client, proto, address, port)) in enumerate(questions.items()):
            ns, source = CLIENTS[client, 6 if ':' in address else 4]
            asked.open(key, ns, proto, (source, first + number), (address, port))
        return asked.wait(seconds)

    def load(self, text, ns='router'):
        run('nft', '-f', '-', ns=ns, input=text)

    def load_iptables(self, text, family=4, ns='router'):
        run('ip6tables-nft-restore' if family == 6 else 'iptables-nft-restore', '--noflush', ns=ns, input=text)

    def own(self, lines):
        """Gives the lines to a program that stays: tables with `flags owner` are then its own."""
        child = subprocess.Popen(['nsenter', '--net=/run/netns/router', 'nft', '-i'], stdin=subprocess.PIPE, text=True,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.children.append(child)
        child.stdin.write(lines.strip() + '\n')
        child.stdin.flush()

    def generation(self):
        """The kernel's count of committed transactions."""
        request = struct.pack('=IHHIIBBH', 20, 0x0a << 8 | 16, 1, 1, 0, 0, 0, 0)	# NFT_MSG_GETGEN
        with inside('router'), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as sock:
            sock.send(request)
            reply = sock.recv(8192)
        return struct.unpack('>I', reply[24:28])[0]	# NFTA_GEN_ID stands first


class Asked:
    """Questions under way, all at once."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.answers, self.waiting = {}, {}

    def open(self, key, ns, proto, source, destination):
        family = socket.AF_INET6 if ':' in destination[0] else socket.AF_INET
        with inside(ns):
            sock = socket.socket(family, socket.SOCK_STREAM if proto == 'tcp' else socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(source)
            status = sock.connect_ex(destination)
            if status not in (0, 115):		# EINPROGRESS
                raise OSError(status, os.strerror(status))
            if proto == 'udp':
                sock.send(b'who?\n')
        except OSError as problem:
            self.close(key, sock, problem)
            return
        self.waiting[key] = sock
        self.selector.register(sock, selectors.EVENT_READ if proto == 'udp' else selectors.EVENT_WRITE, key)

    def close(self, key, sock, answer):
        if not isinstance(answer, tuple):
            answer = (f'<{type(answer).__name__}>', '', 0)
        self.answers[key] = answer
        if key in self.waiting:
            self.selector.unregister(sock)
            del self.waiting[key]
        sock.close()

    def go_on(self, key, sock, events):
        try:
            if events & selectors.EVENT_WRITE:
                sock.send(b'who?\n')
                self.selector.modify(sock, selectors.EVENT_READ, key)
                return
            name, peer, port = sock.recv(200).decode().split()
            self.close(key, sock, (name, peer, int(port)))
        except (OSError, ValueError) as problem:
            self.close(key, sock, problem)

    def ask_again(self):
        """As TCP does by itself: before a neighbour is known a crowd of packets may be lost."""
        for sock in self.waiting.values():
            if sock.type == socket.SOCK_DGRAM:
                with contextlib.suppress(OSError):
                    sock.send(b'who?\n')

    def wait(self, seconds):
        end, quiet = time.monotonic() + seconds, 0
        while self.waiting and (time.monotonic() < end or quiet < 4):       # silence, not this machine's slowness
            ready = self.selector.select(0.5)
            quiet = 0 if ready else quiet + 1
            for entry, events in ready:
                self.go_on(entry.data, entry.fileobj, events)
            if not ready:
                self.ask_again()
        for key, sock in list(self.waiting.items()):
            self.close(key, sock, TimeoutError())
        self.selector.close()
        return self.answers


def length(address):
    return 64 if ':' in address else 24


def nodad(address):
    return ' nodad' if ':' in address else ''


def batch(ns, *commands):
    if commands:
        run('ip', '-batch', '-', ns=ns, input='\n'.join(commands) + '\n')
