# SPDX-License-Identifier: GPL-2.0-or-later
"""A real PowerDNS through its HTTP API: hairpin-publish alone, and the whole daemon with the record verified in the same server."""

import os
import shutil
import sqlite3
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '../lab'), os.path.dirname(HERE)]
from lab import RESOLVER, Lab, inside, run, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402
import dns_servers  # noqa: E402
import publish_side as side  # noqa: E402
from dns_servers import ZONE  # noqa: E402
from publish_side import Publisher, UPDATE, make_job  # noqa: E402

KEY, PORT = 'the key "of" the API', 8081
NOBODY = '127.0.0.9'
HOME, TWO, WILD = f'home.{ZONE}', f'two.{ZONE}', f'*.wild.{ZONE}'
server = None
names = iter(range(2, 250))


class Api(dns_servers.PowerDns):
    """PowerDNS with its API; its zone's name server is itself."""

    def prepare(self):
        argv = super().prepare()
        with sqlite3.connect(f'{self.folder}/base.sqlite3') as database:
            database.execute("INSERT INTO domainmetadata (domain_id, kind, content) VALUES (1, 'SOA-EDIT-API', 'INCREASE')")
            database.execute('UPDATE records SET content = ? WHERE name = ?', (self.address, f'ns.{ZONE}'))
        database.close()
        return argv + ['--api=yes', f'--api-key={KEY}', '--webserver=yes', f'--webserver-address={self.address}',
                       f'--webserver-port={PORT}', '--webserver-allow-from=0.0.0.0/0', '--webserver-loglevel=normal',
                       '--loglevel=6']

    def patches(self):
        """Requests that change something."""
        with open(f'{self.folder}/log') as log:
            return log.read().count('"PATCH ')


def job(records, private_server=1, **changes):
    settings = {'server': f'{server.address}:{PORT}', 'token': KEY, 'domain': ZONE, 'ttl': '600'}
    settings.update(changes)
    with open(f'{side.TOP}/conf/providers/pdns.json') as file:
        document = file.read()
    texts = [document, '', '', *[''] * len(records)] + [text for pair in settings.items() for text in pair]
    return make_job(UPDATE, records, 1, 10000, texts, insecure_http=1, private_server=private_server)


def ask(records, **changes):
    with Publisher() as publisher:
        return publisher.ask(job(records, **changes))


def verdicts(answers):
    return [answer.verdict for answer in answers]


def fresh():
    """Two addresses that no record holds yet."""
    number = next(names)
    return f'192.0.2.{number}', f'2001:db8:1::{number}'


def others():
    """What no update of an address may touch."""
    return {(name, kind): server.dig(name, kind) for name, kind in (
        (HOME, 'TXT'), (HOME, 'MX'), (f'mail.{ZONE}', 'A'), (f'alias.{ZONE}', 'CNAME'), (ZONE, 'NS'), (f'ns.{ZONE}', 'A'))}


def one_request():
    """four names of both families, apex and wildcard among them, in one request: the serial rises by one, all else stays"""
    v4, v6 = fresh()
    before, stays, patches = server.serial(), others(), server.patches()
    assert all(stays.values()), stays
    records = [(name, address) for name in (HOME, TWO, WILD, ZONE) for address in (v4, v6)]
    same(verdicts(ask(records)), ['good'] * 8)
    for name in (HOME, TWO, f'x.wild.{ZONE}', ZONE):
        same((server.dig(name, 'A'), server.dig(name, 'AAAA')), ([(v4, 600)], [(v6, 600)]), name)
    same((server.serial(), server.patches()), (before + 1, patches + 1))
    same(others(), stays)


def one_family():
    """one family alone: the other one keeps address and TTL; a TTL of one's own"""
    v4, v6 = fresh()
    same(verdicts(ask([(HOME, v4), (HOME, v6)])), ['good'] * 2)
    v4, _ = fresh()
    same(verdicts(ask([(HOME, v4)], ttl='77')), ['good'])
    same((server.dig(HOME, 'A'), server.dig(HOME, 'AAAA')), ([(v4, 77)], [(v6, 600)]))


def twenty():
    """20 names of both families in one request"""
    v4, v6 = fresh()
    before = server.serial()
    same(set(verdicts(ask([(f'many-{i // 2}.{ZONE}', v6 if i % 2 else v4) for i in range(40)]))), {'good'})
    same(server.serial(), before + 1)
    same(server.dig(f'many-19.{ZONE}', 'AAAA'), [(v6, 600)])


def refused():
    """a wrong key, an unknown zone, a name outside the zone: nothing is written, no key is told"""
    before = server.serial()
    v4, v6 = fresh()
    for changes, wanted in (({'token': 'wrong key'}, 'badauth'), ({'domain': 'example.net'}, 'nohost')):
        answers = ask([(HOME, v4), (HOME, v6)], **changes)
        same(verdicts(answers), [wanted] * 2, f'{changes}: {answers[0].text}')
        assert 'wrong key' not in answers[0].text and KEY not in answers[0].text, answers[0].text
    answer = ask([('home.example.net', v4)])[0]
    same(answer.verdict, 'nohost')
    assert 'out of zone' in answer.text, answer.text
    same(server.serial(), before)


def alias():
    """a name that is an alias: nothing is written, with PowerDNS's reason; of several names it does not say which, so halves"""
    before = server.serial()
    v4, _ = fresh()
    answer = ask([(f'alias.{ZONE}', v4)])[0]
    same(answer.verdict, 'nohost')
    assert 'Conflicts with' in answer.text, answer.text
    same(verdicts(ask([(f'alias.{ZONE}', v4), (HOME, v4)])), ['split'] * 2)
    same(server.serial(), before)


def down():
    """nobody there; a private address without private_server: unreachable"""
    v4, v6 = fresh()
    with open('/etc/hosts', 'a') as hosts:
        hosts.write(f'{server.address} pdns.inside.test\n')
    before = server.patches()
    same(verdicts(ask([(HOME, v4)], server=f'pdns.inside.test:{PORT}', private_server=0)), ['unreachable'])
    same(server.patches(), before)
    same(verdicts(ask([(HOME, v4)], server=f'pdns.inside.test:{PORT}')), ['good'])
    same(verdicts(ask([(HOME, v4), (HOME, v6)], server=f'{NOBODY}:{PORT}')), ['unreachable'] * 2)


# --- the whole daemon

lab = online = None
ADDRESS = '45.11.1.54'
NAMES = (HOME, f'daemon.{ZONE}', ZONE)


def enter_internet():
    """The zone moves from knot to PowerDNS, and the resolver knows."""
    global online
    run('ip', 'addr', 'add', f'{ADDRESS}/32', 'dev', 'lo', ns='inet')
    lab.end(lab.resolver)
    lab.resolver = lab.start(
        'dnsmasq', '-d', '-C', '/dev/null', '--no-resolv', '--no-hosts', f'--listen-address={RESOLVER}',
        '--bind-interfaces', '--pid-file=', '--cache-size=0', f'--server=/{ZONE}/{ADDRESS}', '--local=//',
        ns='inet', log=f'{lab.folder}/dnsmasq.log')
    with inside('inet'):
        online = Api(ADDRESS, 'daemon')
        wait_for('the resolver answers', 10, lambda: run('kdig', f'@{RESOLVER}', '+short', '+retry=0', '+timeout=1', ZONE, 'NS'))


def dns(name, kind):
    with inside('inet'):
        return online.dig(name, kind)


def serial():
    with inside('inet'):
        return online.serial()


def configure(**changes):
    entry = {'type': 'pdns', 'server': f'{ADDRESS}:{PORT}', 'token': {'file': '/etc/hairpind/password'}, 'domain': ZONE,
             'ttl': '90', 'insecure_http': True, 'hostnames': list(NAMES)}
    entry.update(changes)
    lab.write_configuration(lab.configuration(providers=[entry]))
    with open('/etc/hairpind/password', 'w') as file:
        file.write(f'{KEY}\n')


def is_current(v4, v6, names=NAMES):
    records = [lab.record(family, name) for family in ('ipv4', 'ipv6') for name in names]
    return all(record and (record['state'], record['published'], record['verified']) ==
               ('current', v6 if record['family'] == 'ipv6' else v4, True) for record in records)


def finish():
    same(lab.stop_daemon(), 0)
    log = lab.log()
    assert KEY not in log, 'a secret in the log'


def change6(old, new):
    if old:
        run('ip', 'addr', 'del', f'{old}/64', 'dev', 'wan0', ns='router')
    run('ip', 'addr', 'add', f'{new}/64', 'dev', 'wan0', 'nodad', ns='router')
    run('ip', 'route', 'replace', 'default', 'via', '2a01:4f8:1::254', 'dev', 'wan0', ns='router')


def both_change():
    """a change of both addresses: every name is published by one request and verified by DNS; a restart sends nothing"""
    configure()
    lab.set_address('81.2.69.21')
    change6(None, '2a01:4f8:1::21')
    lab.start_daemon()
    wait_for('all is verified', 40, lambda: is_current('81.2.69.21', '2a01:4f8:1::21'))
    for name in NAMES:
        same((dns(name, 'A'), dns(name, 'AAAA')), ([('81.2.69.21', 90)], [('2a01:4f8:1::21', 90)]), name)
    first = online.patches()
    print(f'# {first} requests at the start')
    lab.set_address('81.2.69.22')
    wait_for('the new address is verified', 40, lambda: is_current('81.2.69.22', '2a01:4f8:1::21'))
    same((online.patches(), {address for name in NAMES for address, _ in dns(name, 'AAAA')}), (first + 1, {'2a01:4f8:1::21'}))
    finish()
    before = serial()
    lab.start_daemon()
    wait_for('still current', 30, lambda: is_current('81.2.69.22', '2a01:4f8:1::21'))
    same(serial(), before)


def outage():
    """the server is down while the address changes: waiting, with the reason; up again: published, with nobody's help"""
    with inside('inet'):
        online.stop()
    lab.set_address('81.2.69.23')
    record = wait_for('waiting', 40, lambda: (lambda r: r if r and r['state'] == 'waiting' else None)(lab.record()))
    same((record['last_answer'], bool(record['next_try'])), ('unreachable', True), record)
    with inside('inet'):
        online.start()
    wait_for('the new address is verified', 100, lambda: is_current('81.2.69.23', '2a01:4f8:1::21'))
    finish()


def one_is_alias():
    """one of five names is an alias: it alone is disabled, with PowerDNS's reason; the others are published"""
    alias = f'alias.{ZONE}'
    configure(hostnames=[*NAMES, alias, f'late.{ZONE}'])
    lab.set_address('81.2.69.24')
    lab.start_daemon()
    wait_for('the others are verified', 60, lambda: is_current('81.2.69.24', '2a01:4f8:1::21', [*NAMES, f'late.{ZONE}']))
    record = wait_for('disabled', 30, lambda: (lambda r: r if r and r['state'] == 'disabled' else None)(lab.record(hostname=alias)))
    assert record['reason'].startswith('nohost: ') and 'Conflicts with' in record['reason'], record
    same(dns(alias, 'CNAME'), [(f'home.{ZONE}.', 60)])
    finish()


def wrong_key():
    """a wrong key: one request, every name disabled, also after a restart; the right one mends it at a reload"""
    configure(token='wrong')
    before = online.patches()
    lab.set_address('81.2.69.25')
    lab.start_daemon()
    wait_for('disabled', 30, lambda: {record['state'] for record in lab.status()['records']} == {'disabled'})
    same(online.patches(), before + 1, 'requests')
    same({record['reason'] for record in lab.status()['records']}, {'badauth: HTTP 401: Unauthorized'})
    configure()
    lab.ctl('reload')
    wait_for('mended', 200, lambda: is_current('81.2.69.25', '2a01:4f8:1::21'))
    finish()


def main():
    global server, lab
    if not shutil.which(Api.program):
        print(f'{Api.program} is not installed', file=sys.stderr)
        sys.exit(77)
    os.makedirs(side.FOLDER, exist_ok=True)
    os.makedirs(dns_servers.FOLDER, exist_ok=True)
    with Lab(build=os.environ.get('HAIRPIN_BUILD', 'build/asan')) as lab:
        server = Api('127.0.0.8', 'api')
        enter_internet()
        try:
            run_tests([one_request, one_family, twenty, refused, alias, down, both_change, outage, one_is_alias,
                       wrong_key])
        finally:
            server.stop()
            online.stop()


main()
