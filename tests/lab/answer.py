# SPDX-License-Identifier: GPL-2.0-or-later
"""answer.py NAME READY FIRST-LAST...: answers on these TCP and UDP ports of every address with
"NAME PEER PORT": who speaks, whom it sees, which port was asked. Makes the file READY."""

import selectors
import socket
import sys

name, ready, *ranges = sys.argv[1:]
selector = selectors.DefaultSelector()


def answer(peer, port):
    return f'{name} {peer[0].removeprefix("::ffff:")} {port}\n'.encode()


def accept(listener):
    stream, peer = listener.accept()
    stream.setblocking(False)
    selector.register(stream, selectors.EVENT_READ, lambda s: say(s, peer))


def say(stream, peer):
    """The question is awaited first, so that both directions of the connection carry data."""
    try:
        if stream.recv(100):
            stream.send(answer(peer, stream.getsockname()[1]))
    except OSError:
        pass
    selector.unregister(stream)
    stream.close()


def echo(udp):
    """The answer leaves with the address that was asked."""
    _, ancillary, _, peer = udp.recvmsg(100, 100)
    udp.sendmsg([answer(peer, udp.getsockname()[1])], ancillary, 0, peer)


def listen(port):
    for kind, serve in ((socket.SOCK_STREAM, accept), (socket.SOCK_DGRAM, echo)):
        sock = socket.socket(socket.AF_INET6, kind)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(('::', port))
        if kind == socket.SOCK_STREAM:
            sock.listen(16)
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ, serve)


for ports in ranges:
    first, last = map(int, ports.split('-'))
    for number in range(first, last + 1):
        listen(number)
open(ready, 'w').close()
while True:
    for key, _ in selector.select():
        try:
            key.data(key.fileobj)
        except OSError:
            pass
