# SPDX-License-Identifier: GPL-2.0-or-later
"""A service with zones, records and their ids behind HTTPS, as Cloudflare's API is: it keeps what it is told, writes the
addresses into the lab's zone, counts what it was asked, and fails where a test wants it to."""

import contextlib
import http.server
import json
import re
import socket
import ssl
import threading
import urllib.parse

from lab import AUTHORITY, RESOLVER, ZONE, inside, run, set_record, wait_for

ADDRESS, NAME = '45.11.1.81', 'api.cloudflare.com'
ACCOUNTS = {'first t0ken': 'zone-of-first', 'second t0ken': 'zone-of-second'}   # token: id of the zone


class Cloud(http.server.ThreadingHTTPServer):
    """`fails(method, stored)`, called when a request was done, gives None (honest), 'cut' (the connection is closed
    without an answer), or an answer (status, body) instead. What it gives for `stored` False is done before: nothing
    is written then."""

    daemon_threads = True

    def __init__(self, folder):
        self.folder, self.records, self.asked, self.next_id = folder, {}, [], 1
        self.fails = lambda method, stored: None
        self.lock = threading.Lock()
        super().__init__((ADDRESS, 443), Handler, bind_and_activate=False)
        self.socket.close()
        with inside('inet'):
            self.socket = socket.create_server((ADDRESS, 443), backlog=50)
        self.make_certificate()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f'{folder}/cloud.pem', f'{folder}/cloud.key')
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def make_certificate(self):
        folder = self.folder
        run('openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
            '-keyout', f'{folder}/cloud.key', '-out', f'{folder}/cloud.csr', '-subj', f'/CN={NAME}')
        with open(f'{folder}/cloud.ext', 'w') as ext:
            ext.write(f'subjectAltName=DNS:{NAME}\n')
        run('openssl', 'x509', '-req', '-in', f'{folder}/cloud.csr', '-CA', f'{folder}/ca.pem',
            '-CAkey', f'{folder}/ca.key', '-CAcreateserial', '-days', '2',
            '-extfile', f'{folder}/cloud.ext', '-out', f'{folder}/cloud.pem')

    def handle_error(self, *_):
        pass    # clients that were killed

    def add(self, name, kind, content, **more):
        """A record; its id."""
        with self.lock:
            ident, self.next_id = f'id{self.next_id}', self.next_id + 1
            self.records[ident] = {'id': ident, 'name': name, 'type': kind, 'content': content, **more}
        self.publish(name, kind, content)
        return ident

    def publish(self, name, kind, content):
        if kind in ('A', 'AAAA'):
            set_record(AUTHORITY, ZONE, name, kind, content, ns='inet')

    def find(self, name, kind):
        with self.lock:
            return [dict(record) for record in self.records.values() if (record['name'], record['type']) == (name, kind)]

    def clear(self):
        """As new: no records, honest, nothing asked yet."""
        for record in list(self.records.values()):
            self.publish(record['name'], record['type'], None)
        self.records.clear()
        self.asked.clear()
        self.fails = lambda method, stored: None

    def take_asked(self):
        """What was asked since the last time: 'zones', 'records', 'PATCH', 'POST', each as often as asked, sorted."""
        with self.lock:
            asked, self.asked[:] = list(self.asked), []
        return sorted(asked)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 40

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, code, message):
        return status, {'success': False, 'errors': [{'code': code, 'message': message}], 'messages': [], 'result': None}

    def give(self, result):
        return 200, {'success': True, 'errors': [], 'messages': [], 'result': result}

    def handle_one(self):
        cloud = self.server
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        what = self.command if self.command != 'GET' else 'zones' if url.path.endswith('/zones') else 'records'
        with cloud.lock:
            cloud.asked.append(what)
        said = cloud.fails(what, False) or self.act(url.path, query, body)
        said = cloud.fails(what, True) or said
        if said == 'cut':
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.answer(*said)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_one

    def act(self, path, query, body):
        zone = ACCOUNTS.get(self.headers.get('Authorization', '')[len('Bearer '):])
        if not zone:
            return self.refuse(401, 10000, 'Authentication error')
        if path == '/client/v4/zones' and self.command == 'GET':
            zones = [{'id': zone, 'name': ZONE}, {'id': 'above', 'name': 'org'}, {'id': 'beside', 'name': 'ample.org'}]
            return self.give([row for row in zones if query.get('name', row['name']) == row['name']])
        match = re.fullmatch(r'/client/v4/zones/([^/]*)/dns_records(?:/([^/]*))?', path)
        if not match:
            return self.refuse(404, 7003, 'Could not route')
        if match[1] != zone:
            return self.refuse(403, 10000, 'Authentication error')
        return self.act_on_records(match[2], query, body)

    def act_on_records(self, ident, query, body):
        cloud = self.server
        if self.command == 'GET' and not ident:
            return self.give(cloud.find(query.get('name'), query.get('type')))
        fields = json.loads(body)
        if self.command == 'POST' and not ident:
            ident = cloud.add(fields.pop('name'), fields.pop('type'), fields.pop('content'), **fields)
            return self.give(dict(cloud.records[ident]))
        if self.command != 'PATCH':
            return self.refuse(405, 10000, 'Method not allowed')
        with cloud.lock:
            record = cloud.records.get(ident)
            if record:
                record.update(fields)
        if not record:
            return self.refuse(404, 81044, 'Record does not exist.')
        cloud.publish(record['name'], record['type'], record['content'])
        return self.give(dict(record))


def start(lab):
    """The service on the lab's internet, known to its resolver."""
    run('ip', 'addr', 'add', f'{ADDRESS}/32', 'dev', 'lo', ns='inet')
    lab.end(lab.resolver)
    lab.resolver = lab.start(
        'dnsmasq', '-d', '-C', '/dev/null', '--no-resolv', '--no-hosts', f'--listen-address={RESOLVER}',
        '--bind-interfaces', '--pid-file=', '--cache-size=0', f'--server=/{ZONE}/{AUTHORITY}',
        f'--address=/{NAME}/{ADDRESS}', '--local=//', ns='inet', log=f'{lab.folder}/dnsmasq.log')
    wait_for('the resolver answers', 10, lambda: run(
        'kdig', f'@{RESOLVER}', '+short', '+timeout=1', '+retry=0', NAME, 'A', ns='inet', check=False))
    return Cloud(lab.folder)
