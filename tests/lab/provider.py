# SPDX-License-Identifier: GPL-2.0-or-later
"""A dyndns2 provider over HTTPS whose zone is a real knot server's.

provider.py FOLDER ADDRESS AUTHORITY ZONE. It listens on ADDRESS:443 with FOLDER/tls.pem, appends every request to
FOLDER/requests.jsonl, and behaves as FOLDER/behaviour.json says, read at each request:

  {}                          honest: checks user and password, writes the zone, good or nochg
  {"body": "911"}             answers that, writes nothing
  {"status": 500}             that status; "headers": {...} beside it
  {"silent": true}            accepts and never answers
  {"cut": true}               closes after the request
  {"bytes": 200000}           a body of that many bytes
  {"short": true}             half of the body that it announces
  {"refuses": {NAME: "911"}}  honest, but says that of these names
  {"lines": 2}                writes so many of the names and has a line for each of these
  {"lie": true}               says good but writes nothing
  {"forget": true}            honest, and "good" each time, as where others write in between
  {"delay": 1.5}              seconds before an honest answer
  {"kept_back": 0.5}          real seconds for which the zone keeps an update back, as knot does now and then
"""

import base64
import contextlib
import functools
import json
import os
import socketserver
import ssl
import sys
import time
import http.server
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import PASSWORD, set_record  # noqa: E402
from warp import Board  # noqa: E402

FOLDER, ADDRESS, AUTHORITY, ZONE = sys.argv[1:5]
AUTHORIZATION = 'Basic ' + base64.b64encode(f'me:{PASSWORD}'.encode()).decode()
stored = {}
clock = functools.lru_cache(None)(lambda: Board.of(FOLDER))     # virtual time where there is one at the first request


def sleep(seconds):
    if seconds and clock():
        clock().wait(seconds)
    else:
        time.sleep(seconds)


def behaviour():
    try:
        with open(f'{FOLDER}/behaviour.json') as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 40
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        with open(f'{FOLDER}/requests.jsonl', 'a') as log:
            log.write(json.dumps({'time': clock().now() if clock() else time.time(), 'path': url.path, 'query': query,
                                  'agent': self.headers.get('User-Agent'), 'host': self.headers.get('Host'), 'source': self.client_address[0],
                                  'authorized': self.headers.get('Authorization') == AUTHORIZATION}) + '\n')
        how = behaviour()
        if how.get('silent'):
            sleep(60)
            self.close_connection = True
            return
        if how.get('cut'):
            self.close_connection = True
            return
        sleep(how.get('delay', 0))
        if how.get('short'):
            body = 'good'
        elif how.get('bytes'):
            body = 'x' * how['bytes']
        elif 'body' in how:
            body = how['body']
        elif 'status' in how:
            body = 'no'
        else:
            body = self.update(url, query, how)
        self.answer(how.get('status', 200), body.encode(), how.get('headers', {}), how.get('short'))

    def update(self, url, query, how):
        if url.path != '/nic/update':
            return 'badagent'
        if self.headers.get('Authorization') != AUTHORIZATION:
            return 'badauth'
        lines = []
        for name in query.get('hostname', '').split(',')[:how.get('lines')]:
            if not name.endswith('.' + ZONE) or name in how.get('refuses', {}):
                lines.append(how.get('refuses', {}).get(name, 'nohost'))
                continue
            code = 'good' if how.get('forget') else 'nochg'
            for address in query.get('myip', '').split(','):
                kind = 'AAAA' if ':' in address else 'A'
                code = 'good' if stored.get((name, kind)) != address else code
                if not how.get('lie'):
                    with clock().busy() if clock() else contextlib.nullcontext():
                        time.sleep(how.get('kept_back', 0))
                        set_record(AUTHORITY, ZONE, name, kind, address)
                stored[name, kind] = address
            lines.append(f'{code} {query.get("myip", "")}')
        return '\n'.join(lines)

    def answer(self, status, body, headers, short):
        self.send_response(status)
        self.send_header('Content-Type', 'text/plain')
        self.send_header('Content-Length', str(len(body) * (2 if short else 1)))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass
        self.close_connection |= bool(short)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1000

    def finish_request(self, request, client_address):
        request.settimeout(40)
        with context.wrap_socket(request, server_side=True) as stream:
            self.RequestHandlerClass(stream, client_address, self)

    def handle_error(self, request, client_address):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f'{FOLDER}/tls.pem', f'{FOLDER}/tls.key')
server = Server((ADDRESS, 443), Handler)
open(f'{FOLDER}/provider.ready', 'w').close()
server.serve_forever()
