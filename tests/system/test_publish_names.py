# SPDX-License-Identifier: GPL-2.0-or-later
"""hairpin-publish resolves names for sets: /etc/hosts, a real knot as the resolver, and resolvers that fail."""

import os
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
from tap import run_all, same  # noqa: E402
import publish_side as side  # noqa: E402
from publish_side import RESOLVE, Publisher, make_job, one, resolver  # noqa: E402


def ask(name, family='A', **more):
    return one(make_job(RESOLVE, [(name, family)], **more))


def test_addresses():
    """A, AAAA and several, with the time they hold; a batch of many names at once"""
    cases = [('home.example.org', 'A', ['81.2.69.7'], 60), ('home.example.org', 'AAAA', ['2a01:4f8:1::7'], 60),
             ('two.example.org', 'A', ['81.2.69.7', '81.2.69.8'], 60), ('short.example.org', 'A', ['81.2.69.20'], 7),
             ('inside.example.net', 'A', ['192.168.1.2'], 60)] * 8
    with Publisher() as publisher:
        answers = publisher.ask(make_job(RESOLVE, [case[:2] for case in cases]))
    same(len(answers), 40)
    for case, answer in zip(cases, answers):
        same((answer.verdict, answer.addresses, answer.ttl), ('answer', case[2], case[3]), case[0])


def test_aliases():
    """CNAMEs: the smallest time counts; what the resolver leaves open is asked on; a circle ends"""
    answer = ask('chain.example.org')
    same((answer.addresses, answer.ttl), (['81.2.69.20'], 5))
    answer = ask('away.example.org')
    same((answer.addresses, answer.ttl), (['81.2.69.10'], 60))
    parts = {'a.open.test': side.rr('a.open.test', 'CNAME', 'b.open.test', 50),
             'b.open.test': side.rr('b.open.test', 'CNAME', 'c.open.test', 20),
             'c.open.test': side.rr('c.open.test', 'A', '81.2.69.30', 40)}
    server = side.Dns('127.0.0.20', lambda name, kind, query: side.reply(query, [parts[name]], flags=0x8080))
    with resolver('127.0.0.20'):
        answer = ask('a.open.test')
        same((answer.verdict, answer.addresses, answer.ttl), ('answer', ['81.2.69.30'], 20))
        parts['c.open.test'] = side.rr('c.open.test', 'CNAME', 'a.open.test', 40)
        before = len(server.asked)
        answer = ask('a.open.test')
        same((answer.verdict, answer.addresses), ('no answer', []))
        assert len(server.asked) - before <= 10, server.asked


def test_nothing():
    """what does not exist and what has no such address are told apart, and from silence"""
    for name, family, text in (('none.example.org', 'A', 'does not exist'),
                               ('dangling.example.org', 'A', 'does not exist'),
                               ('two.example.org', 'AAAA', 'has no IPv6 address'),
                               ('nowhere.example.net', 'A', 'has no IPv4 address')):
        answer = ask(name, family)
        same((answer.verdict, answer.addresses, answer.text), ('answer', [], text), name)


def test_no_answer():
    """errors and silence are no answers"""
    server = side.Dns('127.0.0.21', None)
    with resolver('127.0.0.21'):
        for rcode in (1, 2, 4, 5):
            server.answer = (lambda rcode: lambda name, kind, query: side.reply(query, rcode=rcode))(rcode)
            answer = ask('home.example.org')
            same((answer.verdict, answer.addresses), ('no answer', []), f'rcode {rcode}')
            assert answer.text, answer
        server.answer = lambda name, kind, query: None
        begin = time.monotonic()
        same([a.verdict for a in (ask('home.example.org'), ask('home.example.org', 'AAAA'))], ['no answer'] * 2)
        assert time.monotonic() - begin < 25
    with resolver('127.0.0.22'):
        same(ask('home.example.org').verdict, 'no answer')
    with resolver('192.0.2.1'):
        same(ask('home.example.org').verdict, 'no answer', 'no route')


def test_many():
    """20 addresses come all; of 1,000 the 32 smallest, whatever the order: by TCP too"""
    server = side.Dns('127.0.0.23', None)
    turned = [0]

    def rotating(count):
        def answer(name, kind, query):
            turned[0] += 7
            numbers = [(i * 37 + turned[0]) % count for i in range(count)]
            return side.reply(query, [side.rr(name, 'A', f'81.3.{i >> 8}.{i & 255}') for i in numbers], flags=0x8080)
        return answer
    with resolver('127.0.0.23'), Publisher() as publisher:
        server.answer = rotating(20)
        answers = publisher.ask(make_job(RESOLVE, [('many.test', 'A')] * 5))
        same({tuple(answer.addresses) for answer in answers}, {tuple(f'81.3.0.{i}' for i in range(20))})
        server.answer_tcp = rotating(1000)
        server.answer = lambda name, kind, query: side.reply(query, flags=0x8280)
        answers = publisher.ask(make_job(RESOLVE, [('many.test', 'A')] * 5))
        same({tuple(answer.addresses) for answer in answers}, {tuple(f'81.3.0.{i}' for i in range(32))})
        assert '32' in answers[0].text, answers[0]


def test_hosts():
    """/etc/hosts comes first, family by family, read anew each time; no search list"""
    before = open('/etc/hosts').read()
    with Publisher() as publisher, resolver(side.KNOT):
        with open('/etc/hosts', 'a') as hosts:
            hosts.write('192.168.7.2 nas NAS.lan\n192.168.7.1 nas\n192.168.7.9 home.example.org\n')
        answer = publisher.ask(make_job(RESOLVE, [('nas', 'A'), ('nas.lan', 'A'), ('home.example.org', 'A'),
                                                  ('home.example.org', 'AAAA')]))
        same([a.addresses for a in answer], [['192.168.7.1', '192.168.7.2'], ['192.168.7.2'], ['192.168.7.9'],
                                             ['2a01:4f8:1::7']])
        assert answer[0].ttl >= 60, answer[0]
        with open('/etc/hosts', 'w') as hosts:
            hosts.write(before)
        answer = publisher.ask(make_job(RESOLVE, [('home.example.org', 'A'), ('home', 'A')]))
        same([a.addresses for a in answer], [['81.2.69.7'], []])


def test_hostile():
    """answers about other names, of other types and beyond all bounds are not believed"""
    server = side.Dns('127.0.0.24', None)
    evil = side.rr('home.example.org', 'A', '6.6.6.6')

    def says(*records, **more):
        return lambda name, kind, query: side.reply(query, records, **more)
    other = lambda name, kind, query: side.reply(  # noqa: E731
        query[:12] + side.wire_name('other.test') + query[-4:], [side.rr('other.test', 'A', '6.6.6.6')])
    lies = [other, says(side.rr('other.test', 'A', '6.6.6.6')), says(side.rr('home.example.org', 'AAAA', '::6')),
            says(evil[:-6] + b'\xff\xff1234'), says(evil, rcode=3), says(evil, rcode=2), lambda *_: b'\xff' * 600,
            says(b'\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x0c')]
    with resolver('127.0.0.24'), Publisher() as publisher:
        for number, lie in enumerate(lies):
            server.answer = lie
            answer = publisher.ask(make_job(RESOLVE, [('home.example.org', 'A')], timeout_ms=3000))[0]
            same(answer.addresses, [], f'lie {number}')
        server.answer = says(side.rr('home.example.org', 'A', '6.6.6.6', 0xffffffff))
        same(publisher.ask(make_job(RESOLVE, [('home.example.org', 'A')]))[0].ttl, 0)


side.start_internet()
run_all(globals())
