# SPDX-License-Identifier: GPL-2.0-or-later
"""Addresses of the router's WAN, and its ruleset's generations, by netlink: no process for each change."""

import ipaddress
import os
import select
import socket
import struct

from lab import inside

RTM_NEWADDR, RTM_DELADDR, NFT_MSG_NEWGEN, NFNLGRP_NFTABLES = 20, 21, 0x0a << 8 | 15, 7
NLMSG_ERROR, REQUEST, ACK, CREATE = 2, 1, 4, 0x400
IFA_ADDRESS, IFA_LOCAL, IFA_F_NODAD, SOL_NETLINK, ADD_MEMBERSHIP = 1, 2, 2, 270, 1


class Kernel:
    """wan0 of the router, as it is now."""

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
            assert (kind, error) == (NLMSG_ERROR, 0), f'{text}: {kind}, {os.strerror(-error)}'
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
        raise TimeoutError(f'no commit in {seconds} s')
