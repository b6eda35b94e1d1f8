# SPDX-License-Identifier: GPL-2.0-or-later
"""Many events of links and rules in a short time: rtnetlink messages in one datagram, and a watch of who commits to
nftables when. The names of the kernel's numbers are in linux/rtnetlink.h."""

import contextlib
import ipaddress
import select
import socket
import struct
import time

from lab import inside, make_room

REQUEST, ACK, REPLACE, CREATE, APPEND = 1, 4, 0x100, 0x400, 0x800
NEWLINK, NEWADDR, DELADDR, NEWROUTE, DELROUTE, NEWNEIGH, DELNEIGH = 16, 20, 21, 24, 25, 28, 29
ADDRESS, LOCAL, LABEL, CACHEINFO = 1, 2, 3, 6


def attribute(kind, data):
    return struct.pack('=HH', 4 + len(data), kind) + data + b'\0' * (-len(data) % 4)


def message(kind, flags, body):
    return struct.pack('=IHHII', 16 + len(body), kind, flags | REQUEST, 0, 0) + body


def packed(address):
    return ipaddress.ip_address(address).packed


class Links:
    """Addresses, routes and neighbours of one network, without a process for each."""

    def __init__(self, ns='router'):
        with inside(ns):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            self.index = {name: number for number, name in socket.if_nameindex()}
        self.sock.bind((0, 0))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)

    def send(self, *messages):
        """In one datagram; the last is acknowledged, so all of them are done when this returns."""
        last = bytearray(messages[-1])
        struct.pack_into('=H', last, 6, struct.unpack_from('=H', last, 6)[0] | ACK)
        self.sock.send(b''.join(messages[:-1]) + bytes(last))
        error = struct.unpack_from('=i', self.sock.recv(1 << 16), 16)[0]
        if error:
            raise OSError(-error, 'rtnetlink')

    def address(self, kind, address, device='wan0', length=24, peer=None, label=None, valid=None):
        body = struct.pack('=BBBBI', socket.AF_INET, length, 0, 0, self.index[device])
        body += attribute(LOCAL, packed(address)) + attribute(ADDRESS, packed(peer or address))
        if label:
            body += attribute(LABEL, label.encode() + b'\0')
        if valid:
            body += attribute(CACHEINFO, struct.pack('=IIII', valid, valid, 0, 0))
        return message(kind, CREATE | REPLACE if kind == NEWADDR else 0, body)

    def add(self, address, *more, **how):
        return self.address(NEWADDR, address, *more, **how)

    def remove(self, address, *more, **how):
        return self.address(DELADDR, address, *more, **how)

    def route(self, kind, destination, device, table=254):
        net = ipaddress.ip_network(destination)
        body = struct.pack('=BBBBBBBBI', socket.AF_INET, net.prefixlen, 0, 0, table, 4, 253, 1, 0)
        if net.prefixlen:
            body += attribute(1, net.network_address.packed)
        return message(kind, CREATE | REPLACE if kind == NEWROUTE else 0, body + attribute(4, struct.pack(
            '=I', self.index[device])))

    def neighbour(self, kind, address, device):
        body = struct.pack('=BBHiHBB', socket.AF_INET, 0, 0, self.index[device], 0x80, 0, 0)
        body += attribute(1, packed(address)) + attribute(2, b'\2\0\0\0\0\1')
        return message(kind, CREATE | REPLACE if kind == NEWNEIGH else 0, body)


class Commits:
    """Everybody's transactions in a network's nftables, as they come."""

    def __init__(self, ns='router'):
        with inside(ns):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        self.sock.bind((0, 0))
        self.sock.setsockopt(270, 1, 7)			# NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES
        make_room(self.sock, 1 << 24)
        self.sock.setblocking(False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def next(self, seconds=0.0, by='hairpind'):
        """When the next transaction of that program was seen (time.monotonic()); None: none so long."""
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(BlockingIOError):
                while True:
                    if program(self.sock.recv(1 << 16)) == by:
                        return time.monotonic()
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                return None

    def count(self, by='hairpind'):
        """Of all that came and were not looked at yet."""
        number = 0
        while self.next(by=by):
            number += 1
        return number


def program(data):
    """Who committed, as a message of a new generation says; None: another message."""
    length, kind = struct.unpack_from('=IH', data)
    at = 20 if kind == 0x0a0f else length		# NFT_MSG_NEWGEN, alone in its datagram
    while at + 4 <= length:
        size, number = struct.unpack_from('=HH', data, at)
        if number == 3:					# NFTA_GEN_PROC_NAME
            return data[at + 4:at + size].rstrip(b'\0').decode().split(':')[0]
        at += (size + 3) & ~3
    return None


def processor_s(pid):
    """Seconds of processor time that a process has had."""
    with open(f'/proc/{pid}/schedstat') as file:
        return int(file.read().split()[0]) / 1e9


def memory_kib(pid, name='VmRSS'):
    with open(f'/proc/{pid}/status') as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name + ':'))


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]
