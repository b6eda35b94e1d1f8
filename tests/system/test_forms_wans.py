# SPDX-License-Identifier: GPL-2.0-or-later
"""What needs a configuration of its own, by packets: a missing destination that is added, a delegated IPv6 prefix
in forward rules and filter chains, and two WANs that change at once."""

import contextlib
import os
import re
import string
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import run, wait_for  # noqa: E402
from packets import BASE, SERVER, SERVER6, STRANGER, STRANGER6, PacketLab  # noqa: E402
from tap import run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
FIRST, SECOND = ('81.2.69.7', '2a01:4f8:1::7'), ('81.2.69.8', '2a01:4f8:1::8')
PREFIXES = ('2a01:4f8:a001:1', '2a01:4f8:a002:2')
lab = None
seen = {}	# (group, day) -> what was answered


@contextlib.contextmanager
def daemon(group, **configuration):
    """A daemon that knows nothing of the other groups' days. Afterwards there are no rules."""
    lab.write_configuration(lab.configuration(providers=None, hooks=None,
                                              state={'directory': f'/run/lab/state-{group}'}, **configuration))
    lab.start_daemon(log=f'/run/lab/{group}.log')
    try:
        wait_for('the daemon has looked', 10, lambda: (lab.status() or {})['wans'][0]['rules']['last_sync'])
        yield
    except (AssertionError, RuntimeError, TimeoutError) as problem:
        problem.log = lab.log()
        raise
    finally:
        status = lab.stop_daemon()
        run('nft', 'flush', 'ruleset', ns='router')
    same(status, 0)


def item(items, comment):
    found = [item for item in items if item['comment'] == comment]
    assert len(found) == 1, (comment, items)
    return found[0]


def named(name, test):
    test.__doc__, test.__name__ = name, re.sub(r'\W+', '_', name)
    return test


# --- add_missing: a rule without a destination takes what goes to the internet too

MISSING = '''
table ip forms {
	chain to_server { dnat to 192.168.1.2; }
	chain pre {
		type nat hook prerouting priority dstnat
		tcp dport 2000 counter dnat to 192.168.1.2 comment "hairpin 2000"
		udp dport 2002 dnat to 192.168.1.2 comment "hairpin 2002"
		meta l4proto tcp th dport { 2004, 9 } dnat to 192.168.1.2:2005 comment "hairpin 2004"
		tcp dport 2006 jump to_server comment "hairpin 2006"
		tcp dport 2008 redirect to :2009 comment "hairpin 2008"
	}
}
table ip6 forms {
	chain pre {
		type nat hook prerouting priority dstnat
		tcp dport 2010 dnat to fd00::2 comment "hairpin 2010"
	}
}
table inet forms {
	chain pre {
		type nat hook prerouting priority dstnat
		tcp dport 2012 dnat ip to 192.168.1.2 comment "hairpin 2012"
		tcp dport 2014 dnat ip6 to fd00::2 comment "hairpin 2014"
		meta nfproto ipv4 iifname != "lo" tcp dport 2016 dnat ip to 192.168.1.2 comment "hairpin 2016"
		tcp dport 2018 redirect to :2019 comment "hairpin 2018"
	}
}
'''
MISSING_XT = '''*nat
-A PREROUTING -p tcp -m tcp --dport %d -m comment --comment "hairpin %d" -j DNAT --to-destination %s
-A PREROUTING -p tcp -m multiport --dports %d,9 -m comment --comment "hairpin %d" -j DNAT --to-destination %s
COMMIT
'''
# name, port, protocol, family, who answers, at which port
ADDED = [('ip tcp', 2000, 'tcp', 0, 'server', 0), ('ip udp', 2002, 'udp', 0, 'server', 0),
         ('ip set of ports', 2004, 'tcp', 0, 'server', 1), ('ip jump', 2006, 'tcp', 0, 'server', 0),
         ('ip redirect', 2008, 'tcp', 0, 'router', 1), ('ip6', 2010, 'tcp', 1, 'server', 0),
         ('inet by dnat ip', 2012, 'tcp', 0, 'server', 0), ('inet by dnat ip6', 2014, 'tcp', 1, 'server', 0),
         ('inet by nfproto', 2016, 'tcp', 0, 'server', 0), ('iptables', 2020, 'tcp', 0, 'server', 0),
         ('iptables multiport', 2022, 'tcp', 0, 'server', 0), ('ip6tables', 2024, 'tcp', 1, 'server', 0),
         ('ip6tables multiport', 2026, 'tcp', 1, 'server', 0)]


def ask_missing(day, wan, former=None):
    questions = {}
    for name, port, proto, v6, _, _ in ADDED + [('open', 2018, 'tcp', 0, '', 0)]:
        questions[name, 'beyond'] = ('lan', proto, (STRANGER, STRANGER6)[v6], port)
        for client in ('lan', 'inet'):
            questions[name, client] = (client, proto, wan[v6], port)
        if former:
            questions[name, 'former'] = ('lan', proto, former[v6], port)
    seen['missing', day] = lab.ask(questions)


def missing_days():
    """add_missing: the days pass"""
    lab.set_wan(*FIRST)
    lab.load(BASE + MISSING)
    lab.load_iptables(MISSING_XT % (2020, 2020, SERVER, 2022, 2022, SERVER))
    lab.load_iptables(MISSING_XT % (2024, 2024, SERVER6, 2026, 2026, SERVER6), 6)
    ask_missing('early', FIRST)
    with daemon('missing', nat={'add_missing': True}):
        ask_missing('home', FIRST)
        seen['missing', 'rules'] = lab.ctl('rules')['items']
        lab.mark_log()
        before = lab.generation()
        with lab.unseen():
            lab.set_wan(*SECOND)
        wait_for('the rules follow', 10, lambda: 'ip daddr 81.2.69.8 tcp dport 2000' in lab.rules('ip forms'))
        lab.wait_forgotten(*FIRST)
        same(lab.generation() - before, 1, 'batches')
        ask_missing('away', SECOND, FIRST)


def added(name, _port, _proto, _v6, who, shift):
    def test():
        for day, beyond in (('early', who), ('home', 'stranger'), ('away', 'stranger')):
            answers = seen['missing', day]
            for client in ('lan', 'inet'):
                same((answers[name, client][0], answers[name, client][2]), (who, _port + shift), f'{day}: {client}')
            same(answers[name, 'beyond'][0], beyond, f'{day}: the LAN asked a server of the internet')
        same(seen['missing', 'away'][name, 'former'][0], 'stranger', 'the LAN asked the former address')
    return named(f'add_missing: {name}', test)


def missing_open():
    """add_missing: a rule that does not say its family is left alone, with the reason"""
    rule = item(seen['missing', 'rules'], 'hairpin 2018')
    same((rule['result'], seen['missing', 'away']['open', 'beyond'][0]), ('skipped', 'router'))
    assert 'family' in rule['reason'], rule


# --- a delegated prefix: ip6 rules that keep the low bits, in NAT and filter chains

KEPT = '''
table inet forms {
	set kept { type ipv6_addr; comment "hairpin 2006"; elements = { $p::10, fd00::99 }; }
	set shared { type ipv6_addr; elements = { $p::10 comment "hairpin 2008", 2001:db8::1, $p::77 }; }
	set nets { type ipv6_addr; flags interval; comment "hairpin 2010"; elements = { $p::/64, fd12::/64 }; }
	map choice { type ipv6_addr . inet_service : verdict; comment "hairpin 2012"; elements = { $p::10 . 2012 : accept }; }
	chain forward {
		type filter hook forward priority filter; policy accept
		ct state established,related accept
		iifname "br0" accept
		ct status dnat accept
		tcp dport 2050-2099 accept
		ip6 daddr $p::10 tcp dport 2000 counter accept comment "hairpin 2000"
		ip6 daddr $p::10 udp dport 2000 counter accept comment "hairpin 2000 udp"
		ip6 daddr { $p::10, $p::11 } tcp dport 2002 accept comment "hairpin 2002"
		ip6 daddr . tcp dport { $p::10 . 2004, $p::11 . 9 } accept comment "hairpin 2004"
		ip6 daddr @kept tcp dport 2006 accept
		ip6 daddr @shared tcp dport 2008 accept
		ip6 daddr @nets tcp dport 2010 accept
		ip6 daddr . tcp dport vmap @choice
		ip6 daddr $p::/64 tcp dport 2014 accept comment "hairpin 2014"
		ip6 daddr $p::/68 tcp dport 2016 accept comment "hairpin 2016"
		ip6 daddr & ::ffff:ffff:ffff:ffff == ::10 tcp dport 2018 accept comment "hairpin 2018"
		tcp dport 2020 ip6 saddr != $p::10 ip6 daddr $p::10 accept comment "hairpin 2020"
		ip6 daddr $p::10 tcp dport 2030 accept comment "another"
		meta nfproto ipv6 iifname "wan0" reject
	}
	chain pre {
		type nat hook prerouting priority dstnat
		ip6 daddr $p::1 tcp dport 2040 dnat ip6 to fd00::2 comment "hairpin 2040"
		ip6 daddr { $p::1, $p::12 } tcp dport 2042 dnat ip6 to fd00::2 comment "hairpin 2042"
		ip6 daddr $p::/64 tcp dport 2044 dnat ip6 to fd00::2 comment "hairpin 2044"
	}
}
table ip6 forms {
	chain forward {
		type filter hook forward priority filter; policy accept
		iifname "wan0" tcp dport 2050-2051 ip6 daddr $p::10 accept comment "hairpin 2050"
		iifname "wan0" tcp dport 2050-2051 reject
	}
	chain pre {
		type nat hook prerouting priority dstnat
		ip6 daddr $p::1 tcp dport 2046 dnat to fd00::2 comment "hairpin 2046"
	}
}
'''
KEPT_XT = '''*filter
-A FORWARD -d $p::10/128 -i wan0 -p tcp -m tcp --dport 2052 -m comment --comment "hairpin 2052" -j ACCEPT
-A FORWARD -d $p::/64 -i wan0 -p tcp -m multiport --dports 2054,9 -m comment --comment "hairpin 2054" -j ACCEPT
-A FORWARD -i wan0 -p tcp -m multiport --dports 2052,2054 -j REJECT
COMMIT
'''
# name, port, protocol, the host's suffix
IN_FILTER = [('address', 2000, 'tcp'), ('address, udp', 2000, 'udp'), ('anonymous set', 2002, 'tcp'),
             ('concatenation', 2004, 'tcp'), ('named set', 2006, 'tcp'), ('element of a shared set', 2008, 'tcp'),
             ('named interval set', 2010, 'tcp'), ('named verdict map', 2012, 'tcp'), ('prefix', 2014, 'tcp'),
             ('prefix with a mask', 2016, 'tcp'), ('suffix alone', 2018, 'tcp'), ('beside another address', 2020, 'tcp'),
             ('table ip6', 2050, 'tcp'), ('ip6tables', 2052, 'tcp'), ('ip6tables, a prefix', 2054, 'tcp')]
IN_NAT = [('dnat in inet', 2040), ('dnat, anonymous set', 2042), ('dnat, a prefix', 2044), ('dnat in ip6', 2046)]


def ask_kept(day, prefix, former=None):
    questions = {}
    hosts = [(name, port, proto, '10') for name, port, proto in IN_FILTER + [('not tagged', 2030, 'tcp')]]
    for name, port, proto, suffix in hosts + [(name, port, 'tcp', '1') for name, port in IN_NAT]:
        for client in ('lan', 'inet'):
            questions[name, client] = (client, proto, f'{prefix}::{suffix}', port)
        if former:
            questions[name, 'former'] = ('lan', proto, f'{former}::{suffix}', port)
    seen['kept', day] = lab.ask(questions)


def kept_change(day, prefix, former):
    with lab.unseen():
        lab.set_prefix(prefix, former)
    wait_for('the rules follow', 10, lambda: f'ip6 daddr {prefix}::1 tcp dport 2046' in lab.rules('ip6 forms'))
    ask_kept(day, prefix, former)


def kept_days():
    """keep: the days pass"""
    lab.set_wan(*FIRST)
    lab.set_prefix(PREFIXES[0])
    lab.load(BASE + string.Template(KEPT).substitute(p=PREFIXES[0]))
    lab.load_iptables(string.Template(KEPT_XT).substitute(p=PREFIXES[0]), 6)
    before = listing()
    ask_kept('early', PREFIXES[0])
    ipv6 = {'source': 'interface', 'keep': 'suffix', 'prefix_from': 'br0', 'prefix_length': 64}
    with daemon('kept', wans=[{'interface': 'wan0', 'grace': '1s', 'ipv6': ipv6}], nat={'filter': True}):
        kept_change('away', PREFIXES[1], PREFIXES[0])
        seen['kept', 'rules'] = lab.ctl('rules')['items']
        away = listing()
        kept_change('back', PREFIXES[0], PREFIXES[1])
        seen['kept', 'listings'] = (before, away, listing())


def listing():
    text = run('nft', 'list', 'ruleset', ns='router')
    return re.sub(r'counter packets \d+ bytes \d+', 'counter', text).splitlines()


def kept(name, port):
    def test():
        for day in ('early', 'away', 'back'):
            for client in ('lan', 'inet'):
                got, _, at = seen['kept', day][name, client]
                same((got, at), ('server', port), f'{day}: {client}')
        for day in ('away', 'back'):
            same(seen['kept', day][name, 'former'][0], 'stranger', f'{day}: the LAN asked the former address')
    return named(f'keep: {name}', test)


def kept_foreign():
    """keep: a rule of the filter that is not tagged stays as it is, so the internet is kept out"""
    same(seen['kept', 'early']['not tagged', 'inet'][0], 'server')
    same(seen['kept', 'away']['not tagged', 'inet'][0], '<ConnectionRefusedError>')
    same(seen['kept', 'back']['not tagged', 'inet'][0], 'server')


def kept_element():
    """keep: foreign elements with the former prefix stay in a shared set; in the end all is as before"""
    before, away, after = seen['kept', 'listings']
    assert f'{PREFIXES[0]}::77' in '\n'.join(away), away
    same(after, before)


# --- two WANs, a tag each; a third one exists only by name

TWO = '''
table ip forms {
	set both { type ipv4_addr; elements = { 81.2.69.7 comment "hairpin 2006", 82.3.70.7 comment "hairpin:wan2 2006" }; }
	chain pre {
		type nat hook prerouting priority dstnat
		ip daddr 81.2.69.7 tcp dport 2000 dnat to 192.168.1.2 comment "hairpin 2000"
		ip daddr 82.3.70.7 tcp dport 2002 dnat to 192.168.1.2 comment "hairpin:wan2 2002"
		ip daddr { 81.2.69.7, 82.3.70.7 } tcp dport 2004 dnat to 192.168.1.2 comment "hairpin 2004"
		ip daddr @both tcp dport 2006 dnat to 192.168.1.2
		ip daddr 82.3.70.7 tcp dport 2008 dnat to 192.168.1.2 comment "hairpin:wan2 hairpin:wan3"
	}
}
'''


def ask_two(day, one, two, former_one=None, former_two=None):
    questions = {}
    for port in range(2000, 2010, 2):
        questions[port, 'lan', 1], questions[port, 'inet', 1] = (('lan', 'tcp', one, port), ('inet', 'tcp', one, port))
        questions[port, 'lan', 2], questions[port, 'inet', 2] = (('lan', 'tcp', two, port),
                                                                 ('inet by wan1', 'tcp', two, port))
        if former_one:
            questions[port, 'former', 1] = ('lan', 'tcp', former_one, port)
            questions[port, 'former', 2] = ('lan', 'tcp', former_two, port)
    seen['two', day] = lab.ask(questions)


def two_change(one, two, former_one, former_two):
    lab.mark_log()
    before = lab.generation()
    with lab.unseen():
        lab.set_wan(one, FIRST[1])
        lab.set_wan(two, wan='wan1', isp='isp1')
    wait_for('the rules follow', 10, lambda: f'ip daddr {one} tcp dport 2000' in lab.rules('ip forms'))
    lab.wait_forgotten(former_one, former_two)
    return lab.generation() - before


def two_days():
    """Two WANs: the days pass, each change of both is one batch"""
    lab.make_second_wan()
    lab.set_wan(*FIRST)
    lab.set_wan('82.3.70.7', wan='wan1', isp='isp1')
    lab.load(BASE + TWO)
    before = listing()
    ask_two('early', '81.2.69.7', '82.3.70.7')
    with daemon('two', wans=[{'interface': 'wan0', 'grace': '1s'}, {'name': 'wan2', 'interface': 'wan1', 'grace': '1s'},
                             {'name': 'wan3', 'interface': 'wan9', 'grace': '1s'}]):
        batches = [two_change('81.2.69.8', '82.3.70.8', '81.2.69.7', '82.3.70.7')]
        ask_two('away', '81.2.69.8', '82.3.70.8', '81.2.69.7', '82.3.70.7')
        seen['two', 'rules'] = lab.ctl('rules')['items']
        batches.append(two_change('81.2.69.7', '82.3.70.7', '81.2.69.8', '82.3.70.8'))
        ask_two('back', '81.2.69.7', '82.3.70.7', '81.2.69.8', '82.3.70.8')
        same(batches, [1, 1])
        same(listing(), before)


def two(name, port, wans):
    """`wans`: which of them follow."""
    def test():
        for wan in (1, 2):
            own = wan in wans
            listed = port in (2004, 2006, 2008) and (wan == 2 or port != 2008)
            for day in ('early', 'away', 'back'):
                good = own or listed and day != 'away'
                for client in ('lan', 'inet'):
                    same(seen['two', day][port, client, wan][0], 'server' if good else 'router',
                         f'{day}: {client} by WAN {wan}')
            same(seen['two', 'away'][port, 'former', wan][0], 'server' if listed and not own else 'stranger',
                 f'the LAN asked the former address of WAN {wan}')
    return named(f'two WANs: {name}', test)


def two_ambiguous():
    """two WANs: a comment that two tags match alike is reported"""
    rule = item(seen['two', 'rules'], 'hairpin:wan2 hairpin:wan3')
    same(rule['result'], 'skipped')
    assert 'tag' in rule['reason'] or 'WAN' in rule['reason'], rule


def main():
    global lab
    tests = [missing_days, *(added(*form) for form in ADDED), missing_open,
             kept_days, *(kept(name, port) for name, port, _ in IN_FILTER), *(kept(*form) for form in IN_NAT),
             kept_foreign, kept_element,
             two_days, two('the first one\'s rule', 2000, (1,)), two('the second one\'s rule', 2002, (2,)),
             two('a set of both, tagged for one', 2004, (1,)), two('elements, each with its tag', 2006, (1, 2)),
             two('two tags alike', 2008, ()), two_ambiguous]
    with PacketLab(build=BUILD) as lab:
        run_tests(tests)


main()
