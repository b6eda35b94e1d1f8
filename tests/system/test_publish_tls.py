# SPDX-License-Identifier: GPL-2.0-or-later
"""hairpin-publish and who is not who he says: certificates and protocols that must not be trusted. No HTTP request
may reach them, and the reason must be said."""

import os
import ssl
import subprocess
import sys
import threading
import time

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
from tap import figure, run_all, same  # noqa: E402
import publish_side as side  # noqa: E402
from nginx_side import start_nginx  # noqa: E402
from publish_side import FOLDER, PROVIDER, WEB, Publisher, Web, http, one, openssl, update  # noqa: E402

HOME = [('home.example.org', '81.2.69.7')]
SAN = f'subjectAltName=DNS:{PROVIDER}'
EC, RSA = ('ec', '-pkeyopt', 'ec_paramgen_curve:P-256'), ('rsa:1024',)


def issue(name, key=EC, subject=f'/CN={PROVIDER}', san=SAN, ca='ca', digest='-sha256'):
    """A certificate of `ca`, with nothing but what is said here."""
    openssl('req', '-newkey', *key, '-nodes', '-keyout', f'{name}.key', '-out', f'{name}.csr', '-subj', subject)
    with open(f'{FOLDER}/{name}.ext', 'w') as file:
        file.write(f'{san}\nkeyUsage=digitalSignature\n')
    openssl('x509', '-req', digest, '-in', f'{name}.csr', '-CA', f'{ca}.pem', '-CAkey', f'{ca}.key', '-CAcreateserial',
            '-extfile', f'{name}.ext', '-out', f'{name}.pem', '-days', '2')


def issue_all():
    openssl('req', '-x509', '-newkey', *EC, '-nodes', '-keyout', 'stranger.key', '-out', 'stranger.pem', '-days', '2',
            '-subj', '/CN=Stranger', '-addext', 'basicConstraints=critical,CA:TRUE')
    issue('other-ca', ca='stranger')
    issue('cn-only', san='')
    issue('other-san', san='subjectAltName=DNS:other.example.net')
    issue('part', san='subjectAltName=DNS:*.example.org,DNS:example.net,DNS:dyn.example.net.evil.org')
    issue('nul', san=r'subjectAltName=DER:30:1e:82:1c:64796e2e6578616d706c652e6e6574002e6576696c2e6f7267000000000000')
    issue('weak', RSA)
    issue('ip-missing', subject=f'/CN={WEB}', san=f'subjectAltName=DNS:{PROVIDER},DNS:{WEB}')
    issue('ip-cn', subject=f'/CN={WEB}', san='')
    issue('ip', san=f'subjectAltName=IP:{WEB}')


# name: (certificate, server that is asked, versions of TLS, what the reason names)
CASES = {
    'self-signed': ('self', PROVIDER, None, 'self'),
    'another CA': ('other-ca', PROVIDER, None, 'issuer'),
    'a wrong name': ('wrong', PROVIDER, None, 'name'),
    'the name as CN only': ('cn-only', PROVIDER, None, 'name'),
    'the name as CN beside another': ('other-san', PROVIDER, None, 'name'),
    'parts of the name': ('part', PROVIDER, None, 'name'),
    'a NUL in the name': ('nul', PROVIDER, None, 'name'),
    'expired': ('expired', PROVIDER, None, 'expired'),
    'not yet valid': ('future', PROVIDER, None, 'clock'),
    'a weak key': ('weak', PROVIDER, None, 'key'),
    'an address as a name': ('ip-missing', WEB, None, 'name'),
    'an address as CN': ('ip-cn', WEB, None, 'name'),
    'TLS 1.0': ('good', PROVIDER, ssl.TLSVersion.TLSv1, 'version'),
    'TLS 1.1': ('good', PROVIDER, ssl.TLSVersion.TLSv1_1, 'version'),
}


def serve(port, certificate, version=None):
    server = Web(port, certificate, http('good'), tls=(lambda context: lower(context, version)))
    return server


def lower(context, version):
    """The stub is as careless as the attacker needs it."""
    context.set_ciphers('ALL:@SECLEVEL=0')
    if version:
        context.minimum_version = context.maximum_version = version


def test_refused():
    """whoever cannot prove the name is refused: no request is sent, and the check that failed is named"""
    unnamed, heard = [], 0
    with Publisher() as publisher:
        for number, (what, (certificate, host, version, word)) in enumerate(CASES.items()):
            server = serve(5000 + number, certificate, version)
            answer = publisher.ask(update(HOME, f'{host}:{5000 + number}'))[0]
            same((answer.verdict, server.requests), ('tls refused', []), f'{what}: {answer.text}')
            heard += len(server.requests)
            if word not in answer.text:
                unnamed.append(f'{what}: {answer.text}')
    figure('S3', f'HTTP requests that reach {len(CASES)} stubs with a wrong certificate or old TLS', heard, '== 0')
    figure('S3', 'refusals that do not say which check failed', len(unnamed), '== 0')


def test_trusted():
    """the same stubs with what is right are taken: name or address, RSA or EC"""
    for port, (certificate, host) in enumerate((('good', PROVIDER), ('ip', WEB)), 5050):
        serve(port, certificate, ssl.TLSVersion.TLSv1_2)
        same(one(update(HOME, f'{host}:{port}')).verdict, 'good', host)


def test_changed():
    """the certificate changes between two requests: the second is not sent"""
    server = Web(5060, 'good', lambda request, stream: (stream.sendall(http('good')), None)[1])
    with Publisher() as publisher:
        same(publisher.ask(update(HOME, f'{PROVIDER}:5060'))[0].verdict, 'good')
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(f'{FOLDER}/self.pem', f'{FOLDER}/self.key')
        answer = publisher.ask(update(HOME, f'{PROVIDER}:5060'))[0]
        same(answer.verdict, 'tls refused', answer.text)
    figure('S3', 'requests after the certificate changed', len(server.requests) - 1, '== 0')


def test_shared_connection():
    """one connection of HTTP/2 for many: nobody sends by one whose certificate was refused to another"""
    plain = Web(5080, None, http('good'))
    nginx = start_nginx(5081, 5080, 'cn-only')
    before = len(plain.requests)
    try:
        with Publisher() as publisher:
            for _ in range(3):
                for number in range(20):
                    publisher.channel.send(update(HOME, f'{PROVIDER}:5081', number=number))
                same({answer.verdict for answer in publisher.results(20)}, {'tls refused'})
    finally:
        nginx.terminate()
        nginx.wait()
    figure('S3', 'of 60 requests over shared connections of a name as CN only', len(plain.requests) - before, '== 0')


def test_renegotiation():
    """a server that wants to negotiate anew within the connection: it is not done, and the request leaves once"""
    server = subprocess.Popen(
        ['openssl', 's_server', '-accept', f'{WEB}:5070', '-cert', f'{FOLDER}/good.pem', '-key', f'{FOLDER}/good.key',
         '-tls1_2', '-msg', '-legacy_renegotiation'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = bytearray()

    def play():
        asked = False
        while piece := os.read(server.stdout.fileno(), 4096):
            said.extend(piece)
            if b'GET ' in said and not asked:
                asked = True
                server.stdin.write(b'R\n')
                server.stdin.flush()
    player = threading.Thread(target=play, daemon=True)
    player.start()
    try:
        for _ in range(500):
            if side.listens(5070):
                break
            time.sleep(0.01)
        with Publisher() as publisher:
            answer = publisher.ask(update(HOME, f'{PROVIDER}:5070', timeout_ms=3000))[0]
    finally:
        server.kill()
        server.wait()
    player.join(5)
    same((answer.verdict, said.count(b'HelloRequest')), ('transient', 1), said.decode(errors='replace'))
    figure('S3', 'handshakes that a server gets by asking for a new one', said.count(b'ClientHello') - 1, '== 0')
    figure('S3', 'requests that leave while it asks', said.count(b'GET '), '== 1')


side.start_internet()
issue_all()
run_all(globals())
