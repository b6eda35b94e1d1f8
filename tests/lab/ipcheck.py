# SPDX-License-Identifier: GPL-2.0-or-later
"""Web services that say from where one comes, or lie: ipcheck.py FOLDER ADDRESS.

It listens on ADDRESS:443 with FOLDER/ipcheck.pem. What the service NAME (the request's Host) says stands in
FOLDER/says.json, read at each request: {NAME: {"status": 200, "headers": {...}, "body": TEXT}}; the characters of TEXT are
bytes. Requests are counted in FOLDER/asked: a line with the name for each."""

import http.server
import json
import ssl
import sys

FOLDER, ADDRESS = sys.argv[1:3]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True
    timeout = 40

    def log_message(self, *_):
        pass

    def do_GET(self):
        name = self.headers.get('Host', '')
        with open(f'{FOLDER}/asked', 'a') as file:
            file.write(name + '\n')
        with open(f'{FOLDER}/says.json') as file:
            says = json.load(file).get(name, {'status': 404})
        body = says.get('body', '').encode('latin-1')
        self.send_response(says.get('status', 200))
        for key, value in says.get('headers', {}).items():
            self.send_header(key, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1000

    def handle_error(self, request, client_address):
        pass        # who leaves early, or trusts us not


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f'{FOLDER}/ipcheck.pem', f'{FOLDER}/ipcheck.key')
server = Server((ADDRESS, 443), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
open(f'{FOLDER}/ipcheck.ready', 'w').close()
server.serve_forever()
