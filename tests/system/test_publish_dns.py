# SPDX-License-Identifier: GPL-2.0-or-later
"""hairpin-publish's looks at DNS: a real knot, and name servers that are silent, lying or hostile."""

import os
import subprocess
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
from tap import run_all, same  # noqa: E402
import publish_side as side  # noqa: E402
from publish_side import CHECK, KNOT, VERIFY, Publisher, make_job, one, resolver, update  # noqa: E402

ADDRESS, ADDRESS6 = '81.2.69.7', '2a01:4f8:1::7'
HOME = [('home.example.org', ADDRESS)]


def test_check():
    """CHECK at the zone's own servers: present, absent, several, CNAME here and elsewhere, wildcard"""
    cases = [('home.example.org', 'A', [ADDRESS]), ('home.example.org', 'AAAA', [ADDRESS6]),
             ('two.example.org', 'A', ['81.2.69.7', '81.2.69.8']), ('none.example.org', 'A', []),
             ('two.example.org', 'AAAA', []), ('alias.example.org', 'A', [ADDRESS]),
             ('away.example.org', 'A', ['81.2.69.10']), ('x.wild.example.org', 'A', ['81.2.69.9']),
             ('*.wild.example.org', 'A', ['81.2.69.9'])]
    with Publisher() as publisher:
        answers = publisher.ask(make_job(CHECK, [case[:2] for case in cases]))
    for case, answer in zip(cases, answers):
        same((answer.verdict, sorted(answer.addresses)), ('answer', case[2]), case[0])
        same(answer.ttl, 60 if case[2] else 0, case[0])


def test_check_loop():
    """a circle of CNAMEs ends"""
    answer = one(make_job(CHECK, [('loop.example.com', 'A')]))
    assert answer.verdict in ('no proof', 'no answer') and not answer.addresses, answer


def test_no_proof():
    """the zone's server is silent: what the resolver says proves nothing; bound to a missing link likewise"""
    silent = side.Dns('45.11.1.54', lambda name, kind, query: None)
    with Publisher() as publisher:
        publisher.warm()
        begin = time.monotonic()
        answer = publisher.ask(make_job(CHECK, [('home.quiet.test', 'A')]))[0]
        same((answer.verdict, answer.addresses), ('no proof', ['81.2.69.3']))
        assert time.monotonic() - begin < 11 and silent.asked
    assert not any(recurse for _, _, _, recurse in silent.asked), 'RD=0 for authorities'
    answer = one(make_job(CHECK, [('home.example.org', 'A')], interface=b'nosuch0'))
    same(answer.verdict, 'no proof')
    same(one(make_job(CHECK, [('home.example.org', 'A')], interface=b'lo')).verdict, 'answer')


def test_link_of_ipv6():
    """a name server with an IPv6 address is asked by the link for IPv6, whatever the family asked for"""
    subprocess.run(['ip', 'addr', 'add', '2a01:4f8:2::53/128', 'dev', 'lo', 'nodad'], check=True)
    side.Dns('2a01:4f8:2::53', lambda name, kind, query: side.reply(query, [side.rr(name, 'A', '81.2.69.6')]))
    for link, link6, verdict in (('nosuch0', 'lo', 'answer'), ('lo', 'nosuch0', 'no proof'), ('lo', '', 'answer')):
        answer = one(make_job(CHECK, [('home.six.test', 'A')], interface=link.encode(), interface6=link6.encode()))
        same(answer.verdict, verdict, f'by {link} and {link6}')


def test_verify():
    """VERIFY asks all servers: all hold it, one does not, one holds more"""
    stale = side.Dns('45.11.1.55', lambda name, kind, query: side.reply(query, [side.rr(name, 'A', '81.2.69.1')]))
    cases = [('home.example.org', ADDRESS, 'verified'), ('two.example.org', '81.2.69.8', 'verified'),
             ('home.example.org', '81.2.69.1', 'not yet'), ('none.example.org', ADDRESS, 'not yet'),
             ('home.mixed.test', ADDRESS, 'not yet'), ('home.example.org', ADDRESS6, 'verified')]
    with Publisher() as publisher:
        answers = publisher.ask(make_job(VERIFY, [case[:2] for case in cases]))
    same([answer.verdict for answer in answers], [case[2] for case in cases])
    assert '45.11.1.55' in answers[4].text, answers[4].text
    assert ('home.mixed.test', 'A', 'udp', False) in stale.asked


def test_trusted():
    """servers of the configuration: RD=1, no authority needed, and only they"""
    trusted = side.Dns('45.11.1.57', lambda name, kind, query: side.reply(
        query, [side.rr(name, 'A', '81.2.69.4', 0x80000001)], flags=0x8080))
    answer = one(make_job(CHECK, [('home.example.org', 'A')], servers=['45.11.1.57:53', '[::1]:53'], interface=b'nosuch0'))
    same((answer.verdict, answer.addresses, answer.ttl), ('answer', ['81.2.69.4'], 0))
    same(trusted.asked, [('home.example.org', 'A', 'udp', True)])


def test_hostile_dns():
    """hostile answers: forged, looping, lying, endless, truncated; never a crash, never believed"""
    evil = side.Dns('45.11.1.56', None)

    def forged(name, kind, query):
        bad_id = bytes([query[0] ^ 1]) + side.reply(query, [side.rr(name, 'A', '6.6.6.6')])[1:]
        other = side.reply(query[:12] + side.wire_name('other.test') + query[-4:], [side.rr('other.test', 'A', '6.6.6.6')])
        return [bad_id, other, side.reply(query, [side.rr(name, 'A', '81.2.69.3')])]

    def says(*records, **more):
        return lambda name, kind, query: side.reply(query, records, **more)

    loop = b'\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x0c'
    lies = [says(loop), says(b'\xc0\xff' * 20), says(b'\x40' + b'a' * 64), says(b'\0' * 9),
            says(side.rr('home.evil.test', 'A', '6.6.6.6')[:-6] + b'\xff\xff1234'),
            says(side.rr('home.evil.test', 'A', '6.6.6.6'), flags=0x8000),
            says(side.rr('home.evil.test', 'A', '6.6.6.6'), rcode=2), lambda *_: b'', lambda *_: b'\xff' * 600]
    with Publisher() as publisher:
        evil.answer = forged
        same(publisher.ask(make_job(CHECK, [('home.evil.test', 'A')]))[0].addresses, ['81.2.69.3'])
        for lie in lies:
            evil.answer = lie
            answer = publisher.ask(make_job(CHECK, [('home.evil.test', 'A')]))[0]
            assert '6.6.6.6' not in answer.addresses, answer
        evil.answer = says(*[side.rr('home.evil.test', 'A', f'81.3.{i >> 8}.{i & 255}') for i in range(1000)])
        evil.answer_tcp = evil.answer
        evil.answer = says(flags=0x8600)
        same(len(publisher.ask(make_job(CHECK, [('home.evil.test', 'A')]))[0].addresses), 32, 'by TCP, 1,000 addresses')
        evil.answer = says(side.rr('elsewhere.test', 'A', '6.6.6.6'), side.rr('home.evil.test', 'CNAME', 'elsewhere.test'))
        answer = publisher.ask(make_job(CHECK, [('home.evil.test', 'A')]))[0]
        same(answer.addresses, [] if answer.verdict == 'answer' else answer.addresses)
        assert '6.6.6.6' not in answer.addresses
        whole = side.reply(b'\0\1\1\0\0\1\0\0\0\0\0\0' + side.wire_name('home.evil.test') + b'\0\1\0\1',
                           [side.rr('home.evil.test', 'A', '6.6.6.6')])
        del evil.answer_tcp
        for cut in range(0, len(whole) - 1, 9):
            evil.answer = (lambda cut: lambda name, kind, query: (query[:2] + whole[2:])[:cut])(cut)
            answer = publisher.ask(make_job(CHECK, [('home.evil.test', 'A')], timeout_ms=3000))[0]
            assert '6.6.6.6' not in answer.addresses, answer


def test_random_ports():
    """ids and ports of questions vary"""
    echo = side.Dns('127.0.0.9', lambda name, kind, query: side.reply(query, [side.rr(name, 'A', ADDRESS)]))
    with Publisher() as publisher:
        for _ in range(5):
            publisher.ask(make_job(CHECK, [('home.example.org', 'A')] * 40, servers=['127.0.0.9']))
    assert len(set(echo.ports)) > 190 and len(set(echo.ids)) > 190, (len(set(echo.ports)), len(set(echo.ids)))


def test_few_questions():
    """ten names of one zone: the zone is looked for once"""
    count = side.Dns('127.0.0.10', None)

    def answer(name, kind, query):
        if kind == 'NS':
            return side.reply(query, [side.rr(name, 'NS', 'ns.count.test')] if name == 'count.test' else [])
        if name == 'ns.count.test':
            return side.reply(query, [side.rr(name, 'A', '127.0.0.10')] if kind == 'A' else [])
        return side.reply(query, [side.rr(name, 'A', ADDRESS)])
    count.answer = answer
    with resolver('127.0.0.10'), Publisher() as publisher:
        answers = publisher.ask(make_job(CHECK, [(f'n{i}.count.test', 'A') for i in range(10)]))
    same({answer.verdict for answer in answers}, {'answer'})
    assert len(count.asked) == 13, count.asked


def test_resolvers():
    """the first of three resolvers is dead, the second refuses; only absolute names are asked"""
    refusing = side.Dns('127.0.0.11', lambda name, kind, query: side.reply(query, rcode=5))
    with resolver('127.0.0.12', '127.0.0.11', KNOT):
        with Publisher() as publisher:
            publisher.warm()
            begin = time.monotonic()
            same(publisher.ask(make_job(CHECK, [('home.example.org', 'A')]))[0].verdict, 'answer')
            assert time.monotonic() - begin < 10
        same({name for name, *_ in refusing.asked} - {'home.example.org', 'example.org', 'ns1.example.org', 'ns2.example.org'}, set())
    with resolver('127.0.0.12'):
        same(one(make_job(CHECK, [('home.example.org', 'A')])).verdict, 'no answer')
        same(one(update(HOME, 'missing.example.net')).verdict, 'unreachable')


def test_split_horizon():
    """a resolver with a view of its own is not believed about the record"""
    def view(name, kind, query):
        if (name, kind) == ('example.org', 'NS'):
            return side.reply(query, [side.rr(name, 'NS', 'ns1.example.org')], flags=0x8080)
        if (name, kind) == ('ns1.example.org', 'A'):
            return side.reply(query, [side.rr(name, 'A', KNOT)], flags=0x8080)
        return side.reply(query, [], flags=0x8080, rcode=3)
    side.Dns('127.0.0.13', view)
    with resolver('127.0.0.13'):
        same(one(make_job(CHECK, [('home.example.org', 'A')])).addresses, [ADDRESS])


side.start_internet()
run_all(globals())
