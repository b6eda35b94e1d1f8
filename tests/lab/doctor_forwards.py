# SPDX-License-Identifier: GPL-2.0-or-later
"""How people write port forwards: more of it than doctor_healthy.py and doctor_broken.py have, one form a router."""

from doctor_broken import GUEST_SERVER, STALE, STALE_WEB, TO_THE_FORMER
from doctor_healthy import DMZ, GATES, TWO, TWO_WANS, WEB_AND_VOICE
from doctor_rules import BY_HAND, FIB, FIREWALLD, INET, IPTABLES, MAP, RETURN_PATH, SIX, VYOS, WANS
from doctor_story import GUARDS, Do, Router, Wrong, cut
from doctor_world import FORMER, PREFIX, PUBLIC6, STRANGER

OUT = 'oifname "wan0" masquerade'
WEB = ('inet tcp 80', 'inet tcp 443', 'lan tcp 80', 'lan tcp 443')
BOTH_WANS = ('inet tcp 80', 'inet tcp 80 at 82.3.70.7', 'lan tcp 80', 'lan tcp 80 at 82.3.70.7')
UNTAGGED = IPTABLES.replace(' -m comment --comment "hairpin web"', '').replace(' -m comment --comment "hairpin voip"', '')
VERDICTS = '''
table ip nat {
	chain published {
		tcp dport vmap { 80 : goto web, 443 : goto web }
	}
	chain web {
		dnat to 192.168.1.2
	}
	chain pre {
		type nat hook prerouting priority -100; policy accept;
		ip daddr vmap { 81.2.69.7 : jump published } comment "hairpin"
	}
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan0" masquerade
		iifname "br0" oifname "br0" ct status dnat masquerade
	}
}
'''
CLOSED_WITHIN = BY_HAND.replace('iifname "br0" accept\n\t\tct status', 'iifname "br0" oifname "wan0" accept\n\t\tct status')


def nat(*forwards, post=(OUT, RETURN_PATH), more=''):
    """A small ruleset: these lines of prerouting, those of postrouting."""
    return ('table ip nat {\n'
            '\tchain pre {\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n\t\t' + '\n\t\t'.join(forwards) +
            '\n\t}\n\tchain post {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n\t\t' +
            '\n\t\t'.join(post) + '\n\t}\n}\n' + more)


def as_it_is(text):
    """A fault that was there from the beginning: the rules stay."""
    return Wrong(text, text)


WEB_RULE = 'ip daddr 81.2.69.7 tcp dport 80 dnat to 192.168.1.2 comment "hairpin"'
BY_WAN = 'iifname "wan0" tcp dport 80 dnat to 192.168.1.2'

WORKS = [
    Router('masquerade for everything', 'One line, and it works.', nat(WEB_RULE, post=('masquerade',))),
    Router('a DMZ that gets no answer from itself', 'Its hosts may go to the internet, and nowhere else.', DMZ.replace(
        'ct status dnat accept', 'iifname { "wan0", "br0" } ct status dnat accept'), parts=('dmz',),
           asks=('inet tcp 80 = dmz', 'inet tcp 443 = dmz', 'lan tcp 80 = dmz')),
    Router('a DMZ host, and the LAN its own rule', 'All but SSH and WireGuard goes to the server.',
           nat('iifname "br0" ip daddr 81.2.69.7 tcp dport { 80, 443, 7000 } dnat to 192.168.1.2 comment "hairpin"',
               'iifname "wan0" tcp dport != { 22, 51820 } dnat to 192.168.1.2'),
           asks=('inet tcp 80', 'inet tcp 443', 'lan tcp 80')),
    Router('a DMZ host behind single ports', 'Both protocols in one rule.',
           nat('ip daddr 81.2.69.7 tcp dport { 80, 443, 7000 } dnat to 192.168.1.2 comment "hairpin"',
               'iifname "wan0" meta l4proto { tcp, udp } th dport != { 22, 51820 } dnat to 192.168.1.2'),
           asks=('inet tcp 80', 'inet tcp 443', 'inet udp 5000', 'lan tcp 80')),
    Router('defined lists', 'define LAN, define WAN.', 'define LAN = { br0, lo }\ndefine WAN = wan0\n' + nat(
        'ip daddr 81.2.69.7 iifname { $WAN, br0 } tcp dport { 80, 443 } dnat to 192.168.1.2 comment "hairpin x"',
        post=('oifname $WAN masquerade', 'iifname $LAN oifname $LAN masquerade'))),
    Router('verdict maps from the address on', 'Address, port, host: a chain each.', VERDICTS),
    Router('a map of ports', 'One rule for all.', nat(
        'ip daddr 81.2.69.7 dnat ip to tcp dport map { 80 : 192.168.1.2, 443 : 192.168.1.2 } comment "hairpin"')),
    Router('each side its rule', 'By the interface from outside, by the address from inside.',
           nat(BY_WAN, 'iifname "br0" ip daddr 81.2.69.7 tcp dport 80 dnat to 192.168.1.2 comment "hairpin"')),
    Router('two networks, no masquerade between them', 'The guests have a network of their own.', GUEST_SERVER.replace(
        'iifname "br1" oifname "br1" ct status dnat masquerade', '').replace(
            'ip daddr 81.2.69.7 tcp dport 8443 dnat to 192.168.2.10 comment "hairpin camera"', ''), parts=('guest',),
           asks=('inet tcp 80', 'lan tcp 80', 'guest tcp 80')),
    Router('a redirect of its own', 'The proxy is the router.', nat(
        'ip daddr 81.2.69.7 tcp dport 8080 redirect to :80',
        'ip daddr 81.2.69.7 tcp dport 443 dnat to 192.168.1.2 comment "hairpin"'), asks=('inet tcp 443', 'lan tcp 443')),
    Router('a limit', 'Fifty a second are enough.', BY_HAND.replace('ct status dnat accept',
                                                                   'ct status dnat limit rate 50/second accept')),
    Router('a block list', 'Some networks are not welcome.', BY_HAND.replace(
        'chain forward {', 'set bad { type ipv4_addr; flags interval; elements = { 62.0.0.0/8, 1.2.3.0/24 } }\n\tchain forward {')
           .replace('iifname "br0" accept\n\t\tct', 'ip saddr @bad drop\n\t\tiifname "br0" accept\n\t\tct')),
    Router('the return path by the original destination', 'ct original.', BY_HAND.replace(
        'ct status dnat masquerade', 'ct original ip daddr 81.2.69.7 masquerade comment "hairpin"')),
    Router('a pinhole for the suffix', 'The prefix may change.', SIX.replace(
        f'ip6 daddr {PREFIX}::2 tcp', 'ip6 daddr & ::ffff:ffff:ffff:ffff == ::2 tcp'), parts=('six',),
           asks=('inet tcp 80', f'inet tcp 443 at {PREFIX}::2')),
    Router('the whole network of the uplink', 'The lease is always one of these.',
           nat('ip daddr 81.2.69.0/24 tcp dport 80 dnat to 192.168.1.2')),
    Router('a quota', 'A hundred megabytes a day.', BY_HAND.replace('ct status dnat accept',
                                                                    'ct status dnat quota until 100 mbytes accept')),
]

FAILS = [
    Router('the guide was read to its half', 'iifname wan0, and nothing else.', nat(BY_WAN, post=(OUT,)), born=True,
           faults=(as_it_is(BY_WAN),), findings=('wan-bound',), broken={'lan tcp 80': 'router'}),
    Router('the classic', 'A forward with the address, and nothing else.', nat(WEB_RULE, post=(OUT,)), born=True,
           faults=(as_it_is(WEB_RULE),), findings=('return-path',), broken={'lan tcp 80': 'nobody'}),
    Router('a DMZ host from outside only', 'All but SSH.', nat(
        'iifname "wan0" tcp dport != { 22, 51820 } dnat to 192.168.1.2'), born=True, faults=(as_it_is('51820'),),
           asks=('inet tcp 80', 'inet tcp 443', 'lan tcp 443'), findings=('wan-bound',), broken={'lan tcp 443': 'nobody'}),
    Router('a map of ports, bound to the WAN', 'Ports and hosts in a map.', nat(
        'ip daddr 81.2.69.7 dnat ip to tcp dport map { 80 : 192.168.1.2 . 80, 2223 : 192.168.1.2 . 2222 } comment "hairpin"'),
           asks=('inet tcp 80', 'lan tcp 80', 'inet tcp 2223', 'lan tcp 2223'), findings=('wan-bound',),
           faults=(Wrong('ip daddr 81.2.69.7', 'iifname "wan0"'),), broken={'lan tcp 80': 'router', 'lan tcp 2223': 'nobody'}),
    Router('a range of UDP, bound to the WAN', 'RTP.', nat(
        'ip daddr 81.2.69.7 udp dport 5000-5100 dnat to 192.168.1.2 comment "hairpin"', WEB_RULE),
           asks=('inet udp 5000', 'lan udp 5000', 'inet tcp 80'), findings=('wan-bound',),
           faults=(Wrong('ip daddr 81.2.69.7 udp', 'iifname "wan0" udp'),), broken={'lan udp 5000': 'nobody'}),
    Router('gates, one is missing', 'The LAN has none.', GATES, asks=('inet tcp 80', 'inet udp 5000', 'lan tcp 80', 'lan udp 5000'),
           faults=(Wrong(', "br0" : jump from_lan', ''),), findings=('wan-bound',),
           broken={'lan tcp 80': 'router', 'lan udp 5000': 'nobody'}),
    Router('gates, no way back', 'The LAN has none.', GATES, asks=('inet tcp 80', 'inet udp 5000', 'lan tcp 80', 'lan udp 5000'),
           faults=(Wrong(', "br0" : goto back', ''),), findings=('return-path',),
           broken={'lan tcp 80': 'nobody', 'lan udp 5000': 'nobody'}),
    Router('firewalld, external only', 'The rich rule is missing.', FIREWALLD,
           faults=(cut('ip daddr 81.2.69.7 tcp dport 80 dnat ip to 192.168.1.2:80'),), findings=('wan-bound',),
           broken={'lan tcp 80': 'router'}),
    Router('firewalld, shadowed', 'A rich rule for whatever is local.', FIREWALLD,
           faults=(Wrong('ip daddr 81.2.69.7 tcp dport 80 dnat', 'fib daddr type local tcp dport 80 dnat'),),
           findings=('router-shadowed',), broken={'lan tcp 80 at 192.168.1.1': 'server'}),
    Router('firewalld, grabs', 'A forward-port in the internal zone.', FIREWALLD,
           faults=(Wrong('ip daddr 81.2.69.7 tcp dport 80 dnat', 'meta nfproto ipv4 tcp dport 80 dnat'),),
           findings=('grabs-all',), broken={f'lan tcp 80 at {STRANGER}': 'server', 'lan tcp 80 at 192.168.1.1': 'server'}),
    Router('firewalld, closed', 'Translated by a table before it, and nobody told the zones.', FIREWALLD,
           faults=(cut('ct status dnat accept'),), findings=('internet-blocked',), broken={'inet tcp 80': 'nobody'}),
    Router('a DMZ, bound to the WAN', 'The server has its own network.', DMZ, parts=('dmz',),
           asks=('inet tcp 80 = dmz', 'inet tcp 443 = dmz', 'lan tcp 80 = dmz'),
           faults=(Wrong('ip daddr 81.2.69.7 tcp', 'iifname "wan0" tcp'),), findings=('wan-bound',), broken={'lan tcp 80': 'router'}),
    Router('PPPoE, bound to the WAN', 'ppp0.', BY_HAND.replace('wan0', 'ppp0'), parts=('ppp',), findings=('wan-bound',),
           faults=(Wrong('ip daddr 81.2.69.7 tcp', 'iifname "ppp0" tcp'),), broken={'lan tcp 80': 'router'}),
    Router('IPv6, bound to the WAN', 'The IPv6 line was written by somebody else.', SIX, parts=('six',),
           asks=('inet tcp 80', f'inet tcp 80 at {PUBLIC6}', f'lan tcp 80 at {PUBLIC6}'), findings=('wan-bound',),
           faults=(Wrong(f'ip6 daddr {PUBLIC6} tcp', 'meta nfproto ipv6 iifname "wan0" tcp'),),
           broken={f'lan tcp 80 at {PUBLIC6}': 'router'}),
    Router('IPv6, no return path', 'Neither family has one.', SIX, parts=('six',), findings=('return-path',),
           asks=('inet tcp 80', 'lan tcp 80', f'inet tcp 80 at {PUBLIC6}', f'lan tcp 80 at {PUBLIC6}'),
           faults=(cut(RETURN_PATH),), broken={'lan tcp 80': 'nobody', f'lan tcp 80 at {PUBLIC6}': 'nobody'}),
    Router('two WANs, one bound', 'The second line was added in haste.', WANS, parts=('wan1',), setup=TWO_WANS, config=TWO,
           asks=BOTH_WANS, faults=(Wrong('ip daddr 82.3.70.7 tcp', 'iifname "wan1" tcp'),), findings=('wan-bound',),
           broken={'lan tcp 80 at 82.3.70.7': 'router'}),
    Router('two WANs, the first is stale', 'Its tag is found in the comments of the other one too.', WANS, parts=('wan1',),
           setup=TWO_WANS, config=TWO, asks=BOTH_WANS, faults=(Wrong('ip daddr 81.2.69.7', f'ip daddr {FORMER}'),),
           findings=('stale-literal',), broken={'inet tcp 80': 'router', 'lan tcp 80': 'router'}),
    Router('two WANs, one rule grabs', 'Its address was left out.', WANS, parts=('wan1',), setup=TWO_WANS, config=TWO,
           asks=BOTH_WANS, faults=(Wrong('ip daddr 82.3.70.7 tcp', 'tcp'),), findings=('grabs-all',),
           broken={f'lan tcp 80 at {STRANGER}': 'server', 'lan tcp 80 at 192.168.1.1': 'server'}),
    Router('stale in a verdict map', 'A jump has the address.', VERDICTS, faults=(STALE,), findings=('stale-literal',),
           broken={'inet tcp 80': 'router', 'lan tcp 80': 'router'}),
    Router('stale in a set without a tag', 'Nobody told hairpind.', INET.replace(' comment "hairpin"', ''),
           asks=('inet tcp 80', 'lan tcp 80', TO_THE_FORMER), faults=(STALE,), findings=('stale-literal',), broken=STALE_WEB),
    Router('stale in a map without a tag', 'Nor about these.', MAP.replace('comment "hairpin web"', '').replace(
        'comment "hairpin ssh"', '').replace('comment "hairpin voip"', ''), faults=(STALE,), findings=('stale-literal',),
           broken={'inet tcp 80': 'router', 'lan tcp 80': 'router'}),
    Router('stale in iptables without a tag', 'rules.v4 of last year.', '', iptables=UNTAGGED,
           asks=('inet tcp 80', 'inet tcp 443', 'lan tcp 80', TO_THE_FORMER), faults=(STALE,), findings=('stale-literal',),
           broken=dict(STALE_WEB, **{'inet tcp 443': 'nobody'})),
    Router('stale for the LAN only', 'By the interface from outside.', VYOS, faults=(STALE,), findings=('stale-literal',),
           broken={'lan tcp 80': 'router'}),
    Router('grabs, iptables-nft', '-p tcp --dport 80 -j DNAT.', '', iptables=IPTABLES,
           faults=(Wrong('-d 81.2.69.7/32 -p tcp', '-p tcp'),), findings=('grabs-all',),
           broken={f'lan tcp 80 at {STRANGER}': 'server', 'lan tcp 80 at 192.168.1.1': 'server'}),
    Router('shadowed, iptables-nft', 'addrtype LOCAL.', '', iptables=IPTABLES.replace(
        '-d 81.2.69.7/32 -p tcp', '! -d 192.168.1.1/32 -p tcp -m addrtype --dst-type LOCAL'),
           faults=(cut('! -d 192.168.1.1/32 '),), findings=('router-shadowed',), broken={'lan tcp 80 at 192.168.1.1': 'server'}),
    Router('the way back in another table', 'It went with that table.', nat(WEB_RULE, post=(OUT,), more=(
        'table inet x {\n\tchain p {\n\t\ttype nat hook postrouting priority 150;\n\t\tiifname "br0" oifname "br0" masquerade\n\t}\n}\n')),
           faults=(cut('iifname "br0" oifname "br0" masquerade'),), findings=('return-path',), broken={'lan tcp 80': 'nobody'}),
    Router('the way back has the former address', 'ct original, untagged.', BY_HAND.replace(
        'ct status dnat masquerade', 'ct original ip daddr 81.2.69.7 masquerade'), findings=('return-path',),
           faults=(Wrong('ct original ip daddr 81.2.69.7', f'ct original ip daddr {FORMER}'),), broken={'lan tcp 80': 'nobody'}),
    Router('SNAT to an address that nobody has', 'It was the router\'s once.', BY_HAND, findings=('return-path',),
           faults=(Wrong('ct status dnat masquerade', 'ct status dnat snat to 192.168.1.77'),), broken={'lan tcp 80': 'nobody'}),
    Router('let in from the WAN only', 'Closed by default, and opened for wan0.', CLOSED_WITHIN, findings=('lan-blocked',),
           faults=(Wrong('ct status dnat accept', 'iifname "wan0" ct status dnat accept'),), broken={'lan tcp 80': 'nobody'}),
    Router('let in from the WAN only, iptables-nft', 'The same.', '', iptables=IPTABLES.replace(
        '-A FORWARD -d 192.168.1.2/32 -p tcp', '-A FORWARD -i wan0 -d 192.168.1.2/32 -p tcp'), findings=('lan-blocked',),
           faults=(Wrong('-A FORWARD -i br0 -j', '-A FORWARD -i br0 -o wan0 -j'),), broken={'lan tcp 80': 'nobody'}),
    Router('dropped before it is translated', 'A raw chain of another age.', BY_HAND + (
        'table inet raw {\n\tchain p {\n\t\ttype filter hook prerouting priority -300;\n\t\tiifname "wan0" tcp dport 80 drop\n\t}\n}\n'),
           born=True, faults=(as_it_is('tcp dport 80 drop'),), findings=('internet-blocked',), broken={'inet tcp 80': 'nobody'}),
    Router('an accept for the LAN before', 'iifname br0 accept.', BY_HAND, findings=('lan-missed',),
           faults=(Wrong('ip daddr 81.2.69.7 tcp', 'iifname "br0" accept\nip daddr 81.2.69.7 tcp'),), broken={'lan tcp 80': 'router'}),
    Router('a return for private sources before', 'No NAT for the VPN.', BY_HAND, findings=('lan-missed',),
           faults=(Wrong('ip daddr 81.2.69.7 tcp', 'ip saddr 192.168.0.0/16 return\nip daddr 81.2.69.7 tcp'),),
           broken={'lan tcp 80': 'router'}),
    Router('an old forward stands before', 'The server moved; the old rule did not.', nat(WEB_RULE), findings=('earlier-rule',),
           faults=(Wrong('ip daddr 81.2.69.7 tcp', 'ip daddr 81.2.69.7 tcp dport 80 dnat to 192.168.1.10\n\t\tip daddr 81.2.69.7 tcp'),),
           broken={'inet tcp 80': 'nobody', 'lan tcp 80': 'nobody'}),
    Router('to a network that is not here', 'A typo in the third number.', BY_HAND, findings=('no-route',), elsewhere=True,
           faults=(Wrong('dnat to 192.168.1.2 comment "hairpin web"', 'dnat to 192.168.77.2 comment "hairpin web"'),),
           broken={'inet tcp 80': 'nobody', 'lan tcp 80': 'nobody'}),
    Router('answers are not let through', 'New ones may pass, and that is all.', BY_HAND, findings=('internet-blocked', 'lan-blocked'),
           faults=(Wrong('policy drop;\n\t\tct state established,related accept\n\t\tiifname "br0" accept',
                         'policy drop;\n\t\tiifname "br0" ct state new accept'),
                   Wrong('ct status dnat accept', 'ct state new ct status dnat accept')),
           broken={'inet tcp 80': 'nobody', 'lan tcp 80': 'nobody', f'lan tcp 80 at {STRANGER}': 'nobody'}),
    Router('three faults', 'It never worked, and then the address changed.', BY_HAND, asks=WEB_AND_VOICE,
           faults=(Wrong('81.2.69.7 udp', f'{FORMER} udp'), cut(RETURN_PATH), cut('ct status dnat accept')),
           findings=('stale-literal', 'return-path', 'internet-blocked'), broken=dict.fromkeys(WEB_AND_VOICE, 'nobody')),
    Router('a second address for one host', 'All of it goes to the host, and the filter chooses.', nat(
        WEB_RULE.replace('tcp dport 80', 'udp dport 5000'), 'ip daddr 81.2.69.8 dnat to 192.168.1.2', more=(
            'table ip f {\n\tchain f {\n\t\ttype filter hook forward priority 0; policy drop;\n\t\tct state established,related accept\n'
            '\t\tiifname "br0" accept\n\t\tip daddr 192.168.1.2 tcp dport 80 accept\n\t\tip daddr 192.168.1.2 udp dport 5000 accept\n'
            '\t}\n}\n')), setup=(Do('router', 'ip addr add 81.2.69.8/24 dev wan0'),),
           asks=('inet tcp 80 at 81.2.69.8', 'lan tcp 80 at 81.2.69.8'), untold=('inet tcp 80 at 81.2.69.8', 'lan tcp 80 at 81.2.69.8'),
           faults=(cut(RETURN_PATH),), findings=('return-path',), broken={'lan tcp 80 at 81.2.69.8': 'nobody'}),
    Router('closed in both directions', 'Docker set the policy; nobody ever opened anything.', nat(WEB_RULE, more=(
        'table ip f {\n\tchain f {\n\t\ttype filter hook forward priority 0; policy drop;\n\t}\n}\n')), born=True,
           faults=(as_it_is('policy drop'),), guards=GUARDS[:1], findings=('internet-blocked', 'lan-blocked'),
           broken={'inet tcp 80': 'nobody', 'lan tcp 80': 'nobody'}),
    Router('a range of ports to a host that is off', 'All of them are silent.', nat(
        'ip daddr 81.2.69.7 tcp dport 7000-7010 dnat to 192.168.1.2'), asks=('inet tcp 7005', 'lan tcp 7005'),
           faults=(Wrong('dnat to 192.168.1.2', 'dnat to 192.168.1.22'),), findings=('server-silent',), elsewhere=True,
           broken={'inet tcp 7005': 'nobody', 'lan tcp 7005': 'nobody'}),
    Router('by the index of the link', 'iif, not iifname.', nat('iif "wan0" tcp dport 80 dnat to 192.168.1.2'), born=True,
           faults=(as_it_is('iif'),), findings=('wan-bound',), broken={'lan tcp 80': 'router'}),
    Router('whatever is not the LAN', 'iifname != br0.', nat('iifname != "br0" tcp dport 80 dnat to 192.168.1.2'), born=True,
           faults=(as_it_is('!='),), findings=('wan-bound',), broken={'lan tcp 80': 'router'}),
    Router('whoever is not of the LAN', 'ip saddr != LAN.', nat('ip saddr != 192.168.1.0/24 tcp dport 80 dnat to 192.168.1.2'),
           born=True, faults=(as_it_is('!='),), findings=('lan-missed',), broken={'lan tcp 80': 'router'}),
    Router('grabs what is not the LAN', 'Everything but the LAN itself.', nat(
        BY_WAN, 'iifname "br0" ip daddr != 192.168.1.0/24 tcp dport 80 dnat to 192.168.1.2'), born=True, faults=(as_it_is('!='),),
           findings=('grabs-all',), broken={f'lan tcp 80 at {STRANGER}': 'server'}),
]

BOTH = [
    Router('bound, and closed', 'A forward is two rules, and each was half.', BY_HAND, asks=WEB_AND_VOICE,
           faults=(Wrong('ip daddr 81.2.69.7 tcp', 'iifname "wan0" tcp'), cut('ct status dnat accept')),
           findings=('wan-bound', 'internet-blocked'), broken=dict(dict.fromkeys(WEB_AND_VOICE, 'nobody'), **{
               'lan tcp 80': 'router', 'lan udp 5000': 'server'})),
    Router('local by the link that it comes by', 'It takes the page of each side, and the public address of one.', nat(
        'fib daddr . iif type local tcp dport 80 dnat to 192.168.1.2'), born=True, faults=(as_it_is('. iif'),),
           findings=('wan-bound', 'router-shadowed'), broken={'lan tcp 80': 'router', 'lan tcp 80 at 192.168.1.1': 'server'}),
    Router('grabs, and no return path', 'The shortest rule, alone.', BY_HAND, findings=('grabs-all', 'return-path'),
           faults=(Wrong('ip daddr 81.2.69.7 tcp', 'tcp'), cut(RETURN_PATH)),
           broken={f'lan tcp 80 at {STRANGER}': 'nobody', 'lan tcp 80 at 192.168.1.1': 'nobody', 'lan tcp 80': 'nobody'}),
    Router('shadowed, and no return path', 'fib, alone.', FIB, findings=('router-shadowed', 'return-path'),
           faults=(cut('ip daddr != 192.168.1.1 '), cut(RETURN_PATH)),
           broken={'lan tcp 80 at 192.168.1.1': 'nobody', 'lan tcp 80': 'nobody'}),
    Router('stale, and closed', 'It did not work, and then the address changed.', BY_HAND,
           faults=(STALE, cut('ct status dnat accept')), findings=('stale-literal', 'internet-blocked'),
           broken={'inet tcp 80': 'nobody', 'lan tcp 80': 'router'}),
    Router('closed, and no return path, iptables-nft', 'DNAT, and nothing else.', '', iptables=IPTABLES, asks=WEB,
           faults=(cut('-A FORWARD -d 192.168.1.2/32 -p tcp -m multiport --dports 80,443 -j ACCEPT\n'),
                   cut('-A POSTROUTING -s 192.168.1.0/24 -d 192.168.1.2/32 -j MASQUERADE\n')),
           findings=('internet-blocked', 'return-path'), broken=dict.fromkeys(WEB, 'nobody')),
]

FORWARDS = WORKS + FAILS + BOTH
