# SPDX-License-Identifier: GPL-2.0-or-later
"""What an update leaves alone: other records and other fields of a zone of 200 records, the other family, the other names of
an answer of many lines. With the catalogue's own descriptions against services that keep a zone."""

import copy
import json
import os
import re
import sys
import urllib.parse

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
from tap import figure, holds, run_all, same  # noqa: E402
import publish_side as side  # noqa: E402
from publish_side import FOLDER, TOP, UPDATE, WEB, Publisher, Web, http, make_job, update  # noqa: E402

NEW, NEW6 = '81.2.69.99', '2a01:4f8:1::99'
CLOUD, VULTR, DESEC = 'api.cloudflare.com', 'api.vultr.com', 'update.dedyn.io'
NAMES = ['example.org', '*.example.org', 'home.example.org', 'h80.example.org']


def shipped(name):
    with open(f'{TOP}/conf/providers/{name}.json') as file:
        return file.read()


def order(name, records, number=1, memos=(), **settings):
    with open(f'{FOLDER}/ca.pem') as file:
        ca = file.read()
    texts = [shipped(name), '', ca, *(memos or [''] * len(records))]
    for key, value in settings.items():
        texts += [key, value]
    return make_job(UPDATE, records, number, texts=texts)


class Service:
    """Two zones that hold the same names, 200 records in all, as Cloudflare and Vultr would tell and change them."""

    def __init__(self):
        self.zones, self.asked = {}, []
        for zone in ('example.org', 'example.net'):
            records = [('', 'TXT', 'v=spf1 -all'), ('', 'MX', f'mail.{zone}'), ('', 'A', '192.0.2.1'), ('', 'AAAA', '2001:db8::1'), ('*', 'A', '192.0.2.2'),
                       ('home', 'TXT', '192.0.2.3'), ('home', 'A', '192.0.2.3'), ('home', 'AAAA', '2001:db8::3'), ('*', 'AAAA', '2001:db8::2'),
                       ('xhome', 'A', '192.0.2.3'), ('home.home', 'A', '192.0.2.3'), ('HOME2', 'A', '192.0.2.3')]
            records += [(f'h{number}', 'A', '192.0.2.3') for number in range(88)]
            self.zones[zone] = [{'id': f'{zone}-{number}', 'owner': owner, 'type': kind, 'content': content, 'ttl': 120 + number, 'proxied': number % 2 == 0,
                                 'comment': f'c{number}'} for number, (owner, kind, content) in enumerate(records)]

    def say(self, request, _):
        head, _, body = request.partition('\r\n\r\n')
        method, target = head.split(' ')[:2]
        url = urllib.parse.urlsplit(target)
        self.asked.append(f'{method} {target}')
        query = dict(urllib.parse.parse_qsl(url.query))
        act = self.cloudflare if f'Host: {CLOUD}' in head else self.vultr
        return act(method, url.path, query, json.loads(body) if body else {})

    def change(self, zone, ident, fields):
        record = next(record for record in self.zones[zone] if record['id'] == ident)
        record.update(fields)
        return record

    def cloudflare(self, method, path, query, body):
        def give(result):
            return http(json.dumps({'success': True, 'errors': [], 'result': result}))

        def shown(zone, record):
            return {**record, 'name': f'{record["owner"]}.{zone}'.lstrip('.')}
        if path == '/client/v4/zones':
            zones = [{'id': zone, 'name': zone} for zone in self.zones]
            return give([zone for zone in zones if query.get('name', zone['name']) == zone['name']])
        zone, _, ident = re.fullmatch(r'/client/v4/zones/([^/]+)/dns_records(/(.+))?', path).groups()
        if method == 'GET':
            return give([found for found in (shown(zone, record) for record in self.zones[zone])
                         if found['name'] == query['name'] and found['type'] == query['type']])
        assert method == 'PATCH', f'{method} {path}'
        return give(shown(zone, self.change(zone, ident, body)))

    def vultr(self, method, path, query, body):
        zone, _, ident = re.fullmatch(r'/v2/domains/([^/]+)/records(/(.+))?', path).groups()
        if method == 'GET':     # three pages of each zone
            first = int(query.get('cursor') or 0)
            rows = [{'id': row['id'], 'name': row['owner'], 'type': row['type'], 'data': row['content'], 'ttl': row['ttl']}
                    for row in self.zones[zone][first:first + 40]]
            more = str(first + 40) if first + 40 < len(self.zones[zone]) else ''
            return http(json.dumps({'records': rows, 'meta': {'total': 100, 'links': {'next': more, 'prev': ''}}}))
        assert method == 'PATCH', f'{method} {path}'
        fields = {{'data': 'content', 'name': 'owner'}.get(key, key): value for key, value in body.items()}
        self.change(zone, ident, fields)
        return http('', 204)


def differences(before, after):
    """(zone, owner, type, field, value) of everything that changed."""
    return [(zone, old['owner'], old['type'], key, new.get(key)) for zone in before for old, new in zip(before[zone], after[zone])
            for key in sorted(set(old) | set(new)) if old.get(key) != new.get(key)]


def test_one_field():
    """of two zones with 200 records the content of the wanted one changes, by name, apex and wildcard, and nothing else"""
    wrong, pages = [], 0
    for provider, settings in (('cloudflare', {'domain': '', 'zone_id': '', 'ttl': '1', 'proxied': 'false'}),
                               ('vultr', {'domain': 'example.org', 'ttl': '300'})):
        for name in NAMES:
            service = Service()
            before = copy.deepcopy(service.zones)
            web.say = service.say
            with Publisher() as publisher:
                answer = publisher.ask(order(provider, [(name, NEW)], token='t0ken', **settings))[0]
                same(answer.verdict, 'good', f'{provider} {name}: {answer.text}')
                owner = name.removesuffix('example.org').rstrip('.')
                wanted = [('example.org', owner, 'A', 'content', NEW)]
                found = differences(before, service.zones)
                wrong += [difference for difference in found if difference not in wanted] + ([] if found else [name])
                pages = max(pages, len([line for line in service.asked if 'GET' in line and 'records' in line]))
                again = publisher.ask(order(provider, [(name, NEW)], 2, [answer.memo], token='t0ken', **settings))[0]
                assert again.verdict in ('good', 'unchanged'), again
                same(differences(before, service.zones), wanted)
    same((wrong, pages), ([], 3))
    figure('F20', f'fields changed beside the content, {2 * len(NAMES)} updates in zones of 200 records', len(wrong), '== 0')
    figure('F20', 'pages that were read to find a record', pages, '== 3')


def test_other_family():
    """a service that clears the family it is not told of: it is told to keep it"""
    zone = {'A': '192.0.2.1', 'AAAA': '2001:db8::1'}

    def say(request, _):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.split(' ')[1]).query))
        for kind, key in (('A', 'myipv4'), ('AAAA', 'myipv6')):
            value = query.get(key, '')
            if value != 'preserve':
                zone[kind] = value or None      # as deSEC does
        return http('good')
    web.say = say
    lost = 0
    with Publisher() as publisher:
        for records, wanted in (([('me.dedyn.io', NEW)], {'A': NEW, 'AAAA': '2001:db8::1'}), ([('me.dedyn.io', NEW6)], {'A': '192.0.2.1', 'AAAA': NEW6}),
                                ([('me.dedyn.io', NEW), ('me.dedyn.io', NEW6)], {'A': NEW, 'AAAA': NEW6})):
            zone.update({'A': '192.0.2.1', 'AAAA': '2001:db8::1'})
            same({answer.verdict for answer in publisher.ask(order('desec', records, token='t0ken'))}, {'good'})
            lost += zone != wanted
    figure('F19', 'families that were cleared or changed beside the one that was published', lost, '== 0')


def test_family_fails():
    """one family is refused or fails, the other is published: each has its own result"""
    document = side.description(requests=[{'family': 'any', 'url': 'https://{server}/nic/update?hostname={hostnames}&myip={ip}'}])
    both = [('home.example.org', NEW), ('home.example.org', NEW6)]
    for bad, said in (('abuse', 'abuse'), ('nohost', 'nohost'), ('', 'transient')):
        web.say = lambda request, _, bad=bad: http(bad if 'myip=81.' in request else 'good')
        with Publisher() as publisher:
            same([answer.verdict for answer in publisher.ask(update(both, document=document))], [said, 'good'])
    holds('F19', 'IPv4 fails in three ways, IPv6 is published')


def test_lines():
    """answers of many lines: each name has its own line's; too few, too many, in another order"""
    document = side.description(batch=20, requests=[{'family': 'any', 'url': 'https://{server}/nic/update?hostname={hostnames}&myip={ip}'}])
    names = [f'h{number:02}.example.org' for number in range(50)]
    words = {0: 'good', 1: 'nohost', 2: 'nochg', 3: 'abuse', 4: '!yours'}
    verdicts = {'good': 'good', 'nohost': 'nohost', 'nochg': 'unchanged', 'abuse': 'abuse', '!yours': 'nohost'}

    def word(name):
        return words[int(name[1:3]) % 5]

    def say(request, _):
        asked = re.search(r'hostname=([^& ]*)', urllib.parse.unquote(request))[1].split(',')
        return http('\r\n'.join(f'{word(name)} {NEW}' if word(name) in ('good', 'nochg') else word(name) for name in asked))
    web.say, web.requests = say, []
    wrong = 0
    with Publisher() as publisher:
        for first in (0, 40):       # an account of 50 names is two jobs
            part = names[first:first + 40]
            answers = publisher.ask(update([(name, NEW) for name in part], document=document))
            wrong += sum(answer.verdict != verdicts[word(name)] for name, answer in zip(part, answers))
        figure('F18', 'names of 50 whose result is not that of their own line', wrong, '== 0')
        same(len(web.requests), 3, 'requests')
        three = [(name, NEW) for name in names[:3]]
        for body, wanted in (('good\nnohost', ['good', 'nohost', 'unconfirmed']), ('good', ['good'] * 3), ('nohost\ngood\nnochg', ['nohost', 'good', 'unchanged']),
                             ('good\nnohost\n911', ['good', 'nohost', 'server error']), ('dnserr\ngood\nnohost', ['server error', 'good', 'nohost']),
                             ('good\nnochg\ngood\nabuse\nbadauth\n', ['good', 'unchanged', 'good']), ('good\n\n\nnohost\n\ngood', ['good', 'nohost', 'good']),
                             ('good\ngarbage here\ngood', ['good', 'transient', 'good']), ('', ['transient'] * 3)):
            web.say = http(body)
            same([answer.verdict for answer in publisher.ask(update(three, document=document))], wanted, repr(body))
    holds('F18', 'too few, too many and reordered lines: each name its own, what no line is for is not confirmed')


side.start_internet()
side.make_certificate('services', f'DNS:{side.PROVIDER},DNS:{CLOUD},DNS:{VULTR},DNS:{DESEC}')
with open('/etc/hosts', 'a') as file:
    file.write(f'{WEB} {CLOUD} {VULTR} {DESEC}\n')
web = Web(443, 'services')
run_all(globals())
