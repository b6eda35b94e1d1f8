# SPDX-License-Identifier: GPL-2.0-or-later
"""web.py ADDRESS TEXT READY: answers TEXT on port 80 and echoes it on UDP port 5000; makes the file READY."""

import http.server
import socket
import sys
import threading

address, text, ready = sys.argv[1:4]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (text + '\n').encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def echo():
    while True:
        packet, peer = udp.recvfrom(2048)
        udp.sendto(text.encode() + b': ' + packet, peer)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1000       # who comes while this one waits for a processor is not turned away


udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind((address, 5000))
server = Server((address, 80), Handler)
threading.Thread(target=echo, daemon=True).start()
open(ready, 'w').close()
server.serve_forever()
