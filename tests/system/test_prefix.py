# SPDX-License-Identifier: GPL-2.0-or-later
"""
A delegated prefix on a whole router: IPv6 rules and the names of LAN hosts follow br0's, of its address or of a route by
it; other names get the WAN's own address.
"""

import os
import re
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import Lab, run, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
WAN6 = '2a01:4f8:1::7'
NAS = 'nas.example.org'
PREFIX = {'source': 'interface', 'prefix_from': 'br0'}
KEEP = {'source': 'interface', 'keep': 'suffix', 'prefix_from': 'br0'}
RULES = '''
table ip6 nat {
	set hosts { type ipv6_addr; comment "hairpin hosts"; elements = { %(prefix)s::10, fd00::1 } }
	chain pre {
		type nat hook prerouting priority dstnat
		ip6 daddr %(prefix)s::10 tcp dport 80 dnat to fd00::2 comment "hairpin host"
		ip6 daddr %(prefix)s::/64 udp dport 53 redirect to :5353 comment "hairpin prefix"
		ip6 daddr @hosts tcp dport 81 dnat to fd00::2
		ip6 daddr %(prefix)s::11 tcp dport 82 dnat to fd00::2
	}
	chain post {
		type nat hook postrouting priority srcnat
		ip6 daddr fd00::2 masquerade comment "hairpin way back"
	}
}
'''
lab = None


def delegate(prefix, former=None):
    """Another prefix comes; the one before is deprecated first, as a router advertises it, and goes."""
    if former:
        run('ip', 'addr', 'change', f'{former}::1/64', 'dev', 'br0', 'preferred_lft', '0', 'valid_lft', '7200',
            ns='router')
    run('ip', 'addr', 'add', f'{prefix}::1/64', 'dev', 'br0', 'nodad', ns='router')
    if former:
        run('ip', 'addr', 'del', f'{former}::1/64', 'dev', 'br0', ns='router')


def elements():
    found = re.search(r'elements = {([^}]*)}', lab.rules('ip6 nat'))
    return sorted(found.group(1).replace(',', ' ').split()) if found else []


def holds(prefix):
    rules = lab.rules('ip6 nat')
    return (f'ip6 daddr {prefix}::10 tcp' in rules and f'ip6 daddr {prefix}::/64 udp' in rules and
            elements() == [f'{prefix}::10', 'fd00::1'])


def first():
    """Start: tagged rules of an unknown prefix get the present one, with their low bits; a LAN host's stay"""
    delegate('2a01:4f8:a001:1')
    run('nft', '-f', '-', ns='router', input=RULES % {'prefix': '2a01:4f8:a000:1'})
    lab.start_daemon()
    wait_for('the rules', 5, lambda: holds('2a01:4f8:a001:1'))
    rules = lab.rules('ip6 nat')
    assert 'ip6 daddr 2a01:4f8:a000:1::11 tcp' in rules and 'ip6 daddr fd00::2 masq' in rules, rules
    wan = lab.status()['wans'][0]
    same((wan['ipv6_prefix']['prefix'], wan['ipv6']['address']), ('2a01:4f8:a001:1::/64', WAN6))
    wait_for('AAAA', 30, lambda: lab.dns('AAAA') == [WAN6])
    wait_for('both current', 30, lambda: all(record['state'] == 'current' for record in lab.status()['records']))
    wait_for('hooks', 10, lambda: sum(line.startswith('record') for line in lab.hook_lines()) == 2)


def change():
    """Another prefix: rules, a prefix and a set follow in one batch; an event for rules, none for an address"""
    asked, hooks = len(lab.requests()), len(lab.hook_lines())
    handles = [line.split('# handle')[1] for line in lab.rules('ip6 nat').splitlines() if '# handle' in line]
    delegate('2a01:4f8:a002:2', '2a01:4f8:a001:1')
    wait_for('the rules', 5, lambda: holds('2a01:4f8:a002:2'))
    same([line.split('# handle')[1] for line in lab.rules('ip6 nat').splitlines() if '# handle' in line], handles)
    wait_for('the log', 5, lambda: 'IPv6 prefix 2a01:4f8:a002:2::/64 replaces 2a01:4f8:a001:1::/64; 3 rules rewritten'
             in lab.log())
    wait_for('a hook', 10, lambda: len(lab.hook_lines()) > hooks)
    same([line.split()[0] for line in lab.hook_lines()[hooks:]], ['rules'])
    same(lab.requests()[asked:], [])
    same(lab.status()['wans'][0]['ipv6']['address'], WAN6)


def vanishes():
    """The link loses its prefix: the rules stay; what comes next takes over"""
    run('ip', 'addr', 'del', '2a01:4f8:a002:2::1/64', 'dev', 'br0', ns='router')
    wait_for('the loss', 5, lambda: lab.status()['wans'][0]['ipv6_prefix']['prefix'] is None)
    assert holds('2a01:4f8:a002:2'), lab.rules('ip6 nat')
    delegate('2a01:4f8:a003:3')
    wait_for('the rules', 5, lambda: holds('2a01:4f8:a003:3'))


def delegated(prefix):
    """What the authority says of nas: the host behind the prefix and the WAN's IPv4 address."""
    return lab.dns('AAAA', NAS) == ([f'{prefix}::10'] if prefix else []) and lab.dns('A', NAS) == ['81.2.69.7']


def nas_state():
    record = lab.record('ipv6', NAS)
    return record and record['state']


def host_of_the_lan():
    """A name with ipv6_suffix: AAAA is br0's prefix with the host's bits, and follows; home's is the WAN's"""
    same(lab.stop_daemon(), 0)
    run('nft', 'flush', 'ruleset', ns='router')
    config = lab.configuration(wans=[{'interface': 'wan0', 'grace': '1s', 'ipv6': PREFIX}])
    config['providers'][0]['hostnames'].append({'name': NAS, 'ipv6_suffix': '::10'})
    lab.write_configuration(config)
    said = run(f'{lab.build}/hairpind', '--dry-run', ns='router', env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    assert f'record {NAS} (IPv6, dyndns2): (unknown) -> 2a01:4f8:a003:3::10 (dry run)' in said, said
    lab.start_daemon()
    wait_for('both of nas', 30, lambda: delegated('2a01:4f8:a003:3'))
    wait_for('current', 30, lambda: all(record['state'] == 'current' for record in lab.status()['records']))
    same((lab.record('ipv6', NAS)['wanted'], lab.record('ipv6')['wanted']), ('2a01:4f8:a003:3::10', WAN6))
    same(lab.status()['wans'][0]['ipv6_prefix']['prefix'], '2a01:4f8:a003:3::/64')
    asked = len(lab.requests())
    delegate('2a01:4f8:a005:5', '2a01:4f8:a003:3')
    wait_for('the new prefix', 30, lambda: delegated('2a01:4f8:a005:5'))
    same([(request['query']['hostname'], request['query']['myip']) for request in lab.requests()[asked:]],
         [(NAS, '2a01:4f8:a005:5::10')])
    same(lab.dns('AAAA'), [WAN6])
    wait_for('current again', 30, lambda: nas_state() == 'current')


def only_unique_local():
    """Of a unique-local prefix nothing is made, in a reload nothing is lost"""
    asked = len(lab.requests())
    run('ip', 'addr', 'add', 'fd00:5::1/64', 'dev', 'br0', 'nodad', ns='router')
    run('ip', 'addr', 'del', '2a01:4f8:a005:5::1/64', 'dev', 'br0', ns='router')
    wait_for('no prefix', 10, lambda: nas_state() == 'waiting')
    same((lab.record('ipv6', NAS)['wanted'], lab.record('ipv6', NAS)['reason']),
         (None, "no delegated IPv6 prefix for the host's address"))
    run('ip', 'addr', 'add', '2a01:4f8:a005:5::1/64', 'dev', 'br0', 'nodad', ns='router')
    wait_for('it is back', 10, lambda: nas_state() == 'current')
    lab.ctl('reload')
    same(nas_state(), 'current')
    same(lab.requests()[asked:], [])
    same(lab.stop_daemon(), 0)
    lab.write_configuration(lab.configuration(wans=[{'interface': 'wan0', 'grace': '1s', 'ipv6': KEEP}]))
    run('nft', '-f', '-', ns='router', input=RULES % {'prefix': '2a01:4f8:a005:5'})
    lab.start_daemon()
    wait_for('the rules', 5, lambda: holds('2a01:4f8:a005:5'))


def restart():
    """While nobody ran: the state file knows the former prefix of a set, which names it nowhere else"""
    same(lab.stop_daemon(), 0)
    for rule in ('"hairpin host"', '"hairpin prefix"'):
        handle = next(line for line in lab.rules('ip6 nat').splitlines() if rule in line).split()[-1]
        run('nft', 'delete', 'rule', 'ip6', 'nat', 'pre', 'handle', handle, ns='router')
    delegate('2a01:4f8:a004:4', '2a01:4f8:a005:5')
    lab.start_daemon()
    wait_for('the set', 5, lambda: elements() == ['2a01:4f8:a004:4::10', 'fd00::1'])
    items = lab.ctl('rules')['items']
    same([(item['kind'], item['chain'], item['in_step']) for item in items if item['comment'] == 'hairpin hosts'],
         [('set', 'hosts', True)])
    same(lab.stop_daemon(), 0)


def route(what, prefix, *more):
    run('ip', '-6', 'route', what, prefix, 'dev', 'br0', *more, ns='router')


def follows_a_route():
    """br0 without an address in it: the prefix is the route's; it changes, goes and comes back, an address wins"""
    config = lab.configuration(wans=[{'interface': 'wan0', 'grace': '1s', 'ipv6': KEEP}])
    config['providers'][0]['hostnames'].append({'name': NAS, 'ipv6_suffix': '::10'})
    lab.write_configuration(config)
    run('nft', 'flush', 'ruleset', ns='router')
    run('nft', '-f', '-', ns='router', input=RULES % {'prefix': '2a01:4f8:a004:4'})
    run('ip', 'addr', 'del', '2a01:4f8:a004:4::1/64', 'dev', 'br0', ns='router')
    route('add', '2a01:4f8:a006:600::/56', 'via', 'fe80::2')
    lab.start_daemon()
    wait_for('the rules', 5, lambda: holds('2a01:4f8:a006:600'))
    same(lab.status()['wans'][0]['ipv6_prefix']['prefix'], '2a01:4f8:a006:600::/64')
    wait_for('AAAA', 30, lambda: delegated('2a01:4f8:a006:600'))
    route('add', '2a01:4f8:a007:700::/56', 'via', 'fe80::2', 'metric', '5')
    wait_for('the lower metric', 5, lambda: holds('2a01:4f8:a007:700'))
    route('del', '2a01:4f8:a006:600::/56')
    wait_for('its AAAA', 30, lambda: delegated('2a01:4f8:a007:700'))
    route('del', '2a01:4f8:a007:700::/56')
    wait_for('the loss', 5, lambda: lab.status()['wans'][0]['ipv6_prefix']['prefix'] is None)
    assert holds('2a01:4f8:a007:700'), lab.rules('ip6 nat')
    route('add', 'fd00:7::/56')
    route('add', '2a01:4f8:a008:800::/64')
    wait_for('another', 5, lambda: holds('2a01:4f8:a008:800'))
    delegate('2a01:4f8:a009:9')
    wait_for('an address', 5, lambda: holds('2a01:4f8:a009:9'))
    same(lab.stop_daemon(), 0)


def main():
    global lab
    with Lab(build=BUILD) as lab:
        lab.write_configuration(lab.configuration(wans=[{'interface': 'wan0', 'grace': '1s', 'ipv6': KEEP}]))
        lab.write_hook()
        lab.set_address('81.2.69.7')
        run('ip', 'addr', 'add', f'{WAN6}/64', 'dev', 'wan0', 'nodad', ns='router')
        run('ip', 'route', 'add', 'default', 'via', '2a01:4f8:1::254', 'dev', 'wan0', ns='router')
        run_tests([first, change, vanishes, host_of_the_lan, only_unique_local, restart, follows_a_route])


main()
