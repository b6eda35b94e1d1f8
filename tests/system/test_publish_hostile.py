# SPDX-License-Identifier: GPL-2.0-or-later
"""hairpin-publish and hostile peers over real sockets: answers without end, nonsense, other places to go, and variables
that steer libraries. What it keeps and spends is measured on the plain program."""

import contextlib
import itertools
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
import zlib

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
from tap import figure, holds, run_all, same  # noqa: E402
import publish_side as side  # noqa: E402
from publish_side import DISCOVER, FOLDER, PROVIDER, TOP, WEB, Publisher, Web, http, make_job, one, update  # noqa: E402

SEED = int(os.environ.get('SEED', time.time_ns() % 1000000))
HOME = [('home.example.org', '81.2.69.7')]
OK = b'HTTP/1.1 200 OK\r\n'
CHUNKED = OK + b'Transfer-Encoding: chunked\r\n\r\n'


# --- S22: without end

def flood(first, piece, most=1 << 34):
    """Says `first`, then `piece` again and again, until the other end has had enough."""
    def say(_, stream):
        stream.sendall(first)
        sent = 0
        while sent < most:
            stream.sendall(piece)
            sent += len(piece)
    return say


def bomb():
    """A gigabyte of zeros, a megabyte on the way."""
    packer, zeros = zlib.compressobj(9, zlib.DEFLATED, 31), bytes(1 << 20)
    first, more = (packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    body = first + more * 1023
    return OK + b'Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n' % len(body) + body


FLOODS = {
    'a body of 10 GB': flood(OK + b'Content-Length: 10000000000\r\n\r\ngood 81.2.69.7\n', b'x' * 65536),
    'a body without end': flood(OK + b'\r\ngood 81.2.69.7\n', b'x' * 65536),
    'chunks without end': flood(CHUNKED, b'1000\r\n' + b'x' * 4096 + b'\r\n'),
    'chunks of one byte': flood(CHUNKED, b'1\r\nx\r\n' * 10000),
    'a gigabyte packed with gzip': bomb,
    '100,000 headers': flood(OK, b''.join(b'X-%d: %s\r\n' % (i, b'y' * 50) for i in range(100000)), 1),
    'a header of 10 MB': flood(OK + b'X: ', b'y' * 65536, 10 << 20),
    'a status line of 10 MB': flood(b'HTTP/1.1 200 ', b'y' * 65536, 10 << 20),
    'interim answers without end': flood(b'', b'HTTP/1.1 100 Continue\r\n\r\n' * 1000),
    'trailers without end': flood(CHUNKED + b'4\r\ngood\r\n0\r\n', b'X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n' * 1000),
    'the extension of a chunk without end': flood(CHUNKED + b'4;', b'x' * 65536),
}


def spent(pid):
    """(CPU in s, RssAnon in KiB)."""
    with open(f'/proc/{pid}/stat') as stat, open(f'/proc/{pid}/status') as status:
        ticks = sum(map(int, stat.read().rsplit(')', 1)[1].split()[11:13]))
        kib = next(int(line.split()[1]) for line in status if line.startswith('RssAnon'))
    return ticks / os.sysconf('SC_CLK_TCK'), kib


class Watch(threading.Thread):
    """The most memory that `pid` held meanwhile."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.over = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.002):
            self.most = max(self.most, spent(self.pid)[1])

    def end(self):
        self.over.set()
        self.join()
        return max(self.most, spent(self.pid)[1])


def test_floods():
    """answers without end are cut: little memory, little time, no success"""
    longest, cpu, grown, honest = 0, 0, 0, 0
    with Publisher(f'{TOP}/build/hairpin-publish') as publisher:
        for _ in range(8):      # what an answer needs that is as long as it may be
            web.say = http('good ' + 'x' * 60000)
            watch = Watch(publisher.child.pid)
            publisher.ask(update(HOME))
            honest = max(honest, watch.end())
        for what, say in FLOODS.items():
            web.say = say() if say is bomb else say
            for _ in range(3):      # a machine that stands still is no fault of ours
                begin, cpu_before = time.monotonic(), spent(publisher.child.pid)[0]
                watch = Watch(publisher.child.pid)
                answer = publisher.ask(update(HOME, timeout_ms=10000))[0]
                most, lasted = watch.end() - honest, time.monotonic() - begin
                took = spent(publisher.child.pid)[0] - cpu_before
                print(f'# {what}: {answer.verdict}, {lasted:.2f} s, {took:.2f} s CPU, {most:+d} KiB: {answer.text[:80]}')
                same(answer.verdict, 'transient', what)
                cpu, grown = max(cpu, took), max(grown, most)
                if lasted < 5:
                    break
            longest = max(longest, lasted)
        web.say = http('good')
        same(publisher.ask(update(HOME))[0].verdict, 'good')
    figure('S22', f'memory of {len(FLOODS)} answers without end beyond that of an honest one', grown, 256, 'KiB')
    figure('S22', 'processor time of the worst of them', cpu, 1, 's')
    figure('S22', 'the longest of them', longest, 5, 's')


def frame(kind, flags, stream, body=b''):
    """One of HTTP/2 (RFC 9113, 4.1)."""
    return len(body).to_bytes(3, 'big') + bytes([kind, flags]) + stream.to_bytes(4, 'big') + body


GREETING, HEADERS = frame(4, 0, 0), frame(1, 4, 1, b'\x88')		# settings; status 200
FRAMES = {
    'pings': (GREETING, frame(6, 0, 0, bytes(8))), 'settings': (GREETING, frame(4, 0, 0)),
    'windows': (GREETING, frame(8, 0, 1, b'\0\0\0\1')), 'empty data': (GREETING + HEADERS, frame(0, 0, 1)),
    'padding': (GREETING + HEADERS, frame(0, 8, 1, b'\xff' + bytes(255))), 'unknown frames': (GREETING, frame(77, 0, 0, bytes(64))),
    'continuations': (GREETING + frame(1, 0, 1), frame(9, 0, 1))}


def fluent(_, stream):
    """An honest answer over HTTP/2, 60,000 bytes long."""
    body = b''.join(frame(0, number == 3, 1, (b'' if number else b'good').ljust(15000)) for number in range(4))
    stream.sendall(GREETING + frame(4, 1, 0) + HEADERS + body + frame(7, 0, 0, bytes([0, 0, 0, 1, 0, 0, 0, 0])))
    while stream.recv(4096):    # until the other end has left
        pass


def key_server(letter):
    """OpenSSL's own, which says a new key for each such letter; it is fed while the request waits."""
    server = subprocess.Popen(['openssl', 's_server', '-accept', f'{WEB}:4601', '-cert', f'{FOLDER}/good.pem', '-key',
                               f'{FOLDER}/good.key', '-tls1_3'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def play():
        text = b''
        while b'GET ' not in text and (more := os.read(server.stdout.fileno(), 4096)):
            text += more
        threading.Thread(target=server.stdout.read, daemon=True).start()
        with contextlib.suppress(OSError):
            while True:
                server.stdin.write(letter + b'\n')
                server.stdin.flush()
    threading.Thread(target=play, daemon=True).start()
    while server.poll() is None and not side.listens(4601):
        time.sleep(0.01)
    return server


def below(port):
    """Servers that say no answer, but what carries it, without end: {what: (port, letter for key_server())}."""
    servers = {'session tickets': (port, None), 'new keys': (4601, b'k'), 'new keys that want an answer': (4601, b'K')}
    Web(port, say=http('good'), tls=lambda context: setattr(context, 'num_tickets', 10 ** 9))
    for number, (what, (first, again)) in enumerate(FRAMES.items(), port + 1):
        servers[what] = number, None
        Web(number, say=flood(first, again * (16000 // len(again))), tls=lambda context: context.set_alpn_protocols(['h2']))
    return servers


def drown(port, letter):
    """(what the flood's request and one beside it got, CPU in s, KiB more than before it, how long they took)."""
    server = key_server(letter) if letter else None
    with Publisher(f'{TOP}/build/hairpin-publish') as publisher:
        watch = Watch(publisher.child.pid)
        for place in 4 * (PROVIDER, f'{PROVIDER}:4608', f'{PROVIDER}:4609'):      # honest ones, as long as they may be
            same(publisher.ask(update(HOME, place))[0].verdict, 'good')
        kib, used = watch.end(), spent(publisher.child.pid)[0]
        watch, begin = Watch(publisher.child.pid), time.monotonic()
        publisher.channel.send(update(HOME, f'{PROVIDER}:{port}', timeout_ms=20000))
        publisher.channel.send(update(HOME, number=2))
        answers = sorted((*publisher.results(1), *publisher.results(1)), key=lambda answer: answer.number)
        took = time.monotonic() - begin
        most = watch.end()
        used = spent(publisher.child.pid)[0] - used
    if server:
        server.kill()
        server.wait()
    return answers, used, most - kib, took


def test_floods_below():
    """what carries an answer goes on without end, frames of HTTP/2, tickets and keys of TLS: cut, and others have their turn"""
    web.say = http('good'.ljust(60000))
    Web(4608, say=web.say)
    Web(4609, say=fluent, tls=lambda context: context.set_alpn_protocols(['h2']))
    figures = []
    for what, (port, letter) in below(4610).items():
        for _ in range(3):      # once more, where this machine stood still
            answers, used, kib, took = drown(port, letter)
            if took < 10:
                break
        figures.append((used, kib, took))
        print(f'# {what}: {answers[0].verdict}, {used:.2f} s CPU, {kib:+d} KiB: {answers[0].text[:80]}')
        same([answer.verdict for answer in answers], ['transient', 'good'], what)
    cpu, kib, took = map(max, zip(*figures))
    figure('S22', f'processor time of the worst of {len(figures)} floods below the answer: frames, tickets, keys', cpu, 1, 's')
    figure('S22', 'memory of the worst of them', kib, 256, 'KiB')
    figure('S22', 'the longest of them', took, 10, 's')


def test_longest_body():
    """the last byte that is still an answer"""
    read = []
    for length in (60000, 65535, 65537, 70000):
        web.say = http('good'.ljust(length))
        read += [length] if one(update(HOME)).verdict == 'good' else []
    figure('S22', 'bytes of an answer that are read', max(read), 65536)


# --- S24: nonsense

def h2_garbage(chance):
    """An HTTP/2 server that is none: its settings, then frames of chance."""
    def say(_, stream):
        stream.sendall(b'\0\0\0\4\0\0\0\0\0')
        for _ in range(50):
            length = chance.randrange(200)
            stream.sendall(length.to_bytes(3, 'big') + bytes([chance.randrange(12), chance.randrange(256)]) +
                           chance.randrange(4).to_bytes(4, 'big') + chance.randbytes(length))
    return say


def test_nonsense():
    """what is no HTTP, or two things at once, is never a success, and harms nobody"""
    chance = random.Random(SEED)
    print(f'# SEED={SEED}')
    says = [b'good 81.2.69.7\r\n', b'HTTP/0.9 200 OK\r\n\r\ngood', b'\0' * 500, b'HTTP/1.1 200', b'HTTP/1.1 200\r\n', b'HTTP/1.1',
            b'HTTP/1.1 999 Odd\r\nContent-Length: 4\r\n\r\ngood', b'HTTP/1.1 000 Odd\r\nContent-Length: 4\r\n\r\ngood',
            b'HTTP/1.1 -200 Odd\r\nContent-Length: 4\r\n\r\ngood', b'HTTP/1.1 2000 Odd\r\nContent-Length: 4\r\n\r\ngood',
            b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\ngood', OK + b'Content-Length: 50\r\n\r\ngood',
            OK + b'Content-Length: 4\r\nContent-Length: 9\r\n\r\ngood', OK + b'Content-Length: -4\r\n\r\ngood',
            
            CHUNKED + b'zz\r\n', CHUNKED + b'-1\r\ngood\r\n0\r\n\r\n', CHUNKED + b'ffffffffffffffffff\r\ngood',
            CHUNKED[:-2] + b'Content-Length: 40\r\n\r\n4\r\ngood\r\n', OK + b'Transfer-Encoding: gzip\r\n\r\ngood',
            OK + b'Content-Length: 5\r\n\r\ngo\0od', OK + b'\0\0\0: x\r\n\r\n\0good', b'\x16\x03\x01' * 50, b'']
    says += [bytes(chance.randrange(256) for _ in range(chance.randrange(1, 400))) for _ in range(20)]
    says += [OK + bytes(chance.randrange(256) for _ in range(200)) for _ in range(20)]
    good = 0
    with Publisher() as publisher:
        for say in says:
            web.say = lambda request, stream, say=say: stream.sendall(say)
            answer = publisher.ask(update(HOME, timeout_ms=3000))[0]
            good += answer.verdict in ('good', 'unchanged')
            assert answer.verdict not in ('good', 'unchanged'), (say, answer)
        two = Web(4491, say=h2_garbage(chance), tls=lambda context: context.set_alpn_protocols(['h2']))
        for _ in range(10):
            answer = publisher.ask(update(HOME, f'{PROVIDER}:4491', timeout_ms=3000))[0]
            good += answer.verdict in ('good', 'unchanged')
            assert answer.verdict not in ('good', 'unchanged'), answer
        assert two.requests and two.requests[0].startswith('PRI * HTTP/2'), two.requests
        web.say = http('good')
        same(publisher.ask(update(HOME))[0].verdict, 'good')
    figure('S24', f'successes out of {len(says) + 10} answers that are none', good, '== 0')


def test_nothing_stored():
    """cookies, other services and HSTS are not remembered"""
    other = Web(4492)
    plain = Web(4493, None, http('good'))
    web.say, web.requests = http('good', Set_Cookie='id=1.2.3.4; Path=/; Max-Age=86400', Alt_Svc='h2=":4492"; ma=86400',
                                 Strict_Transport_Security='max-age=86400; includeSubDomains'), []
    with Publisher() as publisher:
        for epoch in (1, 1, 2):
            same(publisher.ask(update(HOME, epoch=epoch))[0].verdict, 'good')
        same(publisher.ask(update(HOME, f'{PROVIDER}:4493', insecure_http=1))[0].verdict, 'good', 'plain as before')
    sent = '\r\n'.join(web.requests + plain.requests).lower()
    figure('S24', 'cookies sent back', sent.count('\r\ncookie:'), '== 0')
    same((len(web.requests), other.connections, len(plain.requests)), (3, 0, 1))
    holds('S24', 'neither Alt-Svc nor HSTS is remembered')


# --- F41, F42: addresses and successes where they do not belong

PORTAL = '<!DOCTYPE html><html><head><title>Login</title></head><body>good 81.2.69.7<p>Your IP: 1.2.3.4, v1.2.3.4</html>'


def test_headers():
    """addresses of headers, of error pages and of portals are no answer"""
    said = dict(Set_Cookie='x=1.2.3.4', X_Client_IP='1.2.3.4', X_Forwarded_For='1.2.3.4', Location='https://1.2.3.4/')
    found = []
    with Publisher() as publisher:
        for body, status in (('good', 200), ('', 200), ('Your address is 1.2.3.4', 500), ('1.2.3.4', 500), (PORTAL, 200)):
            web.say = http(body, status, **said)
            answer = publisher.ask(update(HOME))[0]
            found += answer.addresses
            same(answer.verdict, 'good' if body == 'good' else 'transient', body)
            job = make_job(DISCOVER, [('', 'A')], texts=['http', f'https://{PROVIDER}/'])
            found += publisher.ask(job)[0].addresses
    figure('F41', 'addresses taken from headers, error pages or portals', len(found), '== 0')


def test_portal():
    """a portal in the way of an update, over plain HTTP: no success, and no reason to give up"""
    plain = Web(4494, None)
    cases = {'a page': http(PORTAL), 'a login': http('', 302, Location='http://login.example.net/?good'),
             'status 511': http(PORTAL, 511), 'good in a page': http('<html>\ngood\n</html>'),
             'a page that begins with good': http('good\n<html><body>login</body></html>'), 'nothing': http('')}
    good, final = [], []
    with Publisher() as publisher:
        for what, say in cases.items():
            plain.say = say
            answer = publisher.ask(update(HOME, f'{PROVIDER}:4494', insecure_http=1))[0]
            good += [what] if answer.verdict in ('good', 'unchanged') else []
            final += [what] if answer.verdict not in ('transient', 'good') else []
    same((good, final), ([], []))
    figure('F42', f'of {len(cases)} answers of a portal taken for success', len(good), '== 0')
    figure('F42', f'of {len(cases)} answers of a portal taken for final', len(final), '== 0')


# --- S13: what is told

NASTY = ['good\r\nMay 1 root: hairpind: all fine\x1b]0;x\a', '%s%n%n%x%p' * 20, '\x9b31m\x85', '\u202e\u2066evil\u200b\ufeff',
         '\x7f\b\b\b', 'y' * 5000, '\n' * 300, "'; drop", 'a\0b']


def is_quiet(text):
    """One line of at most 200 bytes, with nothing in it that a terminal acts on or that turns the reading round."""
    text = re.sub(r'^HTTP \d+: ', '', text)
    return len(text.encode()) <= 200 and all(
        ' ' <= c <= '~' or c > '\xa0' and c not in '\u200b\u200e\u200f\u2028\u2029\ufeff' and
        not '\u202a' <= c <= '\u202e' and not '\u2066' <= c <= '\u2069' for c in text)


def test_told():
    """what a peer says is told in one quiet line: bodies, JSON errors, headers, names of certificates"""
    loud = []
    document = side.description(requests=[{
        'url': 'https://{server}/u?a={ip}', 'answers': [{'json': 'ok', 'is': True, 'means': 'good'}]}])
    side.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'nasty.key', '-utf8',
                 '-out', 'nasty.pem', '-days', '2', '-subj', '/CN=a\x1b]0;x\x07\nMay 1 root: fine %s%n \u202e',
                 '-addext', 'subjectAltName=DNS:a%s%n.example.net')
    Web(4495, 'nasty')
    with Publisher() as publisher:
        for nasty in NASTY:
            for say in (http(nasty), http(nasty, 500), http(json.dumps({'ok': False, 'error': nasty})), http(nasty.encode('latin-1', 'replace')),
                        http('bad', 503, Retry_After=nasty.replace('\n', ' ')[:60], Server=nasty[:60].replace('\r\n', ' ').encode().decode('latin-1'))):
                web.say = say
                loud += [answer.text for answer in publisher.ask(update(HOME, document=document)) if not is_quiet(answer.text)]
                job = make_job(DISCOVER, [('', 'A')], texts=['http', f'https://{PROVIDER}/'])
                loud += [answer.text for answer in publisher.ask(job) if not is_quiet(answer.text)]
        answer = publisher.ask(update(HOME, f'{PROVIDER}:4495'))[0]
        same((answer.verdict, is_quiet(answer.text)), ('tls refused', True), answer.text)
    same(loud, [])
    figure('S13', 'texts of hostile answers that are more than one quiet line of 200 bytes', len(loud), '== 0')


# --- S19: other places

INSIDE = {'127.0.0.1': 4, '169.254.169.254': 4, '192.168.7.2': 4, '10.1.2.3': 4, '100.64.1.1': 4, '0.0.0.0': 4, '224.0.0.1': 4, '::1': 6,
          'fe80::7': 6, 'fd00::7': 6, '::ffff:127.0.0.1': 6, '::ffff:192.168.7.2': 6, '::': 6, '64:ff9b::7f00:1': 6, '2002:7f00:1::1': 6}


def test_rebinding():
    """a provider or service whose name leads inside, at once, by the second look or by a redirect, is not connected to"""
    for address in ('169.254.169.254/32', '192.168.7.2/32', '10.1.2.3/32', '100.64.1.1/32', 'fd00::7/128'):
        subprocess.run(['ip', 'addr', 'add', address, 'dev', 'lo', *(['nodad'] if ':' in address else [])], check=True)
    inside = [Web(4496, say=http('good'), address='0.0.0.0'), Web(4497, say=http('good'), address='::')]
    names = {}

    def resolve(name, kind, query):
        address = names.get(name, '')
        if callable(address):
            address = address() if kind == 'A' else ''
        return side.reply(query, [side.rr(name, kind, address, 0)] if address and (kind == 'AAAA') == (':' in address) else [], 0x8180)
    side.Dns('45.11.1.54', resolve)
    with side.resolver('45.11.1.54'), Publisher() as publisher:
        for number, (address, family) in enumerate(INSIDE.items()):
            names[f'n{number}.example.net'] = address
            port = {4: 4496, 6: 4497}[family]
            for place in (f'n{number}.example.net', f'[{address}]' if family == 6 else address):
                answer = publisher.ask(update(HOME, f'{place}:{port}', timeout_ms=5000))[0]
                assert answer.verdict in ('unreachable', 'bad request'), (place, answer)
                job = make_job(DISCOVER, [('', 'AAAA' if family == 6 else 'A')], texts=['http', f'https://{place}:{port}/'], timeout_ms=5000)
                same((publisher.ask(job)[0].addresses), [], place)
        # Outside at the first look, inside at the second: what was looked at is what is connected to.
        looks = iter([WEB] + ['127.0.0.1'] * 50)
        names['turn.example.net'] = lambda: next(looks)
        web.requests = []
        for verdict in ('tls refused', 'unreachable'):
            same(publisher.ask(update(HOME, 'turn.example.net:443', timeout_ms=5000))[0].verdict, verdict, 'the name of another')
        for where in ('https://127.0.0.1:4496/', 'https://[::1]:4497/', 'https://169.254.169.254:4496/', 'http://192.168.7.2/', '//127.0.0.1:4496/',
                      'https://[::ffff:127.0.0.1]:4497/', f'https://{PROVIDER}@127.0.0.1:4496/', f'https://{PROVIDER}:4496/'):
            web.say = http('', 302, Location=where)
            same(publisher.ask(update(HOME))[0].verdict, 'bad request', where)
    figure('S19', f'connections to {len(INSIDE)} addresses inside, by name, by address, by redirect', sum(w.connections for w in inside), '== 0')
    one(update(HOME, '127.0.0.1:4496', private_server=1))
    same(inside[0].connections, 1, 'with private_server')


# --- traps of libraries

def test_variables():
    """variables that steer libraries have no effect: proxies, key logs, resolvers, certificates"""
    proxy, keys = Web(4498, None, http('good')), f'{FOLDER}/keys.log'
    with open(f'{FOLDER}/aliases', 'w') as file:
        file.write('provider dyn.example.net\n')
    place = f'http://{WEB}:4498'
    variables = {'SSLKEYLOGFILE': keys, 'LD_DEBUG': '', 'HOSTALIASES': f'{FOLDER}/aliases', 'LOCALDOMAIN': 'example.net',
                 'RES_OPTIONS': 'ndots:5 debug', 'CURL_CA_BUNDLE': f'{FOLDER}/self.pem', 'SSL_CERT_FILE': f'{FOLDER}/self.pem',
                 'HOME': FOLDER, 'NETRC': f'{FOLDER}/netrc', 'OPENSSL_CONF': '/nonexistent'}
    for name in ('http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'):
        variables[name] = place
    with open(f'{FOLDER}/.netrc', 'w') as file:
        file.write(f'machine {PROVIDER} login other password stolen\n')
    web.say, web.requests = http('good'), []
    Web(4499, 'self', http('good'))
    with Publisher(environment=variables) as publisher:
        same(publisher.ask(update(HOME))[0].verdict, 'good')
        same(publisher.ask(update(HOME, 'provider'))[0].verdict, 'unreachable', 'HOSTALIASES')
        same(publisher.ask(update(HOME, f'{PROVIDER}:4499'))[0].verdict, 'tls refused', 'SSL_CERT_FILE')
    same((len(web.requests), proxy.connections, os.path.exists(keys)), (1, 0, False))
    holds('S6', 'no keys of TLS are written to $SSLKEYLOGFILE')
    figure('S19', 'connections to $https_proxy and its kin', proxy.connections, '== 0')
    figure('S20', 'requests to the target of a name in $HOSTALIASES', len(web.requests) - 1, '== 0')


def test_redirect_secret():
    """a header of one's own with a secret goes to no other server, port or scheme"""
    document = side.description(requests=[{'url': 'https://{server}/u?a={ip}', 'headers': {'X-Api-Key': '{password}'}}])
    other = [Web(4501, say=http('good')), Web(4502, None, http('good')), Web(4503, 'wrong', http('good'))]
    places = (f'https://{PROVIDER}:4501/', f'http://{PROVIDER}:4502/', 'https://other.example.net:4503/', f'//{PROVIDER}:4501/')
    with Publisher() as publisher:
        for status, where in itertools.product((301, 302, 303, 307, 308), places):
            web.say = http('', status, Location=where)
            same(publisher.ask(update(HOME, document=document, password='k3y'))[0].verdict, 'bad request', where)
            assert 'X-Api-Key: k3y' in web.requests[-1]
    figure('S3', 'requests with a secret header that follow a redirect elsewhere', sum(w.connections for w in other), '== 0')


def test_duplicates():
    """JSON that says a thing twice, or in another case, says nothing"""
    document = side.description(requests=[{
        'url': 'https://{server}/u?a={ip}', 'answers': [{'json': 'success', 'is': True, 'means': 'good'}]}])
    good = 0
    with Publisher() as publisher:
        for body in ('{"success": true, "success": false}', '{"success": false, "success": true}', '{"Success": true}', '{"SUCCESS": true}',
                     '{"success": true}x', '{"success": true', '[{"success": true}]', '{"a": {"success": true}}', '{"success": "true\\u0000"}',
                     '{"success": true, "x": ' + '[' * 40 + ']' * 40 + '}'):
            web.say = http(body)
            answer = publisher.ask(update(HOME, document=document))[0]
            good += answer.verdict == 'good'
            same(answer.verdict, 'transient', f'{body}: {answer.text}')
        web.say = http('{"x": 1, "success": true}')
        same(publisher.ask(update(HOME, document=document))[0].verdict, 'good')
    figure('S25', 'answers with duplicate, misspelt or broken keys taken for success', good, '== 0')


side.start_internet()
web = Web(443)
run_all(globals())
