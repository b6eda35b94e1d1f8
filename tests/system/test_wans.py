# SPDX-License-Identifier: GPL-2.0-or-later
"""
Two ways to the internet: what a WAN sends leaves by its own link and by no other, whatever the main routing table says;
questions to the system's resolver follow that table. A set in the internet's namespace notes by which link each
sender's packets came in.
"""

import json
import os
import re
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import HOST, Lab, run, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
GATEWAY2, OTHER, TABLE = '82.165.9.254', 'office.example.org', '200'
TAGS = '''
table ip nat {
	chain pre {
		type nat hook prerouting priority dstnat
		ip daddr 0.0.0.0 tcp dport 80 dnat to 192.168.1.2 comment "hairpin one"
		ip daddr 0.0.0.0 tcp dport 80 dnat to 192.168.1.2 comment "hairpin:cable two"
	}
}
'''
SEEN = '''
table inet seen {
	set senders {
		type ifname . ipv4_addr . ipv4_addr . inet_service
		size 1000
		flags dynamic
	}
	chain pre {
		type filter hook prerouting priority raw
		iifname "isp*" meta l4proto { tcp, udp } add @senders { iifname . ip saddr . ip daddr . th dport }
	}
}
'''
lab = None
second = None


def make_second_wan():
    run('ip', 'link', 'add', 'wan1', 'netns', 'router', 'type', 'veth', 'peer', 'name', 'isp1', 'netns', 'inet')
    run('ip', 'addr', 'add', f'{GATEWAY2}/24', 'dev', 'isp1', ns='inet')
    run('ip', 'link', 'set', 'isp1', 'up', ns='inet')
    run('ip', 'link', 'set', 'wan1', 'up', ns='router')
    run('nft', '-f', '-', ns='inet', input=SEEN)


def set_second(address, how):
    """The second WAN's lease. `how`: its default route is in the main table ('main'), or in one of its own, where a
    rule by link ('link') or by source address ('source') leads."""
    global second
    if second:
        run('ip', 'addr', 'del', f'{second}/24', 'dev', 'wan1', ns='router')
    run('ip', 'rule', 'flush', ns='router')
    run('ip', 'rule', 'add', 'lookup', 'main', 'pref', '32766', ns='router')
    run('ip', 'route', 'flush', 'default', 'dev', 'wan1', 'table', 'all', ns='router', check=False)
    if address:
        run('ip', 'addr', 'add', f'{address}/24', 'dev', 'wan1', ns='router')
        table = 'main' if how == 'main' else TABLE
        run('ip', 'route', 'add', 'default', 'via', GATEWAY2, 'dev', 'wan1', 'metric', '500', 'table', table,
            ns='router')
    if address and how == 'link':
        run('ip', 'rule', 'add', 'oif', 'wan1', 'lookup', TABLE, 'pref', '100', ns='router')
    if address and how == 'source':
        run('ip', 'rule', 'add', 'from', address, 'lookup', TABLE, 'pref', '100', ns='router')
    second = address


def seen():
    """{(link, sender, receiver, port)} of what came in since forget_seen()."""
    listed = json.loads(run('nft', '-j', 'list', 'set', 'inet', 'seen', 'senders', ns='inet'))
    elements = next(item['set'] for item in listed['nftables'] if 'set' in item).get('elem', [])
    return {tuple(element.get('elem', element).get('val', element.get('elem', element))['concat'])
            if 'elem' in element else tuple(element['concat']) for element in elements}


def forget_seen():
    run('nft', 'flush', 'set', 'inet', 'seen', 'senders', ns='inet')


def current(first, other):
    return ((lab.record() or {}).get('published'), (lab.record(hostname=OTHER) or {}).get('published')) == \
        (first, other) and all(record['state'] == 'current' for record in lab.status()['records'])


def assert_links(first, other):
    """Each sender by its own link only; both spoke to provider and authority; the resolver was asked by wan0."""
    came = seen()
    by = {sender: {link for link, source, *_ in came if source == sender} for _, sender, *_ in came}
    same(by, {first: {'isp0'}, other: {'isp1'}})
    for sender in (first, other):
        to = {(receiver, port) for _, source, receiver, port in came if source == sender}
        assert {('45.11.1.80', 443), ('45.11.1.53', 53)} <= to, (sender, to)
    same({source for _, source, receiver, port in came if receiver == '45.11.1.1'}, {first})


def move(number, how):
    """Both leases change in one moment."""
    forget_seen()
    asked = len(lab.requests())
    lab.set_address(f'81.2.69.{number}')
    set_second(f'82.165.9.{number}', how)
    assert_right(number, asked)


def assert_right(number, asked):
    """Everything comes right, each by its own link."""
    first, other = f'81.2.69.{number}', f'82.165.9.{number}'
    wait_for('both published', 40, lambda: current(first, other))
    requests = lab.requests()[asked:]
    same(sorted((request['query']['hostname'], request['query']['myip'], request['source']) for request in requests),
         sorted([(HOST, first, first), (OTHER, other, other)]))
    same((lab.dns(), lab.dns(name=OTHER)), ([first], [other]))
    assert_links(first, other)
    rules = lab.rules()
    assert re.search(f'ip daddr {first} tcp dport 80 .*"hairpin one"', rules), rules
    assert re.search(f'ip daddr {other} tcp dport 80 .*"hairpin:cable two"', rules), rules


def both_in_the_main_table():
    """Two default routes of different metric in the main table"""
    lab.start_daemon()
    assert_right(7, 0)
    same({request['agent'].split(' ', 1)[1] for request in lab.requests()}, {'(me@example.org)'})


def rule_by_link():
    """The main table has the first one's default route only, a rule by link leads to the other's; both change at once"""
    move(30, 'link')


def rule_by_source():
    """The same with a rule by source address"""
    move(40, 'source')


def link_goes_down():
    """The second WAN has no link: its record waits, asked for or not, and nothing of it leaves by the first"""
    forget_seen()
    asked = len(lab.requests())
    run('ip', 'link', 'set', 'wan1', 'down', ns='router')
    wait_for('the WAN is down', 5, lambda: lab.status()['wans'][1]['up'] is False)
    lab.ctl('update', '--force', OTHER, json_out=False)
    lab.set_address('81.2.69.50')
    wait_for('the first', 30, lambda: (lab.record() or {}).get('published') == '81.2.69.50')
    wait_for('why not', 10, lambda: lab.record(hostname=OTHER)['reason'] == "no default route by the WAN's link")
    same({request['query']['hostname'] for request in lab.requests()[asked:]}, {HOST})
    same({(link, source) for link, source, *_ in seen() if source != '81.2.69.40'}, {('isp0', '81.2.69.50')})


def nobody_answers_there():
    """Its link is up but leads nowhere: tries fail, none goes by the first"""
    run('ip', 'link', 'set', 'wan1', 'up', ns='router')
    run('nft', 'add', 'rule', 'inet', 'seen', 'pre', 'iifname', 'isp1', 'drop', ns='inet')
    forget_seen()
    asked, said = len(lab.requests()), len(lab.log())
    set_second('82.165.9.60', 'link')
    wait_for('tries by its link', 40, lambda: ('isp1', '82.165.9.60', '45.11.1.80', 443) in seen())
    wait_for('the failure', 40, lambda: f'record {OTHER}' in lab.log()[said:])
    same(lab.requests()[asked:], [])
    same({(link, source) for link, source, *_ in seen()} - {('isp0', '81.2.69.50')}, {('isp1', '82.165.9.60')})


def end():
    """It ends in order"""
    same(lab.stop_daemon(), 0)


def main():
    global lab
    with Lab(build=BUILD) as lab:
        make_second_wan()
        entry = lab.configuration()['providers'][0]
        lab.write_configuration(lab.configuration(
            contact='me@example.org', wans=[{'name': 'fibre', 'interface': 'wan0', 'grace': '1s', 'ipv6': 'off'},
                  {'name': 'cable', 'interface': 'wan1', 'grace': '1s', 'ipv6': 'off'}],
            providers=[entry, {**entry, 'name': 'other', 'wan': 'cable', 'hostnames': [OTHER]}]))
        run('nft', '-f', '-', ns='router', input=TAGS)
        lab.set_address('81.2.69.7')
        set_second('82.165.9.7', 'main')
        run_tests([both_in_the_main_table, rule_by_link, rule_by_source, link_goes_down, nobody_answers_there, end])


main()
