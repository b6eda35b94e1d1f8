# SPDX-License-Identifier: GPL-2.0-or-later
"""hairpin-publish and descriptions of several steps, HTTP/2, and many jobs at once: a scripted provider that counts."""

import json
import os
import re
import subprocess
import sys
import threading
import threading
import time

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
from tap import run_all, same  # noqa: E402
import publish_side as side  # noqa: E402
from nginx_side import start_nginx  # noqa: E402
from publish_side import PROVIDER, WEB, Publisher, Web, http, make_job, one, update  # noqa: E402

ADDRESS, ADDRESS6, WEB6 = '81.2.69.7', '2a01:4f8:1::7', '2a01:4f8:2::80'
HOME = [('home.example.org', ADDRESS)]

STEPS = {
    'id': 'steps', 'name': 'Steps', 'status': 'alive',
    'settings': {'server': {'kind': 'server', 'required': True, 'help': 'HOST'},
                 'username': {'required': True, 'help': 'user'},
                 'password': {'required': True, 'secret': True, 'help': 'token'}},
    'requests': [
        {'step': 'zone', 'url': 'https://{server}/zones', 'headers': {'Authorization': 'Bearer {password}'},
         'read': {'zone': {'json': '[name~{hostname}].name'}, 'zone_id': {'json': '[name~{hostname}].id'}},
         'keep': ['zone', 'zone_id']},
        {'step': 'record', 'url': 'https://{server}/zones/{zone_id}/records?type={rrtype}',
         'headers': {'Authorization': 'Bearer {password}'},
         'read': {'record_id': {'json': '[name={hostname}].id'}, 'content': {'json': '[name={hostname}].content'}},
         'keep': ['record_id']},
        {'step': 'update', 'when': {'found': 'record_id'}, 'method': 'PATCH',
         'url': 'https://{server}/zones/{zone_id}/records/{record_id}',
         'headers': {'Authorization': 'Bearer {password}'}, 'body': {'content': '{ip}'},
         'answers': [{'http': 200, 'means': 'good'}, {'http': 404, 'means': 'nohost'}]},
        {'step': 'create', 'when': {'missing': 'record_id'}, 'method': 'POST', 'url': 'https://{server}/zones/{zone_id}/records',
         'headers': {'Authorization': 'Bearer {password}'},
         'body': {'name': '{hostname}', 'type': '{rrtype}', 'content': '{ip}'},
         'answers': [{'http': 201, 'means': 'good'}]}],
    'other_family': 'kept'}


class Zone:
    """A provider's API: zone example.org with records by their ids."""

    def __init__(self):
        self.records, self.asked, self.delay = {}, [], 0
        self.padding, self.leave = '', None

    def add(self, number, name, kind, content='192.0.2.1'):
        self.records[str(number)] = {'id': str(number), 'name': name, 'type': kind, 'content': content}

    def say(self, request, _):
        method, path = request.split(' ')[:2]
        self.asked.append(f'{method} {path}')
        time.sleep(self.delay)
        if self.leave and not self.leave.acquire(timeout=60):
            return http('{}', 500)
        body = request.partition('\r\n\r\n')[2]
        if path == '/zones':
            return http(json.dumps([{'name': 'example.net', 'id': 'z1'}, {'name': 'example.org', 'id': 'z2'},
                                    {'name': self.padding, 'id': 'z3'}]))
        found = re.fullmatch(r'/zones/z2/records/(\d+)', path)
        if found:
            if found[1] not in self.records:
                return http('{}', 404)
            self.records[found[1]]['content'] = json.loads(body)['content']
            return http('{}')
        if method == 'POST':
            self.records[str(len(self.records) + 100)] = json.loads(body)
            return http('{}', 201)
        kind = path.split('=')[1]
        return http(json.dumps([record for record in self.records.values() if record['type'] == kind]))


def steps(records, memos=(), **more):
    return update(records, document=json.dumps(STEPS), memos=memos, **more)


def serve(zone):
    web.say, web.requests = zone.say, []


def test_walk():
    """zone, record, update; what was looked up is kept, and the second time there is one request"""
    zone = Zone()
    zone.add(7, 'home.example.org', 'A')
    serve(zone)
    answer = one(steps(HOME))
    same((answer.verdict, zone.records['7']['content']), ('good', ADDRESS), answer)
    same(zone.asked, ['GET /zones', 'GET /zones/z2/records?type=A', 'PATCH /zones/z2/records/7'])
    assert f'Bearer {side.PASSWORD}' in web.requests[0] and '"content"' in web.requests[2], web.requests
    assert 'z2' in answer.memo and '7' in answer.memo, answer.memo
    zone.asked = []
    again = one(steps([('home.example.org', '81.2.69.8')], [answer.memo]))
    same((again.verdict, zone.records['7']['content'], again.memo), ('good', '81.2.69.8', answer.memo))
    same(zone.asked, ['PATCH /zones/z2/records/7'])


def test_refused_id():
    """a kept id that is refused is looked up again, once"""
    zone = Zone()
    zone.add(7, 'home.example.org', 'A')
    serve(zone)
    memo = one(steps(HOME)).memo
    zone.records, zone.asked = {}, []
    zone.add(8, 'home.example.org', 'A')
    answer = one(steps(HOME, [memo]))
    same((answer.verdict, zone.records['8']['content']), ('good', ADDRESS), answer)
    same(zone.asked, ['PATCH /zones/z2/records/7', 'GET /zones', 'GET /zones/z2/records?type=A',
                      'PATCH /zones/z2/records/8'])
    assert answer.memo != memo, memo


def test_create():
    """what is not there is made"""
    zone = Zone()
    serve(zone)
    same(one(steps(HOME)).verdict, 'good')
    same(zone.asked[-1], 'POST /zones/z2/records')
    same([record['content'] for record in zone.records.values()], [ADDRESS])


def test_shared():
    """both families of several names: the zone is looked up once, the records once for each family"""
    zone = Zone()
    names = ['a.example.org', 'b.example.org', 'c.example.org']
    for number, name in enumerate(names):
        zone.add(10 + number, name, 'A')
        zone.add(20 + number, name, 'AAAA')
    serve(zone)
    records = [(name, address) for name in names for address in (ADDRESS, ADDRESS6)]
    with Publisher() as publisher:
        answers = publisher.ask(steps(records))
    same([answer.verdict for answer in answers], ['good'] * 6)
    same(sorted({record['content'] for record in zone.records.values()}), sorted([ADDRESS, ADDRESS6]))
    same((zone.asked.count('GET /zones'), len([line for line in zone.asked if 'GET' in line])), (1, 3), str(zone.asked))
    same(len({answer.memo for answer in answers}), 6)


def test_early_results():
    """the result of a record does not wait for the others of its job"""
    zone = Zone()
    for number in range(3):
        zone.add(number, f'h{number}.example.org', 'A')
    serve(zone)
    zone.leave = threading.Semaphore(3)     # to answer for the zone, the list and one record
    with Publisher() as publisher:
        publisher.channel.send(steps([(f'h{number}.example.org', ADDRESS) for number in range(3)]))
        same([answer.verdict for answer in publisher.results(1)], ['good'])
        zone.leave.release(2)
        same([answer.verdict for answer in publisher.results(2)], ['good', 'good'])


def test_large_list():
    """a list of half a megabyte is read; one without end is none"""
    zone = Zone()
    zone.add(7, 'home.example.org', 'A')
    zone.padding = 'x' * 500000
    serve(zone)
    same(one(steps(HOME)).verdict, 'good')
    zone.padding = 'x' * 1200000
    answer = one(steps(HOME))
    assert answer.verdict in ('transient', 'nohost'), answer


def test_greedy_bodies():
    """bodies that fill the memory there is for all keep nobody from saying little"""
    over = threading.Event()

    def say(request, stream):
        if '/zones' not in request:
            return http('good')
        stream.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n' + b'x' * 1048576)
        over.wait(20)
        return None
    web.say, web.requests = say, []
    with Publisher() as publisher:
        for number in range(9):
            publisher.channel.send(steps(HOME, number=number))
        same([answer.verdict for answer in publisher.results(1)], ['transient'], 'one more than there is room for')
        for number in range(5):
            same([answer.verdict for answer in publisher.ask(update(HOME, number=10 + number))], ['good'])
        over.set()
        same({answer.verdict for answer in publisher.results(8)}, {'transient'})


def test_slow_step():
    """a step that hangs costs one request's time, and what was known stays known"""
    zone = Zone()
    zone.add(7, 'home.example.org', 'A')
    serve(zone)
    memo = one(steps(HOME)).memo
    zone.delay = 20
    with Publisher() as publisher:
        publisher.warm()
        begin = time.monotonic()
        answer = publisher.ask(steps(HOME, [memo], timeout_ms=18000, request_ms=1000))[0]
        assert 0.9 < time.monotonic() - begin < 9, time.monotonic() - begin
    same((answer.verdict, answer.memo), ('transient', memo))


def test_whole_time():
    """slow steps one after the other end with the job's time"""
    zone = Zone()
    for number in range(20):
        zone.add(number, f'h{number}.example.org', 'A')
    serve(zone)
    zone.delay = 0.4
    with Publisher() as publisher:
        publisher.warm()
        begin = time.monotonic()
        answers = publisher.ask(steps([(f'h{number}.example.org', ADDRESS) for number in range(20)], timeout_ms=2000,
                                      request_ms=1000))
    assert 1.5 < time.monotonic() - begin < 6, time.monotonic() - begin
    same({answer.verdict for answer in answers}, {'good', 'transient'})


def links_of_families(six):
    """each address of the server by its family's link, whatever families the job has; none by the other's"""
    both = [('home.example.org', ADDRESS), ('home.example.org', ADDRESS6)]
    document = json.dumps({
        'id': 'dual', 'name': 'Dual', 'status': 'alive', 'protocol': 'dyndns2', 'settings': STEPS['settings'],
        'requests': [{'url': 'https://{server}/u?h={hostname}&a={ip}', 'family': 'any'},
                     {'url': 'https://{server}/u?h={hostname}&a={ipv4}&b={ipv6}', 'family': 'dual'}]})
    for link, link6, counts, verdict in (('nosuch0', 'lo', (0, 1), 'good'), ('lo', 'nosuch0', (1, 0), 'good'),
                                         ('nosuch0', '', (0, 0), 'unreachable')):
        web.requests, six.requests = [], []
        with Publisher() as publisher:
            answers = publisher.ask(update(both, document=document, interface=link.encode(), interface6=link6.encode()))
        found = {answer.verdict for answer in answers}, (len(web.requests), len(six.requests))
        same(found, ({verdict}, counts), f'by {link} and {link6}: {answers[0].text}')


def test_family():
    """a server that takes the connection's address is asked by the family of the record"""
    document = json.dumps({
        'id': 'source', 'name': 'Source', 'status': 'alive', 'protocol': 'dyndns2', 'address': 'connection',
        'settings': STEPS['settings'], 'requests': [{'url': 'https://{server}/u?h={hostname}'}]})
    six = Web(443, address=WEB6, say=http('good'))
    web.say, web.requests = http('good'), []
    with open('/etc/hosts', 'a') as hosts:
        hosts.write(f'{WEB6} {PROVIDER}\n')
    with Publisher() as publisher:
        for address, counts in ((ADDRESS, (1, 0)), (ADDRESS6, (1, 1)), (ADDRESS, (2, 1)), (ADDRESS6, (2, 2))):
            same(publisher.ask(update([('home.example.org', address)], document=document))[0].verdict, 'good')
            same((len(web.requests), len(six.requests)), counts, address)
    links_of_families(six)
    with open('/etc/hosts', 'w') as hosts:
        hosts.write(f'127.0.0.1 localhost\n{WEB} {PROVIDER}\n')
    answer = one(update([('home.example.org', ADDRESS6)], document=document))
    same(answer.verdict, 'unreachable')
    assert 'IPv6' in answer.text, answer.text


def test_resolved_once():
    """twenty jobs at once ask once for their server; later ones again when its time is over"""
    web.say = http('good')
    with open('/etc/hosts', 'w') as hosts:
        hosts.write('127.0.0.1 localhost\n')

    def answer(name, kind, query):
        return side.reply(query, [side.rr(name, kind, WEB, dns.ttl)] if kind == 'A' else [], 0x8180)
    dns = side.Dns('45.11.1.54', answer)
    with side.resolver('45.11.1.54'), Publisher() as publisher:
        for dns.ttl, questions in ((60, 2), (60, 2)):
            for number in range(20):
                publisher.channel.send(update(HOME, number=number))
            same({said.verdict for said in publisher.results(20)}, {'good'})
            same(len(dns.asked), questions, str(dns.asked))
    dns.ttl, dns.asked = 0, []
    with side.resolver('45.11.1.54'), Publisher() as publisher:
        for questions in (2, 4):
            same(publisher.ask(update(HOME))[0].verdict, 'good')
            same(len(dns.asked), questions, str(dns.asked))
    with open('/etc/hosts', 'w') as hosts:
        hosts.write(f'127.0.0.1 localhost\n{WEB} {PROVIDER}\n')


def test_many_http1():
    """jobs at once have connections at once, and those that follow use them again"""
    gate = threading.Barrier(20)

    def say(_, __):
        gate.wait(25)
        return http('good')
    web.say, before = say, web.connections
    with Publisher() as publisher:
        for _ in range(3):
            for number in range(20):
                publisher.channel.send(update(HOME, number=number))
            same({answer.verdict for answer in publisher.results(20)}, {'good'})
        same(web.connections - before, 20)


def test_many_http2():
    """where HTTP/2 is offered all jobs share one connection"""
    plain, crowd, waiting, most, seen = Web(8080, None), threading.Condition(), [], [], set()

    def say(request, _):
        """The answers are held back until there are many."""
        seen.add((re.search(r'X-Connection: (\d+)', request)[1], re.search(r'X-Protocol: (\S+)', request)[1]))
        with crowd:
            waiting.append(request)
            most.append(len(waiting))
            crowd.notify_all()
            if ' /none' not in request:      # nginx is looked for
                crowd.wait_for(lambda: max(most) > 20, 20)
            waiting.remove(request)
        return http('good')
    plain.say = say
    nginx = start_nginx(4443, 8080)
    seen.clear()
    try:
        with Publisher() as publisher:
            for _ in range(2):
                for number in range(60):
                    publisher.channel.send(update(HOME, f'{PROVIDER}:4443', number=number))
                same({answer.verdict for answer in publisher.results(60)}, {'good'})
            same((len(seen), {protocol for _, protocol in seen}), (1, {'HTTP/2.0'}), str(seen))
            assert max(most) > 20, max(most)
            publisher.ask(update(HOME, f'{PROVIDER}:4443', epoch=2))
            same(len(seen), 2, 'another epoch')
    finally:
        nginx.terminate()
        nginx.wait()


def test_bad_memo():
    """a memo that makes no sense is no memo"""
    zone = Zone()
    zone.add(7, 'home.example.org', 'A')
    serve(zone)
    for memo in ('x', '=', 'zone_id=..%2F..%2Fadmin', 'a' * 600, 'zone_id=z2;record_id=%00'):
        answer = one(steps(HOME, [memo]))
        same(answer.verdict, 'good', memo[:20])
    assert not [line for line in zone.asked if 'admin' in line and '..%' not in line], zone.asked


def test_no_description():
    """a job whose description cannot be read keeps its memo"""
    answer = one(make_job(side.UPDATE, HOME, 1, 3000, ['{"id": 1}', '', '', 'z=1']))
    same((answer.verdict, answer.memo), ('bad request', 'z=1'))


side.start_internet()
subprocess.run(['ip', 'addr', 'add', f'{WEB6}/128', 'dev', 'lo', 'nodad'], check=True)
web = Web(443)
run_all(globals())
