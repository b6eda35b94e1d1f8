# SPDX-License-Identifier: GPL-2.0-or-later
"""The core's side of hairpin-publish, and the internet it meets: an HTTPS server and DNS servers that
do as they are told, beside a real knot. Everything listens on addresses of the loopback."""

import atexit
import contextlib
import ctypes
import json
import os
import re
import select
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = '/run/publish'
WEB, KNOT, PROVIDER = '45.11.1.80', '45.11.1.53', 'dyn.example.net'

(CHECK, VERIFY, UPDATE, DISCOVER, RESOLVE) = (1, 2, 3, 4, 5)
VERDICTS = {1: 'answer', 2: 'no proof', 3: 'no answer', 4: 'verified', 5: 'not yet', 16: 'good', 17: 'unchanged',
            18: 'unconfirmed', 19: 'badauth', 20: 'nohost', 21: 'abuse', 22: 'badagent', 23: 'forbidden',
            24: 'bad request', 25: 'split', 26: 'rate limited', 27: 'server error', 28: 'transient',
            29: 'unreachable', 30: 'tls refused'}


try:
    os.fstat(3)     # a child gets its channel there, so nothing of ours may lie there
except OSError:
    os.dup2(os.open('/dev/null', os.O_RDONLY), 3)


# --- include/hairpin/message.h; the program refuses a job whose layout is another

class Head(ctypes.Structure):
    _fields_ = [('type', ctypes.c_uint32), ('number', ctypes.c_uint32)]


class Addr(ctypes.Structure):
    _fields_ = [('family', ctypes.c_uint8), ('bytes', ctypes.c_uint8 * 16)]

    @classmethod
    def parse(cls, text):
        if not text:
            return cls()
        family = socket.AF_INET6 if ':' in text else socket.AF_INET
        return cls(family, (ctypes.c_uint8 * 16)(*socket.inet_pton(family, text)))

    def __str__(self):
        return socket.inet_ntop(self.family, bytes(self.bytes)[:16 if self.family == socket.AF_INET6 else 4])


class Record(ctypes.Structure):
    _fields_ = [('record', ctypes.c_uint32), ('family', ctypes.c_uint8), ('address', Addr),
                ('hostname', ctypes.c_char * 254)]


class Job(ctypes.Structure):
    _fields_ = [('head', Head), ('kind', ctypes.c_uint32), ('timeout_ms', ctypes.c_uint32),
                ('request_ms', ctypes.c_uint32), ('private_server', ctypes.c_uint8), ('insecure_http', ctypes.c_uint8),
                ('trusted_servers', ctypes.c_uint8), ('server_count', ctypes.c_uint8),
                ('epoch', ctypes.c_uint64), ('record_count', ctypes.c_uint32), ('text_bytes', ctypes.c_uint32),
                ('interface', ctypes.c_char * 16), ('interface6', ctypes.c_char * 16),
                ('servers', ctypes.c_char * 64 * 8), ('records', Record * 40)]


class Result(ctypes.Structure):
    _fields_ = [('head', Head), ('record', ctypes.c_uint32), ('verdict', ctypes.c_uint32),
                ('address_count', ctypes.c_uint32), ('ttl_s', ctypes.c_uint32),
                ('retry_after_s', ctypes.c_uint32), ('http_status', ctypes.c_uint32),
                ('addresses', Addr * 32), ('memo', ctypes.c_char * 513), ('text', ctypes.c_char * 256)]


class Answer:
    """A result, readable."""

    def __init__(self, packet):
        assert len(packet) == ctypes.sizeof(Result), f'a result of {len(packet)} bytes'
        result = Result.from_buffer_copy(packet)
        self.number, self.record = result.head.number, result.record
        self.verdict = VERDICTS[result.verdict]
        self.addresses = [str(result.addresses[i]) for i in range(result.address_count)]
        self.ttl, self.retry_after, self.status = result.ttl_s, result.retry_after_s, result.http_status
        self.memo, self.text = result.memo.decode(), result.text.decode()

    def __repr__(self):
        return str(vars(self))


def make_job(kind, records, number=1, timeout_ms=30000, texts=(), servers=(), **flags):
    """records: (hostname, address or family) each; the packet."""
    job = Job(head=Head(32, number), kind=kind, timeout_ms=timeout_ms, record_count=len(records), **flags)
    if kind == UPDATE and not job.request_ms:
        job.request_ms = timeout_ms
    job.server_count, job.trusted_servers = len(servers), bool(servers)
    for i, server in enumerate(servers):
        job.servers[i].value = server.encode()
    for i, (hostname, address) in enumerate(records):
        if address in ('A', 'AAAA'):
            family, address = (socket.AF_INET6 if address == 'AAAA' else socket.AF_INET), ''
        else:
            family = socket.AF_INET6 if ':' in address else socket.AF_INET
        job.records[i] = Record(100 + i, family, Addr.parse(address), hostname.encode())
    text = b''.join(text.encode() + b'\0' for text in texts)
    job.text_bytes = len(text)
    return bytes(job) + text


def refuse_binding():
    """This process and its children may bind to no link (SO_BINDTODEVICE), as on Linux before 5.7."""
    number, libc = {'x86_64': 54, 'aarch64': 208}[os.uname().machine], ctypes.CDLL(None, use_errno=True)
    load, equal, give, refuse = 0x20, 0x15, 0x06, 0x00050000 | 1
    code = [(load, 0, 0, 0), (equal, 0, 5, number),
            (load, 0, 0, 24), (equal, 0, 3, socket.SOL_SOCKET),
            (load, 0, 0, 32), (equal, 0, 1, socket.SO_BINDTODEVICE),
            (give, 0, 0, refuse), (give, 0, 0, 0x7fff0000)]
    bytes_ = ctypes.create_string_buffer(b''.join(struct.pack('=HBBI', *line) for line in code))
    program = ctypes.create_string_buffer(struct.pack('@HP', len(code), ctypes.addressof(bytes_)))
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, program, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'seccomp')


class Publisher:
    """The program with its channel; a context manager."""

    def __init__(self, program=None, before=lambda: None, environment=()):
        self.before, self.environment = before, dict(environment)
        asan = f'{TOP}/build/asan/hairpin-publish'
        self.program = program or os.environ.get('HAIRPIN_PUBLISH') or (
            asan if os.path.exists(asan) else f'{TOP}/build/hairpin-publish')

    def __enter__(self):
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self.channel, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400000)
        self.errors = open(f'{FOLDER}/publisher.err', 'w+b')
        # The leak detector needs ptrace, which the program's own sandbox refuses.
        self.child = subprocess.Popen(
            [self.program], pass_fds=[3], preexec_fn=lambda: (os.dup2(theirs.fileno(), 3), self.before()),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors,
            env={'PATH': '/usr/bin:/bin', 'ASAN_OPTIONS': os.environ.get('HAIRPIN_PUBLISH_ASAN', 'detect_leaks=0'),
                 'HAIRPIND_REPORTS': os.environ.get('HAIRPIND_REPORTS', ''), **self.environment})
        theirs.close()
        return self

    def __exit__(self, *_):
        self.channel.close()
        try:
            status = self.child.wait(60)
        except subprocess.TimeoutExpired:
            self.child.kill()
            status = self.child.wait()
        self.errors.seek(0)
        with self.errors:
            said = self.errors.read().decode(errors='replace')
        assert status == 0 and not said, f'exit {status}: {said}'

    def warm(self):
        """Waits until it has started and answers: what is measured afterwards is without that."""
        self.ask(make_job(UPDATE, [('warm.example.org', '192.0.2.1')], 0, 600000, ['{}', '', '', '']), 600)

    def ask(self, packet, timeout=60):
        """The results of one job, in the order of its records."""
        self.channel.send(packet)
        count = struct.unpack_from('I', packet, Job.record_count.offset)[0]
        return self.results(count, timeout)

    def results(self, count, timeout=60):
        answers, end = [], time.monotonic() + timeout
        while len(answers) < count:
            if not select.select([self.channel], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError(f'{len(answers)} of {count} results')
            packet = self.channel.recv(100000)
            if not packet:
                self.errors.seek(0)
                raise EOFError(f'the publisher is gone: {self.errors.read().decode(errors="replace")}')
            answers.append(Answer(packet))
        return sorted(answers, key=lambda answer: (answer.number, answer.record))


# --- HTTPS

def openssl(*argv):
    subprocess.run(['openssl', *argv], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=FOLDER)


def make_certificate(name, san, *more):
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', f'{name}.key',
            '-out', f'{name}.csr', '-subj', f'/CN={PROVIDER}')
    with open(f'{FOLDER}/{name}.ext', 'w') as ext:
        ext.write(f'subjectAltName={san}\n')
    openssl('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
            '-extfile', f'{name}.ext', '-out', f'{name}.pem', *(more or ('-days', '2')))


def make_dated(name, begin, end):
    """A certificate of another time: only `openssl ca` takes both ends on old versions."""
    os.makedirs(f'{FOLDER}/ca.d', exist_ok=True)
    open(f'{FOLDER}/ca.d/index', 'w').close()
    with open(f'{FOLDER}/ca.cnf', 'w') as conf:
        conf.write('[ca]\ndefault_ca=d\n[d]\ndatabase=ca.d/index\nnew_certs_dir=ca.d\nrand_serial=yes\n'
                   'default_md=sha256\npolicy=p\ncopy_extensions=copy\n[p]\ncommonName=supplied\n')
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', f'{name}.key',
            '-out', f'{name}.csr', '-subj', f'/CN={PROVIDER}', '-addext', f'subjectAltName=DNS:{PROVIDER}')
    openssl('ca', '-batch', '-notext', '-config', 'ca.cnf', '-in', f'{name}.csr', '-cert', 'ca.pem', '-keyfile', 'ca.key',
            '-startdate', begin, '-enddate', end, '-out', f'{name}.pem')


def make_certificates():
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key',
            '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Test CA', '-addext', 'basicConstraints=critical,CA:TRUE',
            '-addext', 'keyUsage=critical,keyCertSign')
    make_certificate('good', f'DNS:{PROVIDER}')
    make_certificate('wrong', 'DNS:other.example.net')
    make_dated('expired', '20200101000000Z', '20210101000000Z')
    make_dated('future', '20900101000000Z', '20910101000000Z')
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'self.key',
            '-out', 'self.pem', '-days', '2', '-subj', f'/CN={PROVIDER}', '-addext', f'subjectAltName=DNS:{PROVIDER}')


class Web:
    """A server on WEB:port that gives `say` (bytes, or a function of the request that may use the stream)."""

    def __init__(self, port, certificate='good', say=b'', talk=True, address=WEB, tls=lambda context: None):
        self.say, self.requests, self.connections, self.talk = say, [], 0, talk
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls(self.tls)
            self.tls.load_cert_chain(f'{FOLDER}/{certificate}.pem', f'{FOLDER}/{certificate}.key')
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family, backlog=500)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            stream, _ = self.listener.accept()
            self.connections += 1
            threading.Thread(target=self.serve, args=(stream,), daemon=True).start()

    def serve(self, stream):
        try:
            if not self.talk:
                time.sleep(60)
                return
            stream.settimeout(40)
            if self.tls:
                stream = self.tls.wrap_socket(stream, server_side=True)
            while self.one(stream):
                pass
        except (OSError, ssl.SSLError):
            pass
        finally:
            stream.close()

    def one(self, stream):
        request = b''
        while b'\r\n\r\n' not in request:
            more = stream.recv(4096)
            if not more:
                return False
            request += more
            if request.startswith(b'\x16'):     # TLS, where we speak none
                stream.sendall(http('', 400))
                return False
        head, _, body = request.partition(b'\r\n\r\n')
        length = re.search(rb'(?im)^content-length: (\d+)', head)
        while length and len(body) < int(length[1]):
            body += stream.recv(4096)
            request = head + b'\r\n\r\n' + body
        self.requests.append(request.decode(errors='replace'))
        say = self.say
        if callable(say):
            say = say(request.decode(errors='replace'), stream)
        if say is None:
            return False
        stream.sendall(say)
        return b'Content-Length' in say


def http(body='', status=200, **headers):
    """An answer's bytes."""
    body = body if isinstance(body, bytes) else body.encode()
    lines = [f'HTTP/1.1 {status} Something', f'Content-Length: {len(body)}']
    lines += [f'{name.replace("_", "-")}: {value}' for name, value in headers.items()]
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


def listens(port):
    """Is somebody there? Told without a connection."""
    with open('/proc/net/tcp') as table:
        return any(line.split()[1].endswith(f':{port:04X}') and line.split()[3] == '0A' for line in table)


# --- DNS

def wire_name(name):
    return b''.join(bytes([len(label)]) + label.encode() for label in name.split('.') if label) + b'\0'


def rr(owner, kind, value, ttl=60, klass=1):
    """One record; kind A, AAAA, NS, CNAME, or TXT with its rdata as bytes."""
    number = {'A': 1, 'NS': 2, 'CNAME': 5, 'TXT': 16, 'AAAA': 28}[kind]
    if kind in ('A', 'AAAA'):
        value = socket.inet_pton(socket.AF_INET6 if kind == 'AAAA' else socket.AF_INET, value)
    elif kind != 'TXT':
        value = wire_name(value)
    return wire_name(owner) + struct.pack('>HHIH', number, klass, ttl, len(value)) + value


def reply(query, records=(), flags=0x8400, rcode=0):
    """An answer to `query`: AA by default."""
    end = 12
    while query[end]:
        end += query[end] + 1
    question = query[12:end + 5]
    return query[:2] + struct.pack('>HHHHH', flags | rcode | (query[2] & 1) << 8, 1, len(records), 0, 0) \
        + question + b''.join(records)


def question(query):
    """(name, type) of a query."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += query[at] + 1
    number = struct.unpack_from('>H', query, at + 1)[0]
    return '.'.join(labels).lower(), {1: 'A', 2: 'NS', 5: 'CNAME', 16: 'TXT', 28: 'AAAA'}.get(number, number)


class Dns:
    """A name server on address:53, UDP and TCP: answer(name, type, query) gives bytes or None (silence)."""

    def __init__(self, address, answer, tcp=True):
        self.answer, self.asked, self.ports, self.ids, self.taken = answer, [], [], [], set()
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        self.udp = socket.socket(family, socket.SOCK_DGRAM)
        self.udp.bind((address, 53))
        self.tcp = socket.create_server((address, 53), family=family)
        threading.Thread(target=self.serve_udp, daemon=True).start()
        if tcp:
            threading.Thread(target=self.serve_tcp, daemon=True).start()

    def take(self, query, transport):
        name, kind = question(query)
        if (transport, query) not in self.taken:    # on a busy machine it asks again, with the same bytes
            self.asked.append((name, kind, transport, bool(query[2] & 1)))
        self.taken.add((transport, query))
        return self.answer(name, kind, query) if transport == 'udp' else \
            getattr(self, 'answer_tcp', self.answer)(name, kind, query)

    def serve_udp(self):
        while True:
            query, peer = self.udp.recvfrom(4096)
            self.ports.append(peer[1])
            self.ids.append(query[:2])
            said = self.take(query, 'udp')
            for one in said if isinstance(said, list) else [said]:
                if one is not None:
                    self.udp.sendto(one, peer)

    def serve_tcp(self):
        while True:
            stream, _ = self.tcp.accept()
            threading.Thread(target=self.serve_stream, args=(stream,), daemon=True).start()

    def serve_stream(self, stream):
        with stream, contextlib.suppress(OSError):
            while len(size := stream.recv(2, socket.MSG_WAITALL)) == 2:
                query = stream.recv(struct.unpack('>H', size)[0], socket.MSG_WAITALL)
                said = self.take(query, 'tcp')
                if said is None:
                    time.sleep(20)
                    return
                stream.sendall(struct.pack('>H', len(said)) + said)


def description(**changes):
    """The generic dyndns2 description, changed."""
    with open(f'{TOP}/conf/providers/dyndns2.json') as file:
        document = json.load(file)
    document.update(changes)
    return json.dumps(document)


PASSWORD = 'corr ect/h+orse"%&7Aß'


def update(records, server=PROVIDER, number=1, timeout_ms=30000, password=PASSWORD, ca=None, memos=(), agent='',
           document=None, **flags):
    if ca is None:
        with open(f'{FOLDER}/ca.pem') as file:
            ca = file.read()
    return make_job(UPDATE, records, number, timeout_ms, [
        document or description(), agent, ca, *(memos or [''] * len(records)), 'server', server, 'username', 'me',
        'password', password], **flags)


def one(packet, timeout=40):
    with Publisher() as publisher:
        return publisher.ask(packet, timeout)[0]


class resolver:
    """Another /etc/resolv.conf meanwhile."""

    def __init__(self, *addresses):
        self.text = ''.join(f'nameserver {address}\n' for address in addresses) + 'search example.org\n'

    def __enter__(self):
        self.write(self.text)

    def __exit__(self, *_):
        self.write(f'nameserver {KNOT}\n')

    def write(self, text):
        with open('/etc/resolv.conf.new', 'w') as conf:
            conf.write(text)
        os.rename('/etc/resolv.conf.new', '/etc/resolv.conf')


def start_internet():
    """Addresses, certificates, files of /etc, and knot, which ends with the test."""
    if os.environ.get('HAIRPIN_TEST_NETNS') != '1':
        print('run it as tests/lab/enter python3 FILE', file=sys.stderr)
        sys.exit(77)
    os.makedirs(FOLDER, exist_ok=True)
    for address in (WEB, KNOT, '45.11.1.54', '45.11.1.55', '45.11.1.56', '45.11.1.57'):
        subprocess.run(['ip', 'addr', 'add', f'{address}/32', 'dev', 'lo'], check=True)
    with open('/etc/resolv.conf', 'w') as conf:
        conf.write(f'nameserver {KNOT}\n')
    with open('/etc/hosts', 'w') as hosts:
        hosts.write(f'127.0.0.1 localhost\n{WEB} {PROVIDER}   # ours\n')
    make_certificates()
    return start_knot()


def start_knot():
    zones = {'example.org': '''@ NS ns1
@ NS ns2
ns1 A 45.11.1.53
ns2 A 45.11.1.53
home A 81.2.69.7
home AAAA 2a01:4f8:1::7
two A 81.2.69.7
two A 81.2.69.8
alias CNAME home
away CNAME there.example.com.
*.wild A 81.2.69.9
short 7 A 81.2.69.20
chain 30 CNAME hop
hop 5 CNAME short
dangling 30 CNAME gone
lan NS ns.lan
ns.lan A 45.11.1.57
''', 'example.com': '''@ NS ns1.example.org.
there A 81.2.69.10
loop CNAME pool
pool CNAME loop
''', 'quiet.test': '''@ NS ns1
ns1 A 45.11.1.54
home A 81.2.69.3
''', 'six.test': '''@ NS ns1
ns1 AAAA 2a01:4f8:2::53
''', 'mixed.test': '''@ NS ns1
@ NS ns2
ns1 A 45.11.1.53
ns2 A 45.11.1.55
home A 81.2.69.7
''', 'evil.test': '''@ NS ns1
ns1 A 45.11.1.56
home A 81.2.69.3
''', 'example.net': '''@ NS ns1.example.org.
inside A 192.168.1.2
nowhere TXT "no address"
'''}
    folder = f'{FOLDER}/knot'
    os.makedirs(folder, exist_ok=True)
    conf = (f'server:\n  rundir: {folder}\n  listen: [{KNOT}@53]\n  background-workers: 1\n  udp-workers: 1\n'
            f'  tcp-workers: 1\ndatabase:\n  storage: {folder}\nzone:\n')
    for zone, text in zones.items():
        with open(f'{folder}/{zone}.zone', 'w') as file:
            file.write(f'$ORIGIN {zone}.\n$TTL 60\n@ SOA ns1.example.org. hostmaster 1 3600 600 86400 60\n{text}')
        conf += f'  - domain: {zone}\n    storage: {folder}\n    file: {zone}.zone\n    journal-content: none\n'
    with open(f'{folder}/knot.conf', 'w') as file:
        file.write(conf)
    knot = subprocess.Popen(['knotd', '-c', f'{folder}/knot.conf'], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
    atexit.register(knot.kill)
    for _ in range(1000):
        done = subprocess.run(['kdig', f'@{KNOT}', '+short', '+timeout=1', '+retry=0', 'home.example.org'],
                              capture_output=True, text=True)
        if done.stdout.strip() == '81.2.69.7':
            return
        time.sleep(0.05)
    raise RuntimeError('knot does not answer')
