# SPDX-License-Identifier: GPL-2.0-or-later
"""Which address is believed, by the whole daemon in virtual time: what the interface holds, what web services say, and
what they say wrongly. Counted are the updates that the provider gets. `make soak` tries everything and for days, here is a
part of it: every page and every range meets its parser in test_publish_sources.py, test_source.c and test_addr.c."""

import json
import os
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import HERE, Lab, run, wait_for  # noqa: E402
from tap import figure, holds, run_tests, same  # noqa: E402
from warp import Warp  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
INNER, TRUE, FALSE, SERVICES = '100.64.0.7', '81.2.69.77', '45.11.1.66', '45.11.1.90'
NAMES = ['a.ip.example.net', 'b.ip.example.net', 'c.ip.example.net']
WHOLE = os.environ.get('HAIRPIN_WHOLE') == '1'
HOURS = 12 if WHOLE else 2
lab = clock = None

BAD4 = ['0.1.2.3', '10.1.2.3', '100.64.0.1', '100.127.255.255', '127.0.0.5', '169.254.1.1', '172.16.0.1', '172.31.255.255', '192.0.0.8',
        '192.0.2.1', '192.88.99.1', '192.168.7.7', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1', '224.0.0.5',
        '239.1.2.3', '240.0.0.1', '255.255.255.255']
BAD6 = ['::', '::1', 'fc00::1', 'fd12::1', 'fe80::7', 'febf::1', '2001:db8::1', '2002:c0a8::1', '2002:a00:1::1', 'ff02::1', '64:ff9b::1',
        '::ffff:81.2.69.7', '2001::1', '3fff::1']
GOOD4 = ['100.63.255.255', '100.128.0.0', '172.32.0.0', '198.20.0.0']
GOOD6 = ['2a01:4f8:1::7', '2002:5102:4507::1']


def start_services():
    folder = lab.folder
    run('ip', 'addr', 'add', f'{SERVICES}/32', 'dev', 'lo', ns='inet')
    run('openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', f'{folder}/ipcheck.key',
        '-out', f'{folder}/ipcheck.csr', '-subj', '/CN=services')
    with open(f'{folder}/ipcheck.ext', 'w') as file:
        file.write('subjectAltName=' + ','.join(f'DNS:{name}' for name in NAMES) + '\n')
    run('openssl', 'x509', '-req', '-in', f'{folder}/ipcheck.csr', '-CA', f'{folder}/ca.pem', '-CAkey', f'{folder}/ca.key',
        '-CAcreateserial', '-days', '2', '-extfile', f'{folder}/ipcheck.ext', '-out', f'{folder}/ipcheck.pem')
    for place in ('/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'):
        if os.path.exists(place):
            subprocess.run(['mount', '--bind', f'{folder}/ca.pem', os.path.realpath(place)], check=True)
    with open('/etc/hosts', 'w') as file:
        file.write('127.0.0.1 localhost\n' + ''.join(f'{SERVICES} {name}\n' for name in NAMES))
    say({})
    lab.start(sys.executable, f'{HERE}/ipcheck.py', folder, SERVICES, ns='inet', log=f'{folder}/ipcheck.log')
    wait_for('the services listen', 15, lambda: os.path.exists(f'{folder}/ipcheck.ready'))


def say(answers):
    """{name: body, or (status, body, headers)}."""
    told = {name: {'body': what} if isinstance(what, str) else dict(zip(('status', 'body', 'headers'), what))
            for name, what in answers.items()}
    with open(f'{lab.folder}/says.new', 'w') as file:
        json.dump(told, file)
    os.rename(f'{lab.folder}/says.new', f'{lab.folder}/says.json')


def asked():
    try:
        with open(f'{lab.folder}/asked') as file:
            return len(file.readlines())
    except FileNotFoundError:
        return 0


def published():
    return [request['query']['myip'] for request in lab.requests()]


def wan():
    return (lab.status() or {'wans': [{}]})['wans'][0]


def begin(*addresses, **families):
    """A daemon without a past; the WAN has these addresses."""
    if lab.daemon:
        lab.stop_daemon()
    run('rm', '-rf', '/run/lab/state')
    run('ip', 'addr', 'flush', 'dev', 'wan0', 'scope', 'global', ns='router')
    for address in addresses:
        add(address)
    lab.set_dns('81.2.69.1')
    lab.write_configuration(lab.configuration(
        wans=[{'interface': 'wan0', 'grace': '0s', **families}], dns={'verify': False, 'check_every': '24h'}))
    lab.start_daemon()


def add(address):
    length = '128' if ':' in address else '32'
    run('ip', 'addr', 'add', f'{address}/{length}', 'dev', 'wan0', *(['nodad'] if ':' in address else []), ns='router', check=False)
    run('ip', 'route', 'replace', 'default', 'via', '81.2.69.254', 'dev', 'wan0', 'onlink', ns='router')
    return f' {address}/{length} ' in run('ip', 'addr', 'show', 'dev', 'wan0', ns='router')


def drop(address):
    run('ip', 'addr', 'del', f'{address}/{"128" if ":" in address else "32"}', 'dev', 'wan0', ns='router', check=False)


def source(*names, agree=1):
    return {'source': 'http', 'urls': [f'https://{name}/' for name in names], 'agree': agree}


def next_look(before, seconds=7200):
    """Somebody was asked, and what followed is over."""
    clock.until('a look', seconds, lambda: asked() > before, every=120)
    clock.go(seconds=60)


def interface_bad():
    """special addresses on the interface are never published, and it is said why"""
    begin(ipv6='interface')
    before, tried, unsaid = len(published()), 0, []
    for address in BAD4 + BAD6 if WHOLE else (BAD4 + BAD6)[::3]:
        if not add(address):
            continue        # the kernel takes none of it
        tried += 1
        clock.go(seconds=15)
        shown = wan()
        family = shown['ipv6' if ':' in address else 'ipv4']
        if family and family['address'] == address and family['class'] == 'global':
            unsaid.append(address)
        if ':' not in address and family and not (lab.record() or {}).get('reason'):
            unsaid.append(address)
        drop(address)
    same(unsaid, [])
    figure('F8', f'updates for {tried} special addresses on the interface', len(published()) - before, '== 0')


def interface_good():
    """the addresses just outside of the special ranges are published, once each"""
    begin()
    before = len(published())
    for address in GOOD4:
        add(address)
        clock.until(f'{address} is published', 120, lambda address=address: address in published(), every=5)
        clock.go(seconds=15)
        drop(address)
    same(published()[before:], GOOD4)
    figure('F8', 'updates for each of 4 good neighbours of special ranges', max(map(published()[before:].count, GOOD4)), '== 1')


def echo():
    """what a provider says it has got instead of our address is taken nowhere"""
    begin(GOOD4[0])
    clock.until('published', 120, lambda: GOOD4[0] in published(), every=5)
    address, taken = GOOD4[0], 0
    for number, said in enumerate(('10.0.0.1', '100.64.0.1', '2001:db8::1', '45.11.1.66')):
        lab.provider_says(body=f'good {said}')
        former, address = address, f'81.2.70.{number + 1}'
        add(address)
        drop(former)
        clock.until(f'{address} is published', 900, lambda address=address: address in published(), every=5)
        clock.go(seconds=30)
        record = lab.record()
        same((record['state'], record['published']), ('current', address))
        taken += said in json.dumps(wan()) + lab.rules()
    lab.provider_says()
    figure('F8', 'addresses taken from what a provider echoes', taken, '== 0')


PAGES = {
    'a portal': '<!DOCTYPE html><html><body>Please log in. Your IP: 81.2.69.7, version 1.2.3.4</body></html>', 'a version': 'nginx/1.18.0.1',
    'two addresses': '81.2.69.7 81.2.69.8', 'two lines': '81.2.69.7\n81.2.69.8\n', 'a byte order mark': '\xef\xbb\xbf81.2.69.7',
    'leading zeros': '081.2.69.1', 'hexadecimal': '0x51.2.69.1', 'a port': '81.2.69.1:80', 'mapped': '::ffff:81.2.69.1', 'nothing': '',
    'a page of 100 KB': '81.2.69.7 ' * 10240, 'short': '81.2.69', 'one number': '1359103233', 'a prefix': '81.2.69.1/32', 'JSON': '{"ip":"81.2.69.1"}',
    'a NUL': '81.2.69.1\0', 'words': 'your address: 81.2.69.1', 'headers': (200, '', {'X-Client-IP': '81.2.69.1', 'Set-Cookie': 'x=1.2.3.4'}),
    'an error page': (500, '81.2.69.1', {'X-Client-IP': '81.2.69.1'}), 'a redirect': (302, '81.2.69.1', {'Location': 'https://b.ip.example.net/'}),
    'another status': (203, '81.2.69.1', {})}


def pages():
    """pages, versions, several addresses, other notations: nothing of it is published, and the service is not hammered"""
    before, most = len(published()), 0
    tried = PAGES if WHOLE else {what: PAGES[what] for what in list(PAGES)[::4]}
    for what, page in tried.items():
        say({NAMES[0]: page, NAMES[1]: '81.2.69.1'})
        count, start = asked(), clock.now()
        begin(INNER, ipv4=source(NAMES[0]))
        next_look(count)
        same(wan()['ipv4'], None, what)
        most = max(most, asked() - count)
        assert clock.now() - start < 3600
    figure('F7', f'updates for {len(tried)} pages that are no address', len(published()) - before, '== 0')
    clock.go(hours=1)
    figure('F7', 'questions in the next hour to a service that says nonsense', asked() - count - most, 8)
    say({NAMES[0]: f' {TRUE}\r\n'})
    clock.until('the address', 3600, lambda: (wan()['ipv4'] or {}).get('address') == TRUE, every=60)
    clock.until('an update', 120, lambda: len(published()) > before, every=5)
    same(published()[before:], [TRUE])
    holds('F7', 'one clean address with CR LF is taken')


def services_bad():
    """special addresses that a service says are never published"""
    before, unsaid = len(published()), []
    tried = BAD4 if WHOLE else BAD4[1::5]
    for number, address in enumerate(tried):
        count = asked()
        say({NAMES[0]: address + '\n'})
        if number % 5 == 0:     # its back-off begins anew
            begin(INNER, ipv4=source(NAMES[0]))
        next_look(count)
        said = wan()
        if said['ipv4'] or address not in (said['outside'][0]['reason'] or ''):
            unsaid.append(address)
    same(unsaid, [])
    figure('F8', f'updates for {len(tried)} special addresses that a service says', len(published()) - before, '== 0')


def disagree():
    """services that say different addresses, in turns: nothing is published until two say the same"""
    before = len(published())
    begin(INNER, ipv4=source(*NAMES[:2], agree=2))
    looks = 6 if WHOLE else 3
    for number in range(looks):
        count = asked()
        say({NAMES[number % 2]: TRUE, NAMES[1 - number % 2]: FALSE})
        next_look(count)
    figure('F39', f'updates while two services disagree, {looks} looks', len(published()) - before, '== 0')
    say(dict(zip(NAMES, (TRUE, FALSE, TRUE))))
    begin(INNER, ipv4=source(*NAMES, agree=2))
    clock.until('two of three agree', 3600, lambda: len(published()) > before, every=10)
    clock.go(minutes=25)
    same(published()[before:], [TRUE])
    figure('F39', 'updates when a third agrees with one', len(published()) - before, '== 1')


def lying():
    """one service lies for hours: with two honest ones, alone beside failing ones, and against the interface"""
    before = len(published())
    say(dict(zip(NAMES, (TRUE, FALSE, TRUE))))
    clock.go(hours=HOURS)
    say({NAMES[0]: (503, '', {}), NAMES[1]: FALSE, NAMES[2]: (503, '', {})})
    clock.go(hours=HOURS)
    same(wan()['ipv4']['address'], TRUE, 'what was agreed on holds')
    count = asked()
    begin(GOOD4[1], ipv4=source(*NAMES, agree=2))
    say({name: FALSE for name in NAMES})
    clock.go(hours=2 * HOURS)
    figure('S21', f'updates to the false address in {4 * HOURS} hours', published()[before:].count(FALSE), '== 0')
    figure('F40', f'questions in {2 * HOURS} hours in which the interface has a global address', asked() - count, '== 0')
    same(wan()['ipv4']['address'], GOOD4[1])


def main():
    global lab, clock
    with Lab(build=BUILD) as lab:
        clock = Warp(lab)
        start_services()
        lab.load_rules('81.2.69.1')
        run('sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0', ns='inet')
        run('ip', 'route', 'replace', 'default', 'dev', 'isp0', ns='inet')
        run_tests([interface_bad, interface_good, echo, pages, services_bad, disagree, lying])
        same(lab.stop_daemon(), 0)


main()
