# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers that hang: hanging.py FOLDER ADDRESS. On ADDRESS, with FOLDER/tls.pem:

  4431  accepts and is silent          4433  reads the request, begins an answer, and is silent
  4432  speaks TLS and is silent       4434  as 4433; whoever wants a black hole drops what comes to it
"""

import contextlib
import socket
import ssl
import sys
import threading
import time

FOLDER, ADDRESS = sys.argv[1:3]
kept = []


def serve(listener, port):
    while True:
        stream, _ = listener.accept()
        kept.append(stream)
        threading.Thread(target=hang, args=(stream, port), daemon=True).start()


def hang(stream, port):
    with contextlib.suppress(OSError):
        if port == 4431:
            return
        stream = context.wrap_socket(stream, server_side=True)
        kept.append(stream)
        if port == 4432:
            return
        stream.recv(4096)
        stream.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n')


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f'{FOLDER}/tls.pem', f'{FOLDER}/tls.key')
for number in range(4431, 4435):
    threading.Thread(target=serve, args=(socket.create_server((ADDRESS, number), backlog=100), number), daemon=True).start()
open(f'{FOLDER}/hanging.ready', 'w').close()
while True:
    time.sleep(3600)
