# SPDX-License-Identifier: GPL-2.0-or-later
"""hairpin-publish and DNS that fails, forges or lies, over real sockets."""

import contextlib
import os
import random
import socket
import struct
import subprocess
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
from tap import figure, holds, run_all, same  # noqa: E402
import publish_side as side  # noqa: E402
from publish_side import (CHECK, DISCOVER, FOLDER, PROVIDER, RESOLVE, WEB, Dns, Publisher, Web, http,  # noqa: E402
                          make_job, reply, rr, update)

SEED = int(os.environ.get('SEED', time.time_ns() % 1000000))
ADDRESS, FALSE = '81.2.69.7', '6.6.6.6'
HOME = [('home.example.org', ADDRESS)]


def says(address=ADDRESS, **more):
    return lambda name, kind, query: reply(query, [rr(name, 'A', address)] if kind == 'A' else [], **more)


# --- F27: DNS that fails

def test_failing():
    """silence, errors, truncation without TCP, a dead first server: it ends in time, and nobody else waits for it"""
    refusing, server_error = Dns('127.0.1.3', says(flags=0x8180, rcode=5)), Dns('127.0.1.4', says(flags=0x8180, rcode=2))
    no_tcp = Dns('127.0.1.5', lambda name, kind, query: reply(query, flags=0x8380), tcp=False)
    no_tcp.tcp.close()
    slow_tcp = Dns('127.0.1.6', lambda name, kind, query: reply(query, flags=0x8380))
    slow_tcp.answer_tcp = lambda *_: None
    dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)      # it hears, and says nothing
    dead.bind(('127.0.1.2', 53))
    cases = {'silence': (['127.0.1.2'], 'unreachable'), 'REFUSED': (['127.0.1.3'], 'unreachable'),
             'SERVFAIL': (['127.0.1.4'], 'unreachable'), 'TC without TCP': (['127.0.1.5'], 'unreachable'),
             'TC, and TCP that is silent': (['127.0.1.6'], 'unreachable'),
             'the first of three is dead': (['127.0.1.2', '127.0.1.3', '127.0.1.7'], 'good')}
    Dns('127.0.1.7', says(WEB, flags=0x8180))
    web.say, web.requests = http('good'), []
    slowest, blocked = 0, 0
    with contextlib.ExitStack() as stack:
        under_way = {}
        for what, (servers, verdict) in cases.items():
            with side.resolver(*servers):
                publisher = stack.enter_context(Publisher())
                publisher.warm()
                begin = time.monotonic()
                publisher.channel.send(update(HOME, 'slow.example.net' if verdict != 'good' else PROVIDER + '.', number=1))
                publisher.channel.send(update(HOME, WEB, number=2))       # needs no DNS
                first = publisher.results(1)
                blocked = max(blocked, time.monotonic() - begin)
                under_way[what] = publisher, begin, verdict, first
        for what, (publisher, begin, verdict, first) in under_way.items():
            last = publisher.results(1)
            slowest = max(slowest, time.monotonic() - begin)
            answer = next(answer for answer in first + last if answer.number == 1)
            same(answer.verdict, verdict, f'{what}: {answer.text}')
    assert refusing.asked and server_error.asked and no_tcp.asked, 'all were asked'
    figure('F27', f'the slowest of {len(cases)} lookups', slowest, 10.5, 's')
    figure('F27', 'another request meanwhile', blocked, 1.5, 's')
    holds('F27', 'the third server is asked where the first is dead and the second refuses')


# --- S17: forged answers

def bins(values, low, high, count=16):
    """Chi-square against equal chances; 15 degrees of freedom: over 56 once in a million."""
    seen = [0] * count
    for value in values:
        seen[(value - low) * count // (high - low)] += 1
    expected = len(values) / count
    return sum((n - expected) ** 2 / expected for n in seen)


def test_chance():
    """ids and ports of 1,000 questions are a matter of chance"""
    echo = Dns('127.0.1.20', says())
    with Publisher() as publisher:
        for _ in range(25):
            publisher.ask(make_job(CHECK, [('home.example.org', 'A')] * 40, servers=['127.0.1.20']))
    with open('/proc/sys/net/ipv4/ip_local_port_range') as file:
        low, high = map(int, file.read().split())
    ids = [int.from_bytes(number, 'big') for number in echo.ids[:1000]]
    figure('S17', 'chi-square of the ids of 1,000 questions, 16 bins', bins(ids, 0, 65536), 56)
    figure('S17', 'chi-square of their ports', bins(echo.ports[:1000], low, high + 1), 56)
    figure('S17', 'different ports of 1,000 questions', len(set(echo.ports[:1000])), '>= 950')
    steps = [(b - a) % 65536 for a, b in zip(ids, ids[1:])]
    figure('S17', 'ids that follow each other', steps.count(1), 5)
    # Of the system's resolver: what is asked one after the other.
    system = Dns('127.0.1.21', says(flags=0x8180))
    with side.resolver('127.0.1.21'), Publisher() as publisher:
        for number in range(200):
            publisher.ask(make_job(RESOLVE, [(f'n{number}.example.org', 'A')]))
    figure('S17', "different ports of 200 questions to the system's resolver", len(set(system.ports)), '>= 190')


def test_forged():
    """answers of a wrong id, port, source or question, before the real one, after it and twice, are ignored"""
    chance = random.Random(SEED)
    print(f'# SEED={SEED}')
    real = Dns('127.0.1.30', None)
    others = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    tried = set()
    others[0].bind(('127.0.1.31', 53))
    others[1].bind(('127.0.1.30', 5353))

    def forge(name, query):
        return reply(query, [rr(name, 'A', FALSE)])

    def wrong_id(name, query):
        return [bytes([query[0] ^ 1 << bit]) + forge(name, query)[1:] for bit in range(8)]

    def many_ids(name, query):
        """The attacker sits between, has the right address and port, and guesses: a packet that fits arrives by chance only."""
        right = int.from_bytes(query[:2], 'big')
        return [struct.pack('>H', number) + forge(name, query)[2:] for number in chance.sample(range(65536), 300) if number != right]

    def wrong_question(name, query):
        other = query[:12] + side.wire_name('other.test') + query[-4:]
        kind = query[:-4] + b'\0\x1c\0\1'
        klass = query[:-2] + b'\0\3'
        return [forge('other.test', other), forge(name, kind), forge(name, klass)]

    def from_others(name, query):
        for sock in others:
            for _ in range(3):
                sock.sendto(forge(name, query), ('127.0.0.1', real.ports[-1]))
        return []

    def brute(name, query):
        """The attacker knows the port, and tries every id."""
        packet = forge(name, query)[2:]
        for number in range(65536):
            others[0].sendto(struct.pack('>H', number) + packet, ('127.0.0.1', real.ports[-1]))
        return []

    ways = {'a wrong id': wrong_id, '300 wrong ids from the right source and port': many_ids, 'another question': wrong_question, 'another source or port': from_others,
            'all 65,536 ids from another source': brute, 'twice': lambda name, query: []}
    false = 0
    with Publisher() as publisher:
        for what, way in ways.items():
            def answer(name, kind, query, way=way, what=what):
                # On a slow machine a socket may be full before the true one; then the question comes again, and he is late.
                forged = [] if query in tried else way(name, query)
                tried.add(query)
                true = reply(query, [rr(name, 'A', ADDRESS)])
                return [*forged, true, forge(name, query)] if what == 'twice' else [*forged, true, *forged]
            real.answer = answer
            for left in range(3):
                said = publisher.ask(make_job(CHECK, [('home.example.org', 'A')], servers=['127.0.1.30']))[0]
                false += FALSE in said.addresses
                if way is brute and (said.verdict, said.addresses) == ('answer', [ADDRESS]):
                    break       # once is enough; on a slow machine the true answer comes too late behind so many
                if way is brute and said.verdict in ('no answer', 'no proof') and left < 2:
                    continue
                same((said.verdict, said.addresses), ('answer', [ADDRESS]), what)
    figure('S17', f'forged answers of {len(ways)} kinds that are believed', false, '== 0')
    forged_to_the_resolver(wrong_id, many_ids, wrong_question)


def forged_to_the_resolver(*ways):
    """The same where c-ares asks the system's resolver: from its own address and port 53, before the real answer."""
    false, tried = 0, set()
    for number, way in enumerate(ways):
        def answer(name, kind, query, way=way):
            forged = [] if query in tried else way(name, query)     # as above
            tried.add(query)
            return [*forged, reply(query, [rr(name, 'A', ADDRESS)] if kind == 'A' else [], flags=0x8180)]
        Dns(f'127.0.1.3{2 + number}', answer)
        with side.resolver(f'127.0.1.3{2 + number}'), Publisher() as publisher:
            said = publisher.ask(make_job(RESOLVE, [(f'n{number}.example.net', 'A')]))[0]
            false += FALSE in said.addresses
            same(said.addresses, [ADDRESS], f'{way.__name__}: {said.text}')
    figure('S17', f"forged answers of {len(ways)} kinds from the resolver's own address and port that are believed", false, '== 0')


# --- S18: malicious answers

def test_malicious():
    """answers that loop, lie about lengths, go on for 64 KB or stop at any byte: nothing of them is believed"""
    chance = random.Random(SEED)
    print(f'# SEED={SEED}')
    evil = Dns('127.0.1.40', None)
    header = struct.pack('>HHIH', 1, 1, 60, 4)

    def after(text):
        """Behind the question stands what the test says; the header promises one record."""
        return lambda query: reply(query, [text])

    lies = [b'\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x0c', b'\xc0\xff' * 20, b'\xc0\x0c' * 60, b'\x40' + b'a' * 64, b'\x80a', b'\3abc' * 80,
            side.wire_name('.'.join(['a' * 63] * 5)) + header + bytes(4), b'\xc0\x0c' + header[:8] + b'\xff\xff' + bytes([6, 6, 6, 6]),
            b'\xc0\x0c' + header[:8] + b'\0\3' + bytes([6, 6, 6]), b'\xc0\x0c' + header[:8] + b'\0\5' + bytes([6, 6, 6, 6, 6]),
            b'\xc0\x0c\0\1\0\3\0\0\0\x3c\0\4' + bytes([6, 6, 6, 6]), b'\0\0\x29\xff\xff\0\0\0\0\xff\xff' + b'\1' * 40, b'']
    packets = [lambda query, lie=lie: after(lie)(query) for lie in lies]
    packets += [lambda query: b'', lambda query: query[:2], lambda query: b'\xff' * 600, lambda query: bytes(65000)]
    packets += [lambda query, text=chance.randbytes(chance.randrange(400)): query[:2] + text for _ in range(20)]
    packets += [lambda query, text=chance.randbytes(100): after(text)(query) for _ in range(20)]
    whole = reply(b'\0\1\1\0\0\1\0\0\0\0\0\0' + side.wire_name('n000.evil.test') + b'\0\1\0\1', [rr('n000.evil.test', 'A', FALSE)])
    packets += [lambda query, cut=cut: (query[:2] + whole[2:])[:cut] for cut in range(len(whole))]

    evil.answer = evil.answer_tcp = lambda name, kind, query: packets[int(name[1:4])](query)
    names = [f'n{number:03}.evil.test' for number in range(len(packets))]
    believed = 0
    with side.resolver('127.0.1.40'), Publisher() as publisher:
        for first in range(0, len(names), 40):
            publisher.channel.send(make_job(RESOLVE, [(name, 'A') for name in names[first:first + 40]], first))
        believed += sum(FALSE in said.addresses for said in publisher.results(len(names)))
        same({name for name, *_ in evil.asked}, set(names))
    with Publisher() as publisher:
        evil.answer = lambda name, kind, query: reply(query, flags=0x8600)
        evil.answer_tcp = lambda name, kind, query: reply(query, [rr(name, 'A', f'81.3.{i >> 8}.{i & 255}') for i in range(2100)])
        said = publisher.ask(make_job(CHECK, [('many.evil.test', 'A')], servers=['127.0.1.40']))[0]
        figure('S18', 'addresses kept of 2,100 in 60 KB by TCP', len(said.addresses), '== 32')
        evil.answer = lambda name, kind, query: reply(query, [rr(name, 'A', ADDRESS, 0x80000000)])
        said = publisher.ask(make_job(CHECK, [('ttl.evil.test', 'A')], servers=['127.0.1.40']))[0]
        figure('S18', 'seconds that a TTL of 2^31 holds', said.ttl, '== 0')
        figure('S18', f'of {len(packets)} malicious answers believed', believed, '== 0')
        aliases(publisher, evil)


def aliases(publisher, evil):
    """CNAMEs in one answer, and one after the other."""
    deepest = 0
    for length in (1, 8, 9, 20):
        chain = [rr(f'n{i}.evil.test', 'CNAME', f'n{i + 1}.evil.test') for i in range(length)] + [rr(f'n{length}.evil.test', 'A', ADDRESS)]
        evil.answer = lambda name, kind, query, chain=chain: reply(query, chain)
        evil.answer_tcp = evil.answer
        said = publisher.ask(make_job(CHECK, [('n0.evil.test', 'A')], servers=['127.0.1.40']))[0]
        deepest = max(deepest, length if said.addresses else 0)
    figure('S18', 'CNAMEs followed, of up to 20', deepest, '== 8')


# --- S20: only the name itself

def test_names():
    """only absolute names are asked for: no search list, no alias of a variable, no shorter name"""
    seen = Dns('127.0.1.50', lambda name, kind, query: reply(query, flags=0x8180, rcode=3))
    with open(f'{FOLDER}/aliases', 'w') as file:
        file.write('short evil.example.net\n')
    asked = {'short', 'a.b', 'home.example.org', 'provider.example.net', 'whoami.example.net', '*.wild.example.org'}
    with side.resolver('127.0.1.50'):
        with open('/etc/resolv.conf', 'a') as file:
            file.write('search example.org corp.test\noptions ndots:5\n')
        with Publisher(environment={'HOSTALIASES': f'{FOLDER}/aliases', 'LOCALDOMAIN': 'corp.test', 'RES_OPTIONS': 'ndots:9'}) as publisher:
            publisher.ask(make_job(RESOLVE, [('short', 'A'), ('a.b', 'A')]))
            publisher.ask(make_job(CHECK, [('home.example.org', 'A'), ('*.wild.example.org', 'A')]))
            publisher.ask(update(HOME, 'provider.example.net'))
            publisher.ask(make_job(DISCOVER, [('', 'A')], texts=['http', 'https://whoami.example.net/']))
    # The zone of a record is looked for upwards: its own parents, nothing else.
    parents = {'example.org', 'org', 'wild.example.org'}
    strange = {name for name, *_ in seen.asked} - asked - parents
    assert asked - {'*.wild.example.org'} <= {name for name, *_ in seen.asked}, seen.asked
    same(strange, set())
    figure('S20', 'names asked for that nobody named', len(strange), '== 0')


# --- F69: broken IPv6

def test_broken_ipv6():
    """IPv6 to the server is swallowed: by IPv4 in time; where the connection's address counts, it is said"""
    hole = '2a01:4f8:7::80'
    subprocess.run(['ip', 'addr', 'add', f'{hole}/128', 'dev', 'lo', 'nodad'], check=True)
    subprocess.run(['nft', '-f', '-'], input=f'table ip6 hole {{ chain in {{ type filter hook input priority 0; ip6 daddr {hole} drop; }}; }}',
                   text=True, check=True)
    with open('/etc/hosts', 'a') as file:
        file.write(f'{hole} {PROVIDER}\n')
    web.say, web.requests = http('good'), []
    with Publisher() as publisher:
        publisher.warm()
        begin = time.monotonic()
        same(publisher.ask(update(HOME))[0].verdict, 'good')
        figure('F69', 'update by IPv4 where IPv6 is swallowed', time.monotonic() - begin, 5, 's')
        document = side.description(address='connection', requests=[{'url': 'https://{server}/u'}])
        said = publisher.ask(update([('home.example.org', '2a01:4f8:1::7')], document=document, timeout_ms=2000))[0]
        same((said.verdict, len(web.requests)), ('unreachable', 1), said.text)
        holds('F69', 'where the connection must be by IPv6 its failure is said', 'IPv6' in said.text)


side.start_internet()
web = Web(443)
run_all(globals())
