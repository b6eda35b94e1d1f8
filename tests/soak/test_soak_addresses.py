# SPDX-License-Identifier: GPL-2.0-or-later
"""100,000 changes of the WAN's addresses, IPv4 and IPv6 in turn, each followed by the rules before the next one comes."""

import ipaddress
import os
import select
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import soak  # noqa: E402
from lab import HOST, RULES, Lab, inside, run, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

USUAL = 100000
COUNT = soak.rounds(USUAL)
RTM_NEWADDR, RTM_DELADDR, NFT_MSG_NEWGEN, NFNLGRP_NFTABLES = 20, 21, 0x0a << 8 | 15, 7
REQUEST, ACK, CREATE = 1, 4, 0x400
IFA_ADDRESS, IFA_LOCAL, IFA_F_NODAD, SOL_NETLINK, ADD_MEMBERSHIP = 1, 2, 2, 270, 1
RULES6 = '''
table ip6 nat {
	chain pre {
		type nat hook prerouting priority dstnat;
		ip6 daddr 2a01:4f8:1::1 tcp dport 80 dnat to fd00::2 comment "hairpin six"
	}
}
'''
lab = kernel = None


class Kernel:
    """The router's addresses and its ruleset's generations, without a process for each."""

    def __init__(self):
        with inside('router'):
            self.route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            self.nft = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
            self.index = socket.if_nametoindex('wan0')
        self.nft.bind((0, 0))
        self.nft.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, NFNLGRP_NFTABLES)
        self.nft.setblocking(False)
        self.now = {}

    def message(self, kind, address, flags=0):
        packed = address.packed
        family, bits = (socket.AF_INET, 24) if len(packed) == 4 else (socket.AF_INET6, 64)
        body = struct.pack('=BBBBI', family, bits, IFA_F_NODAD if len(packed) == 16 else 0, 0, self.index)
        for attribute in (IFA_LOCAL, IFA_ADDRESS):
            body += struct.pack('=HH', 4 + len(packed), attribute) + packed
        return struct.pack('=IHHII', 16 + len(body), kind, REQUEST | ACK | flags, 1, 0) + body

    def change(self, text):
        """The new address comes, the old one of its family goes."""
        new = ipaddress.ip_address(text)
        old = self.now.get(new.version)
        packet = self.message(RTM_NEWADDR, new, CREATE) + (self.message(RTM_DELADDR, old) if old else b'')
        self.drain()
        self.route.send(packet)
        for _ in range(2 if old else 1):
            _, kind, _, _, _, error = struct.unpack_from('=IHHIIi', self.route.recv(8192))
            assert (kind, error) == (2, 0), f'{text}: {kind}, {os.strerror(-error)}'
        self.now[new.version] = new

    def drain(self):
        try:
            while True:
                self.nft.recv(1 << 16)
        except BlockingIOError:
            pass

    def wait_commit(self, seconds=10):
        """Until somebody has committed."""
        while select.select([self.nft], [], [], seconds)[0]:
            packet, at = self.nft.recv(1 << 16), 0
            while at + 16 <= len(packet):
                length, kind = struct.unpack_from('=IH', packet, at)
                if kind == NFT_MSG_NEWGEN:
                    return
                at += (length + 3) & ~3
        raise TimeoutError(f'no commit in {seconds} s: {lab.log()[-1000:]}')


def one(number):
    text = f'81.2.69.{10 + number // 2 % 200}' if number % 2 == 0 else f'2a01:4f8:1::{0x10 + number // 2 % 200:x}'
    kernel.change(text)
    kernel.wait_commit()


def rest():
    wait_for('the rules hold the addresses', 10, in_step)
    return {name: pid for name, pid in lab.processes().items() if name != 'publisher'}


def in_step():
    wan = lab.status()['wans'][0]
    return all((wan[family] or {}).get('address') == str(kernel.now[version])
               for family, version in (('ipv4', 4), ('ipv6', 6)) if version in kernel.now)


def changes():
    """Changes of both addresses: nothing grows, the rules hold the last ones"""
    soak.Soak('changes', USUAL, one, rest).run(COUNT)
    same(f'ip daddr {kernel.now[4]} tcp' in lab.rules(), True)
    same(f'ip6 daddr {kernel.now[6]} tcp' in lab.rules('ip6 nat'), True)


def published():
    """And when it is quiet the last address is published, too"""
    lab.ctl('update', '--force', HOST, check=True)
    wait_for('the record', 90, lambda: lab.dns() == [str(kernel.now[4])])
    wait_for('the other', 90, lambda: lab.dns('AAAA') == [str(kernel.now[6])])


with Lab(build='build') as lab:
    lab.load_rules('81.2.69.1', RULES + RULES6)
    lab.set_dns('81.2.69.1')
    run('sysctl', '-qw', 'net.ipv6.conf.wan0.accept_dad=0', ns='router')
    kernel = Kernel()
    kernel.change('81.2.69.9')
    kernel.change('2a01:4f8:1::9')
    run('ip', 'route', 'add', 'default', 'via', '81.2.69.254', ns='router')
    run('ip', '-6', 'route', 'add', 'default', 'via', '2a01:4f8:1::254', ns='router')
    lab.write_configuration(lab.configuration(hooks=None, log={'level': 'notice'}))
    lab.start_daemon()
    run_tests([changes, published])
