# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole daemon with a service of several steps (zone, record, change or create): what is looked up and kept, and
that no record is ever there twice."""

import json
import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '../lab'), os.path.dirname(HERE)]
from lab import Lab, ZONE, run, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402
import cloud_side  # noqa: E402

HOME, TWO = f'home.{ZONE}', f'two.{ZONE}'
V6 = '2a01:4f8:1::21'
KINDS = {'ipv4': 'A', 'ipv6': 'AAAA'}
TRAITS = {'ttl': 120, 'proxied': False, 'comment': 'do not touch', 'tags': ['house:mine']}
lab = cloud = None
count = 20


def configure(*names, token='first t0ken', families=('ipv4',), **changes):
    entry = {'type': 'cloudflare', 'domain': ZONE, 'token': {'file': '/etc/hairpind/password'},
             'ca_file': f'{lab.folder}/ca.pem', 'hostnames': list(names), 'families': list(families)}
    entry.update(changes)
    entry = {key: value for key, value in entry.items() if value is not None}
    lab.write_configuration(lab.configuration(providers=[entry]))
    with open('/etc/hairpind/password', 'w') as file:
        file.write(f'{token}\n')


def begin(*names, **how):
    """A fresh daemon, no state; the service as the test left it."""
    run('rm', '-rf', '/run/lab/state')
    configure(*names, **how)
    change()
    lab.start_daemon()


def change():
    """Another IPv4 address, which is returned."""
    global count
    count += 1
    lab.set_address(f'81.2.69.{count}')
    return lab.address


def alone(test):
    """The test leaves no daemon behind, however it ends."""
    def with_end():
        try:
            test()
        finally:
            if lab.daemon:
                lab.stop_daemon()
    with_end.__name__, with_end.__doc__ = test.__name__, test.__doc__
    return with_end


def finish():
    same(lab.stop_daemon(), 0)
    log = lab.log()
    assert 't0ken' not in log, 'a secret in the log'


def is_current(names, families=('ipv4',)):
    """As far as hairpind knows, and in truth."""
    for name in names:
        for family in families:
            wanted = lab.address if family == 'ipv4' else V6
            record = lab.record(family, name)
            if not record or (record['state'], record['published']) != ('current', wanted):
                return False
            same([row['content'] for row in cloud.find(name, KINDS[family])], [wanted], f'{name} {family}')
    return True


def settle(*names, families=('ipv4',), seconds=40):
    try:
        wait_for('all is current', seconds, lambda: is_current(names, families))
    except TimeoutError as error:
        error.log = f'\n{json.dumps(lab.status(), indent=1)}\n{lab.log()[-3000:]}'
        raise


def kept_ids():
    """Two names, both families: one look at each record; then one PATCH each a change, also after a restart"""
    cloud.clear()
    both = ('ipv4', 'ipv6')
    cloud.add(HOME, 'A', '198.51.100.1', **TRAITS)
    cloud.add(HOME, 'AAAA', '2001:db8::1', **TRAITS)
    cloud.add(HOME, 'TXT', 'stays')
    begin(HOME, TWO, families=both)
    settle(HOME, TWO, families=both)
    asked = cloud.take_asked()
    # at a start the answers of DNS come one by one, so that it may be more than one job
    assert 1 <= asked.count('zones') <= 4, asked
    same([what for what in asked if what != 'zones'], ['PATCH'] * 2 + ['POST'] * 2 + ['records'] * 4)
    change()
    settle(HOME, TWO, families=both)
    same(cloud.take_asked(), ['PATCH'] * 2)
    finish()
    lab.start_daemon()
    settle(HOME, TWO, families=both)
    same(cloud.take_asked(), [])
    change()
    settle(HOME, TWO, families=both)
    same(cloud.take_asked(), ['PATCH'] * 2)
    for kind in ('A', 'AAAA'):
        row = cloud.find(HOME, kind)[0]
        same({key: row[key] for key in TRAITS}, TRAITS, 'what is not the address stays')
    same(len(cloud.find(HOME, 'TXT')), 1)
    finish()


def zone_found():
    """No domain is given: of the zones that the token may see the one that the names are in is taken"""
    cloud.clear()
    begin(HOME, TWO, domain=None)
    settle(HOME, TWO)
    cloud.take_asked()
    change()
    settle(HOME, TWO)
    same(cloud.take_asked(), ['PATCH'] * 2)
    finish()


def deleted():
    """A record deleted behind our back: looked up and created again, once; the next change is a PATCH"""
    cloud.clear()
    begin(HOME, TWO)
    settle(HOME, TWO)
    cloud.take_asked()
    with cloud.lock:
        del cloud.records[cloud_id(TWO)]
    change()
    settle(HOME, TWO)
    asked = cloud.take_asked()
    same(asked, ['PATCH'] * 2 + ['POST', 'records', 'zones'])
    change()
    settle(HOME, TWO)
    same(cloud.take_asked(), ['PATCH'] * 2)
    finish()


def cloud_id(name):
    return next(ident for ident, record in cloud.records.items() if record['name'] == name)


def error_under_200():
    """A failure under status 200: not published, with the service's reason; tried again it goes"""
    cloud.clear()
    cloud.fails = lambda what, stored: None if stored or what != 'POST' else (
        200, {'success': False, 'errors': [{'code': 9207, 'message': 'the quota "is" full'}], 'result': None})
    begin(HOME)
    record = wait_for('waiting', 30, lambda: (lambda r: r if r and r['state'] == 'waiting' else None)(lab.record()))
    same((record['last_answer'], record['published']), ('transient', None), record)
    assert 'the quota "is" full' in record['reason'] and record['next_try'], record
    same(cloud.find(HOME, 'A'), [])
    cloud.fails = lambda what, stored: None
    settle(HOME, seconds=70)
    same(cloud.take_asked().count('POST'), 2)
    finish()


def once_at_post(how, before=False, **more):
    """At the first POST `how()` happens when the record is stored, or `before`, and gives what fails; there is one record."""
    cloud.clear()
    done = threading.Event()

    def fails(what, stored):
        if what != 'POST' or stored == before or done.is_set():
            return None
        done.set()
        return how()

    cloud.fails = fails
    begin(HOME, **more)
    wait_for('the POST', 20, done.is_set)
    settle(HOME, seconds=100)
    same(cloud.take_asked().count('POST'), 1)
    change()
    settle(HOME, seconds=100)
    same(len(cloud.find(HOME, 'A')), 1)
    asked = cloud.take_asked()
    same((asked.count('PATCH'), asked.count('POST')), (1, 0), asked)
    finish()


def cut():
    """The connection is cut after the record was created: it is not created again"""
    once_at_post(lambda: 'cut')
    once_at_post(lambda: 'cut', check=False)


def slow():
    """The answer comes too late, or the record is created too late: it is not created again"""
    once_at_post(lambda: time.sleep(3), timeout='1s')
    once_at_post(lambda: time.sleep(3), before=True, timeout='1s', check=False)


def kill_publisher():
    lab.kill('publisher')


def kill_early():
    """The service takes its time and creates the record when nobody waits for it any more."""
    kill_publisher()
    time.sleep(3)


def killed():
    """The publisher is killed when the record was just created, or will be soon: it is not created again"""
    once_at_post(kill_publisher)
    once_at_post(kill_publisher, check=False)
    once_at_post(kill_early, before=True)


def core_killed():
    """The core is killed when the record was just created: it is not created again"""
    once_at_post(lambda: lab.kill('core'))


def another_account():
    """Another token: ids of the old account are never used with it, also when an answer for the old one is on its way"""
    cloud.clear()
    begin(HOME, TWO)
    settle(HOME, TWO)
    cloud.take_asked()
    configure(HOME, TWO, token='second t0ken')
    lab.ctl('reload')
    change()
    settle(HOME, TWO)
    same(cloud.take_asked(), ['PATCH'] * 2 + ['records'] * 2 + ['zones'], 'both names share the look at the zone')
    release, waits = threading.Event(), threading.Event()

    def fails(what, stored):
        if stored and not waits.is_set():
            waits.set()
            release.wait(20)

    cloud.fails = fails
    change()
    wait_for('the request', 10, waits.is_set)
    configure(HOME, TWO, token='first t0ken')
    lab.ctl('reload')
    release.set()
    settle(HOME, TWO)
    change()
    settle(HOME, TWO)
    assert 'badauth' not in lab.log(), lab.log()[-2000:]
    finish()


def main():
    global lab, cloud
    with Lab(build=os.environ.get('HAIRPIN_BUILD', 'build/asan')) as lab:
        cloud = cloud_side.start(lab)
        lab.set_address('81.2.69.20')
        run('ip', 'addr', 'add', f'{V6}/64', 'dev', 'wan0', 'nodad', ns='router')
        run('ip', 'route', 'replace', 'default', 'via', '2a01:4f8:1::254', 'dev', 'wan0', ns='router')
        run_tests([alone(test) for test in (
            kept_ids, zone_found, deleted, error_under_200, cut, slow, killed, core_killed, another_account)])


main()
