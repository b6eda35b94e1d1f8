# SPDX-License-Identifier: GPL-2.0-or-later
"""hairpin-publish finds the public address: web services, name servers, and the router in front by PCP,
NAT-PMP and UPnP, scripted and, where it is installed, miniupnpd."""

import ctypes
import os
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
from tap import Skip, figure, run_all, same  # noqa: E402
import publish_side as side  # noqa: E402
from publish_side import DISCOVER, FOLDER, PROVIDER, Publisher, Web, http, make_job, one, reply, rr  # noqa: E402

ADDRESS, ADDRESS6 = '81.2.69.7', '2a01:4f8:1::7'
URL = f'https://{PROVIDER}:8443/ip'
ROUTER = '127.0.0.1'


def trust_the_tests_own():
    """The system's certificates are those of the test, in this mount namespace."""
    for place in ('/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'):
        if os.path.exists(place):
            subprocess.run(['mount', '--bind', f'{FOLDER}/ca.pem', os.path.realpath(place)], check=True)


def job(*texts, family='A', **more):
    return make_job(DISCOVER, [('', family)], texts=texts, **more)


def ask(*texts, **more):
    return one(job(*texts, **more))


# --- web services

def test_web():
    """one address and white space around it; asked for as the family says, with our name"""
    for body in (ADDRESS, f'{ADDRESS}\n', f' {ADDRESS}\r\n'):
        web.say, web.requests = http(body), []
        answer = ask('http', URL)
        same((answer.verdict, answer.addresses, answer.text), ('answer', [ADDRESS], ''), body)
    lines = web.requests[0].split('\r\n')
    same(lines[0], 'GET /ip HTTP/1.1')
    assert any(line.startswith('User-Agent: hairpind/') for line in lines), lines
    assert not any(line.startswith(('Authorization', 'Cookie')) for line in lines), lines
    # Of whatever class: the core decides.
    web.say = http('192.168.1.2')
    same(ask('http', URL).addresses, ['192.168.1.2'])


def test_web_nonsense():
    """pages, lists, JSON, another family, headers, other statuses: nothing of it is an address"""
    bodies = ('', '<html>81.2.69.7</html>', '81.2.69.7 81.2.69.8', '81.2.69.7\n81.2.69.8\n', '{"ip": "81.2.69.7"}',
              'your address is 81.2.69.7', '081.2.69.7', '81.2.69.7/32', '81.2.69.7:443', '::ffff:81.2.69.7',
              f'{ADDRESS}\0', f'{ADDRESS}{" " * 60}', '\xef\xbb\xbf81.2.69.7', '0x51.2.69.7', '1359103239', 'nginx/1.2.3.4', '81.2.69.7 ' * 10240)
    taken = 0
    for body in bodies:
        web.say = http(body)
        answer = ask('http', URL)
        taken += len(answer.addresses)
        same((answer.verdict, answer.addresses), ('transient', []), repr(body)[:80])
        assert 'something else than one address' in answer.text, answer
    figure('F7', f'addresses found in {len(bodies)} bodies that are not one', taken, '== 0')
    web.say = http(ADDRESS6)
    answer = ask('http', URL)
    same((answer.verdict, answer.addresses, answer.text), ('transient', [], 'says an address of the other family'))
    for status in (201, 204, 301, 302, 400, 403, 404, 500, 503, 511):
        web.say = http(ADDRESS, status, Location=URL, X_Client_IP=ADDRESS, Set_Cookie=f'ip={ADDRESS}')
        answer = ask('http', URL)
        taken += len(answer.addresses)
        same((answer.verdict, answer.addresses, answer.status), ('transient', [], status))
    figure('F41', 'addresses taken from other statuses than 200 and from headers', taken, '== 0')
    web.say = http(ADDRESS, 429, Retry_After='120')
    answer = ask('http', URL)
    same((answer.verdict, answer.retry_after), ('rate limited', 120))


def test_web_hostile():
    """huge, endless, slow and cut-off answers end in time; escape sequences do not reach the log"""
    def endless(_, stream):
        stream.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n')
        for _ in range(2000):
            stream.sendall(b'81.2.69.7 ' * 1000)

    def slow(_, stream):
        stream.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n81.2')
        time.sleep(6)

    for say, limit in ((endless, 20), (slow, 5)):
        web.say = say
        with Publisher() as publisher:
            publisher.warm()
            begin = time.monotonic()
            answer = publisher.ask(job('http', URL, timeout_ms=2000 if say is slow else 15000))[0]
            same((answer.verdict, answer.addresses), ('transient', []), say.__name__)
            assert time.monotonic() - begin < limit, time.monotonic() - begin
    web.say = http(b'\x1b]0;owned\x07' + b'A' * 100)
    assert '\x1b' not in ask('http', URL).text


def test_web_refused():
    """certificates hold; plain HTTP, addresses of the LAN and other links are not asked"""
    wrong = Web(8444, 'wrong', http(ADDRESS))
    same(ask('http', f'https://{PROVIDER}:8444/').verdict, 'tls refused')
    same((ask('http', 'http://dyn.example.net:8443/').verdict, wrong.requests), ('unreachable', []))
    before = web.connections
    with open('/etc/hosts', 'a') as hosts:
        hosts.write('192.168.1.1 inside.example.net\n')
    same(ask('http', 'https://inside.example.net/').verdict, 'unreachable')
    same(ask('http', URL, interface=b'gone0').verdict, 'unreachable')
    same(ask('http', URL, family='AAAA').verdict, 'unreachable')
    same(web.connections, before)


# --- name servers

def test_name_server():
    """A, AAAA and TXT; TXT of class CH; by address and by name"""
    asked = []

    def answer(name, kind, query):
        klass = query[query.index(b'\0', 12) + 4]
        if (name, kind, klass) != (asked or [None])[-1]:        # on a busy machine it asks again
            asked.append((name, kind, klass))
        value = {'A': ADDRESS, 'AAAA': ADDRESS6, 'TXT': bytes([len(ADDRESS)]) + ADDRESS.encode()}[kind]
        return reply(query, [rr(name, kind, value, 0, klass)])
    server.answer = answer
    for texts, family, address in ((('45.11.1.54', 'me.test.org', 'A', 'IN'), 'A', ADDRESS),
                                   (('45.11.1.54', 'me.test.org', 'TXT', 'IN'), 'A', ADDRESS),
                                   (('45.11.1.54:53', 'whoami.cloudflare', 'TXT', 'CH'), 'A', ADDRESS),
                                   (('ns.example.net', 'Me.Test.org', 'A', 'IN'), 'A', ADDRESS)):
        result = ask('dns', *texts, family=family)
        same((result.verdict, result.addresses, result.text), ('answer', [address], ''), texts)
    same(asked, [('me.test.org', 'A', 1), ('me.test.org', 'TXT', 1), ('whoami.cloudflare', 'TXT', 3),
                 ('me.test.org', 'A', 1)])
    server6.answer = answer
    same(ask('dns', '::1', 'me.test.org', 'AAAA', 'IN', family='AAAA').addresses, [ADDRESS6])


def test_name_server_nonsense():
    """several records, other names, classes and families, aliases, errors: no address"""
    def record(kind, value, **more):
        return lambda name, _, query: reply(query, [rr(name, kind, value, 0, **more)])

    def text(*strings):
        return b''.join(bytes([len(string)]) + string for string in strings)
    good = text(ADDRESS.encode())
    lies = [('A', lambda name, _, query: reply(query, [rr(name, 'A', ADDRESS), rr(name, 'A', '81.2.69.8')])),
            ('A', lambda name, _, query: reply(query, [rr('other.test.org', 'A', ADDRESS)])),
            ('A', lambda name, _, query: reply(query, [rr(name, 'CNAME', 'b.org'), rr('b.org', 'A', ADDRESS)])),
            ('A', lambda name, _, query: reply(query, [rr(name, 'A', ADDRESS)], rcode=5)),
            ('A', lambda name, _, query: reply(query)), ('A', lambda *_: b'\xff' * 60),
            ('A', record('A', ADDRESS, klass=3)), ('A', record('AAAA', ADDRESS6)),
            ('TXT', record('TXT', text(b'81.2.', b'69.7'))), ('TXT', record('TXT', text(b'ip=' + ADDRESS.encode()))),
            ('TXT', record('TXT', b'')), ('TXT', record('TXT', b'\x20' + ADDRESS.encode())),
            ('TXT', record('TXT', text(b'\x1b' + ADDRESS.encode()))), ('TXT', record('TXT', text(b' ' * 200))),
            ('TXT', lambda name, _, query: reply(query, [rr(name, 'TXT', good), rr(name, 'TXT', good)])),
            ('TXT', record('TXT', text(ADDRESS6.encode())))]
    for number, (kind, lie) in enumerate(lies):
        server.answer = lie
        answer = ask('dns', '45.11.1.54', 'me.test.org', kind, 'IN', timeout_ms=4000)
        assert answer.verdict in ('transient', 'no answer') and answer.addresses == [], (number, answer)
    server.answer = lambda *_: None
    same(ask('dns', '45.11.1.54', 'me.test.org', 'A', 'IN', timeout_ms=2000).verdict, 'no answer')
    same(ask('dns', 'none.example.net', 'me.test.org', 'A', 'IN').verdict, 'unreachable')
    same(ask('dns', '45.11.1.54', 'me.test.org', 'A', 'IN', interface=b'gone0', timeout_ms=3000).addresses, [])


# --- the router in front

class Router:
    """UDP port 5351: say(packet) gives packets, or None for silence."""

    def __init__(self):
        self.say, self.asked, self.once = None, [], True
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((ROUTER, 5351))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            packet, peer = self.socket.recvfrom(2000)
            if not self.once or (packet, peer) not in self.asked:       # on a busy machine it asks again
                self.asked.append((packet, peer))
            for answer in self.say(packet) or []:
                self.socket.sendto(answer, peer)

    def script(self, say, once=True):
        self.say, self.asked, self.once = say, [], once


def mapped(address):
    return bytes(10) + b'\xff\xff' + socket.inet_aton(address)


def pcp(packet, address=ADDRESS, code=0, version=2, nonce=None, port=None):
    """The answer to a MAP."""
    return struct.pack('>BBBBII12x', version, 0x81, 0, code, 120, 1) + (nonce or packet[24:36]) + packet[36:40] + \
        (port or packet[40:42]) + struct.pack('>H', 40000) + mapped(address)


def natpmp(address=ADDRESS, code=0):
    return struct.pack('>BBHI', 0, 128, code, 1) + socket.inet_aton(address)


def test_pcp():
    """a mapping of the port we ask from, and taken back"""
    router.script(lambda packet: [pcp(packet)])
    answer = ask('pcp', ROUTER)
    same((answer.verdict, answer.addresses), ('answer', [ADDRESS]))
    for _ in range(50):
        if len(router.asked) == 2:
            break
        time.sleep(.1)
    (first, peer), (last, _) = router.asked
    same((len(first), first[:4], first[8:24]), (60, b'\2\1\0\0', mapped('127.0.0.1')))
    same(struct.unpack('>I', first[4:8]) + struct.unpack('>H', first[40:42]), (120, peer[1]))
    same((first[36], last[4:8], last[8:]), (17, b'\0\0\0\0', first[8:]))


def test_natpmp():
    """a router that speaks NAT-PMP only, says so or is silent to PCP; one that refuses PCP"""
    for other in (lambda packet: [struct.pack('>BBHI', 0, 129, 1, 5)], lambda packet: None,
                  lambda packet: [pcp(packet, code=2)], lambda packet: [pcp(packet, code=1, version=1)]):
        router.script(lambda packet, other=other: [natpmp()] if packet == b'\0\0' else other(packet))
        answer = ask('pcp', ROUTER)
        same((answer.verdict, answer.addresses), ('answer', [ADDRESS]))
        same(router.asked[-1][0], b'\0\0')


def test_router_nonsense():
    """strangers' nonces and ports, short and long packets are ignored; refusals are said; silence ends"""
    lies = [lambda p: pcp(p, nonce=bytes(12)), lambda p: pcp(p, port=b'\0\1'), lambda p: pcp(p)[:56], lambda p: pcp(p) + b'x',
            lambda p: b'', lambda p: b'\2', lambda p: pcp(p, version=3), lambda p: b'\2\1' + pcp(p)[2:],
            lambda p: natpmp()[:11], lambda p: pcp(p)[:44] + bytes(16)]
    router.script(lambda packet: [lie(packet) for lie in lies] + [pcp(packet)] if len(packet) == 60 else None)
    same(ask('pcp', ROUTER).addresses, [ADDRESS])
    router.script(lambda packet: [natpmp()[:8], natpmp() + b'x', b'', b'\0\x81\0\0'] if packet == b'\0\0' else None, once=False)
    with Publisher() as publisher:
        publisher.warm()
        begin = time.monotonic()
        answer = publisher.ask(job('pcp', ROUTER))[0]
        same((answer.verdict, answer.addresses, answer.text), ('no answer', [], 'speaks neither PCP nor NAT-PMP'))
        assert 4 < time.monotonic() - begin < 9
    same(len(router.asked), 7)
    router.script(lambda packet: [natpmp(code=3)] if packet == b'\0\0' else None)
    same(ask('pcp', ROUTER).text, 'refuses by NAT-PMP, code 3')
    with Publisher() as publisher:
        publisher.warm()
        begin = time.monotonic()
        same(publisher.ask(job('pcp', '45.11.1.80'))[0].verdict, 'no answer')       # the port is closed, and that is said at once
        assert time.monotonic() - begin < 2
    same(ask('pcp', '').verdict, 'unreachable')
    same(ask('pcp', '198.51.100.1').verdict, 'unreachable')


# --- UPnP

SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1'


class Igd:
    """A router's SSDP and HTTP."""

    def __init__(self, address=ROUTER):
        self.location = f'http://{address}:5000/root.xml'
        self.description, self.answer, self.requests = '', '', []
        self.ssdp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ssdp.bind((address, 1900))
        self.listener = socket.create_server((address, 5000))
        threading.Thread(target=self.serve_ssdp, daemon=True).start()
        threading.Thread(target=self.serve_http, daemon=True).start()

    def serve_ssdp(self):
        while True:
            packet, peer = self.ssdp.recvfrom(2000)
            self.requests.append(packet.decode())
            if self.location:
                self.ssdp.sendto(f'HTTP/1.1 200 OK\r\nST: x\r\nLocation: {self.location}\r\n\r\n'.encode(), peer)

    def serve_http(self):
        while True:
            stream, _ = self.listener.accept()
            with stream:
                request = stream.recv(4000).decode()
                while 'Content-Length' in request and 'Envelope>' not in request.split('\r\n\r\n', 1)[1]:
                    request += stream.recv(4000).decode()
                self.requests.append(request)
                body = self.answer if request.startswith('POST') else self.description
                stream.sendall(http(body, 200 if body else 500, Connection='close'))


def description(service=SERVICE, control='/ctl', base=''):
    return (f'<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">{base}<device><deviceList><device>'
            '<deviceList><device><serviceList><service>'
            f'<serviceType>{service}</serviceType><controlURL>{control}</controlURL><eventSubURL>/e</eventSubURL>'
            '<SCPDURL>/s</SCPDURL></service></serviceList></device></deviceList></device></deviceList></device></root>')


def soap(address=ADDRESS):
    return ('<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:GetExternalIPAddressResponse '
            f'xmlns:u="{SERVICE}"><NewExternalIPAddress>{address}</NewExternalIPAddress>'
            '</u:GetExternalIPAddressResponse></s:Body></s:Envelope>')


def need_upnp():
    if ask('upnp', ROUTER, timeout_ms=1000).text == 'is not built in':
        raise Skip('built without miniupnpc')


def test_upnp():
    """SSDP to the gateway, its description, the question and the answer"""
    need_upnp()
    igd.description, igd.answer, igd.requests = description(), soap(), []
    answer = ask('upnp', ROUTER)
    same((answer.verdict, answer.addresses), ('answer', [ADDRESS]))
    assert igd.requests[0].startswith('M-SEARCH * HTTP/1.1\r\n'), igd.requests
    post = igd.requests[-1]
    assert post.startswith('POST /ctl HTTP/1.1\r\n') and f'SOAPAction: "{SERVICE}#GetExternalIPAddress"' in post, post
    for base in ('<URLBase>http://127.0.0.1:5000/</URLBase>', '<URLBase>http://45.11.1.80/</URLBase>', '<URLBase>x:</URLBase>'):
        igd.description = description(control='ctl', base=base)
        same(ask('upnp', ROUTER).addresses, [ADDRESS], base)


def router_behind(link, own, public):
    """A router 192.168.1.1 in a network namespace of its own (a thread's) behind `link`, where `own` is ours."""
    told, linked, ready = [], threading.Event(), threading.Event()

    def live():
        if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) == 0:      # CLONE_NEWNET
            told.append(threading.get_native_id())
        ready.set()
        linked.wait(10)
        for words in ('addr add 192.168.1.1/24 dev lan', 'link set lan up'):
            subprocess.run(['ip', *words.split()], check=True)
        there = Igd('192.168.1.1')
        there.description, there.answer = description(), soap(public)
        ready.set()
        time.sleep(600)
    threading.Thread(target=live, daemon=True).start()
    ready.wait(10)
    for words in (f'link add {link} type veth peer name lan netns {told[0]}', f'addr add {own}/24 dev {link}',
                  f'link set {link} up'):
        subprocess.run(['ip', *words.split()], check=True)
    ready.clear()
    linked.set()
    assert ready.wait(10), link


def test_upnp_link():
    """two routers of the same address: each is asked by its own link only"""
    need_upnp()
    for name in ('all', 'default'):
        with open(f'/proc/sys/net/ipv4/conf/{name}/rp_filter', 'w') as file:
            file.write('0')
    links = {b'up0': '81.2.69.20', b'up1': '81.2.69.21'}
    for number, (link, public) in enumerate(links.items()):
        router_behind(link.decode(), f'192.168.1.{2 + number}', public)
    for link, public in links.items():
        answer = ask('upnp', '192.168.1.1', interface=link)
        same((answer.verdict, answer.addresses), ('answer', [public]), public)


def test_upnp_nonsense():
    """other hosts, other services, broken XML, no address: nothing is asked elsewhere, and it ends"""
    need_upnp()
    before = web.connections
    for where in ('http://45.11.1.80:8443/', 'https://127.0.0.1:5000/root.xml', 'http://127.0.0.1@45.11.1.80/', 'file:///etc/passwd',
                  'http://127.0.0.1:5000/' + 'x' * 400, '\x1b'):
        igd.location, igd.requests = where, []
        answer = ask('upnp', ROUTER, timeout_ms=6000)
        same((answer.verdict, answer.addresses), ('no answer', []), where)
        assert all(request.startswith('M-SEARCH') for request in igd.requests), igd.requests
    igd.location = f'http://{ROUTER}:5000/root.xml'
    for body in (description(control='http://45.11.1.80:8443/ctl'), description('urn:x:service:Other:1'), description(control=''),
                 '', '<' * 5000, description()[:200], '<root>' * 3000):
        igd.description, igd.answer = body, soap()
        same(ask('upnp', ROUTER).addresses, [], body[:80])
    igd.description = description()
    for body in (soap(''), soap('x'), soap('81.2.69.7 81.2.69.8'), soap(ADDRESS6), soap('9' * 200), '', '<a', soap()[:150]):
        igd.answer = body
        answer = ask('upnp', ROUTER)
        same((answer.verdict, answer.addresses), ('transient', []), body[:80])
    same(web.connections, before)


side.start_internet()
trust_the_tests_own()
with open('/etc/hosts', 'a') as more:
    more.write('45.11.1.54 ns.example.net\n')
web = Web(8443)
server, server6 = side.Dns('45.11.1.54', None), side.Dns('::1', None)
router, igd = Router(), Igd()
run_all(globals())
