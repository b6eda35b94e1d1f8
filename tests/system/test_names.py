# SPDX-License-Identifier: GPL-2.0-or-later
"""Sets, maps and elements whose comments name a host hold its addresses: real kernel, resolver and name server."""

import json
import os
import re
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import AUTHORITY, RESOLVER, ZONE, Lab, run, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
WEB = 'web.example.org'
# The TTL is shorter than what a name is left in peace for: then 10 s hold.
TTL, FOLLOWS_S = 1, 40
lab = None

RULES = '''
table ip nat {
	set web {
		type ipv4_addr
		comment "dns:web.example.org"
		elements = { 198.51.100.1 }
	}
	set guests {
		type ipv4_addr
		elements = { 198.51.100.9 comment "dns:WEB.example.org.", 203.0.113.5 comment "not named", 203.0.113.6 }
	}
	set others {
		type ipv4_addr
		comment "of others"
		elements = { 198.51.100.1 }
	}
	set nobody {
		type ipv4_addr
		comment "dns:nobody.example.org"
		elements = { 198.51.100.1 }
	}
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip saddr @web ip daddr %(address)s tcp dport 80 counter dnat to 192.168.1.2 comment "hairpin web"
		ip saddr @guests ip saddr @others ip saddr @nobody counter
	}
}
table inet fw {
	set web6 {
		type ipv6_addr
		comment "dns:web.example.org"
	}
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip6 saddr @web6 counter
	}
}
'''


def elements(name, table='ip nat'):
    """The elements of a set, sorted; those with a comment as (address, comment)."""
    found = json.loads(run('nft', '-j', 'list', 'set', *table.split(), name, ns='router'))['nftables'][1]['set']
    plain = [(e['elem']['val'], e['elem']['comment']) if isinstance(e, dict) else e for e in found.get('elem', [])]
    return sorted(plain, key=str)


def publish(kind='A', *addresses, name=WEB):
    script = f'server {AUTHORITY}\nzone {ZONE}.\nupdate delete {name}. {kind}\n'
    script += ''.join(f'update add {name}. {TTL} {kind} {address}\n' for address in addresses)
    run('knsupdate', ns='inet', input=script + 'send\nquit\n')


def becomes(addresses, name='web', table='ip nat', seconds=FOLLOWS_S):
    wait_for(f'{name} holds {addresses}', seconds, lambda: elements(name, table) == sorted(addresses))


def name(wanted=WEB):
    return {each['name']: each for each in (lab.status() or {}).get('names', [])}.get(wanted)


def start():
    """Start: sets get the addresses of their names, family by family; what is not named stays"""
    lab.set_address('81.2.69.7')
    publish('A', '192.0.2.4')
    publish('AAAA', '2001:db8::4')
    lab.load_rules('81.2.69.1', RULES)
    lab.start_daemon()
    becomes(['192.0.2.4'], seconds=10)
    becomes(['2001:db8::4'], 'web6', 'inet fw', seconds=10)
    same(elements('guests'), sorted(['203.0.113.6', ('192.0.2.4', 'dns:WEB.example.org.'),
                                     ('203.0.113.5', 'not named')], key=str))
    same(elements('others'), ['198.51.100.1'])
    same(elements('nobody'), ['198.51.100.1'], 'what does not exist empties nothing')
    assert 'ip daddr 81.2.69.7' in lab.rules(), lab.rules()
    same([name()[key] for key in ('ipv4', 'ipv6', 'state', 'reason')],
         [['192.0.2.4'], ['2001:db8::4'], 'current', None])
    same((name('nobody.example.org')['state'], name('nobody.example.org')['reason']), ('waiting', 'does not exist'))


def change():
    """Another answer, and several addresses: sets follow, with one line; nobody else is blamed"""
    publish('A', '192.0.2.7')
    becomes(['192.0.2.7'])
    same(elements('guests')[-1:] + elements('others'), ['203.0.113.6', '198.51.100.1'])
    wait_for('the line', 5, lambda: 'name web.example.org: 192.0.2.7 replaces 192.0.2.4; 2 sets' in lab.log())
    publish('A', '192.0.2.7', '192.0.2.8', '192.0.2.9')
    becomes(['192.0.2.7', '192.0.2.8', '192.0.2.9'])
    same(len([e for e in elements('guests') if isinstance(e, tuple)]), 4)
    publish('A', '192.0.2.8')
    becomes(['192.0.2.8'])
    assert 'somebody' not in lab.log(), lab.log()


def refused():
    """The loopback's address is never taken"""
    publish('A', '127.0.0.1')
    wait_for('seen', FOLLOWS_S, lambda: name()['state'] == 'stale')
    assert '127.0.0.1' in name()['reason'], name()
    same(elements('web'), ['192.0.2.8'])


def gone():
    """The name ceases to exist: its addresses stay, said once"""
    publish('A')
    publish('AAAA')
    wait_for('seen', 100, lambda: name()['reason'] in ('does not exist', 'has no IPv4 address'))
    same((elements('web'), elements('web6', 'inet fw')), (['192.0.2.8'], ['2001:db8::4']))
    assert re.search(r'name web\.example\.org \(IPv4\): .*; its 1 address stays, next try in', lab.log()), lab.log()


def listing():
    """hairpinctl rules shows what holds a name, with and without the daemon's knowledge"""
    def shown():
        return {(item['chain'], item['kind']): item for item in lab.ctl('rules')['items'] if item['name']}
    found = shown()
    same({key: (item['result'], item['name']) for key, item in found.items()},
         {('web', 'set'): ('unchanged', WEB), ('guests', 'element'): ('unchanged', WEB), ('web6', 'set'): ('unchanged', WEB),
          ('nobody', 'set'): ('skipped', 'nobody.example.org')})
    lab.stop_daemon()
    assert all('not resolved here' in item['reason'] for item in shown().values()), shown()
    before = run('nft', 'list', 'ruleset', ns='router')
    run(f'{lab.build}/hairpind', '--rewrite', '81.2.69.7', ns='router', env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    same(run('nft', 'list', 'ruleset', ns='router'), before, '--rewrite knows no names')
    lab.start_daemon()


def resolver_dies():
    """Nobody answers: the firewall loaded anew, and the daemon started anew, get the last good addresses"""
    publish('A', '192.0.2.8')
    lab.end(lab.resolver)
    lab.load_rules('81.2.69.1', RULES)
    becomes(['192.0.2.8'], seconds=5)
    becomes(['2001:db8::4'], 'web6', 'inet fw', seconds=5)
    lab.stop_daemon()
    lab.load_rules('81.2.69.1', RULES)
    lab.start_daemon()
    becomes(['192.0.2.8'], seconds=10)
    becomes(['2001:db8::4'], 'web6', 'inet fw', seconds=10)
    same(len([e for e in elements('guests') if isinstance(e, tuple)]), 2)
    wait_for('told', 60, lambda: name()['reason'] == 'the resolver gave no answer')
    same((name()['state'], name()['ipv4']), ('stale', ['192.0.2.8']))


def another_resolver():
    """Another resolv.conf: asked again soon, whatever the back-off"""
    publish('A', '192.0.2.21')
    lab.start_resolver()
    with open('/etc/resolv.conf.new', 'w') as conf:
        conf.write(f'nameserver {RESOLVER}\n# another one\n')
    os.rename('/etc/resolv.conf.new', '/etc/resolv.conf')
    becomes(['192.0.2.21'])
    # Its IPv6 address is gone, and holds all the same.
    wait_for('told', 10, lambda: name()['reason'] == 'has no IPv6 address')
    same((name()['state'], name()['ipv6']), ('stale', ['2001:db8::4']))


def once():
    """--once waits for names and names those in vain; a dry run only looks; switched off there are none"""
    lab.stop_daemon()
    environment = dict(os.environ, ASAN_OPTIONS='detect_leaks=0')
    lab.load_rules('81.2.69.1', RULES)
    publish('A', '192.0.2.22')
    before = run('nft', 'list', 'ruleset', ns='router')
    run(f'{lab.build}/hairpind', '--dry-run', ns='router', env=environment, timeout=90)
    same(run('nft', 'list', 'ruleset', ns='router'), before)
    try:
        run(f'{lab.build}/hairpind', '--once', ns='router', env=environment, timeout=90)
        raise AssertionError('nobody.example.org does not exist')
    except RuntimeError as left:
        assert 'exit 1' in str(left) and 'nobody.example.org: waiting: does not exist' in str(left), left
    same(elements('web'), ['192.0.2.22'])
    lab.load_rules('81.2.69.1', RULES)
    lab.write_configuration(lab.configuration(providers=None, nat={'names': ''}))
    run(f'{lab.build}/hairpind', '--once', ns='router', env=environment, timeout=90)
    same(elements('web'), ['198.51.100.1'])


def main():
    global lab
    if os.environ.get('HAIRPIN_TEST_NETNS') != '1':
        print('run it as tests/lab/enter python3 FILE', file=sys.stderr)
        sys.exit(77)
    with Lab(build=BUILD) as lab:
        lab.write_configuration(lab.configuration(providers=None))
        lab.write_hook()
        run_tests([start, change, refused, gone, listing, resolver_dies, another_resolver, once])


main()
