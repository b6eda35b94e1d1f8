# SPDX-License-Identifier: GPL-2.0-or-later
"""Routers with one fault in the rules, and with two. doctor_broken_around.py has those whose rules are right."""

from doctor_healthy import BEHIND, DMZ, GUEST, OUTSIDE, TWO_WANS, TWO, WEB_AND_VOICE
from doctor_rules import (BY_HAND, FIB, FIREWALLD, FRONT, FW4, INET, IPTABLES, MAP, RETURN_PATH, SIX, VYOS, WANS)
from doctor_story import Do, Ends, Router, Wrong, cut
from doctor_world import FORMER, FORMER6, PREFIX, PUBLIC6, STRANGER

NOBODY_IN_LAN = {'lan tcp 80': 'nobody'}
# The address of last week: a stranger's, but the LAN's packets to him come to our server while a rule is stale.
TO_THE_FORMER = f'lan tcp 80 at {FORMER} = stranger'
STALE = Wrong('81.2.69.7', FORMER)
STALE_WEB = {'inet tcp 80': 'router', 'lan tcp 80': 'router', f'lan tcp 80 at {FORMER}': 'server'}
ALL = ('inet tcp 80', 'inet tcp 443', 'lan tcp 80', 'lan tcp 443')

GUEST_SERVER = '''
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 81.2.69.7 tcp dport 80 dnat to 192.168.1.2 comment "hairpin web"
		ip daddr 81.2.69.7 tcp dport 8443 dnat to 192.168.2.10 comment "hairpin camera"
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan0" masquerade
		iifname "br0" oifname "br0" ct status dnat masquerade
		iifname "br1" oifname "br1" ct status dnat masquerade
	}
}
'''

ROUTED = '''
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 81.2.69.7 tcp dport 80 dnat to 192.168.1.2 comment "hairpin web"
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		iifname "br0" oifname "br0" ct status dnat masquerade
	}
}
'''
# What a provider does with sources that it has not given out.
BCP38 = (Do('inet', 'nft add table ip f; nft "add chain ip f pre { type filter hook prerouting priority -300; }"; '
                    'nft add rule ip f pre iifname isp0 ip saddr 82.3.70.0/24 drop; '
                    'nft add rule ip f pre iifname isp1 ip saddr 81.2.69.0/24 drop'),)
NO_CHAIN = f'''	chain postrouting {{
		type nat hook postrouting priority srcnat; policy accept;
		{RETURN_PATH}
	}}
'''

RETURN = [
    Router('no return path', 'Works from my phone with mobile data, times out at home.', BY_HAND, asks=WEB_AND_VOICE,
           faults=(cut(RETURN_PATH),), findings=('return-path',),
           broken={'lan tcp 80': 'nobody', 'lan tcp 443': 'nobody', 'lan udp 5000': 'nobody'}),
    Router('no return path, inet table', 'I copied the port forward, not the line below it.', INET,
           asks=('inet tcp 80', 'inet tcp 2223', 'inet tcp 7005', 'lan tcp 80', 'lan tcp 2223', 'lan tcp 7005'),
           faults=(cut('ip saddr @lan4 ip daddr @lan4 ct status dnat masquerade'),), findings=('return-path',),
           broken={'lan tcp 80': 'nobody', 'lan tcp 2223': 'nobody', 'lan tcp 7005': 'nobody'}),
    Router('no return path, iptables-nft', 'DNAT alone is not enough, they say. For what?', '', iptables=IPTABLES,
           asks=WEB_AND_VOICE, faults=(cut('-A POSTROUTING -s 192.168.1.0/24 -d 192.168.1.2/32 -j MASQUERADE\n'),),
           findings=('return-path',),
           broken={'lan tcp 80': 'nobody', 'lan tcp 443': 'nobody', 'lan udp 5000': 'nobody'}),
    Router('no return path, fw4', 'Reflection was made, its source NAT was not.', FW4,
           faults=(cut('ip saddr 192.168.1.0/24 ip daddr 192.168.1.2 tcp dport 80 snat ip to 192.168.1.1 '
                       'comment "!fw4: web (reflection)"'),), findings=('return-path',), broken=NOBODY_IN_LAN),
    Router('no return path, firewalld', 'The forward-port of the internal zone has no masquerade.', FIREWALLD,
           faults=(cut('ip saddr 192.168.1.0/24 ip daddr 192.168.1.2 oifname != "lo" masquerade'),),
           findings=('return-path',), broken=NOBODY_IN_LAN),
    Router('no postrouting chain at all', "The provider's router translates for the LAN; this one only forwards.", ROUTED,
           setup=(Do('inet', 'ip route add 192.168.1.0/24 via 81.2.69.7'),),
           faults=(cut(NO_CHAIN),), findings=('return-path',), broken=NOBODY_IN_LAN),
    Router('return path for another bridge', 'The bridge was eth1 once.', BY_HAND,
           faults=(Wrong(RETURN_PATH, 'iifname "eth1" oifname "eth1" ct status dnat masquerade'),),
           findings=('return-path',), broken=NOBODY_IN_LAN),
    Router('return path behind an accept', 'The VPN said: no NAT between private networks.', BY_HAND,
           faults=(Wrong(RETURN_PATH, 'ip saddr 192.168.0.0/16 ip daddr 192.168.0.0/16 accept\n' + RETURN_PATH),),
           findings=('return-path',), broken=NOBODY_IN_LAN),
    Router('return path for two ports only', 'The web is right, the games are not.', INET,
           asks=('inet tcp 80', 'inet tcp 7005', 'lan tcp 80', 'lan tcp 2223', 'lan tcp 7000', 'lan tcp 7009'),
           faults=(Wrong('@lan4 ct status dnat masquerade', '@lan4 ct status dnat tcp dport { 80, 2222 } masquerade'),),
           findings=('return-path',), broken={'lan tcp 7000': 'nobody', 'lan tcp 7009': 'nobody'}),
    Router('return path for TCP only', 'Telephony does not work at home.', BY_HAND, asks=WEB_AND_VOICE,
           faults=(Wrong('ct status dnat masquerade', 'ct status dnat meta l4proto tcp masquerade'),),
           findings=('return-path',), broken={'lan udp 5000': 'nobody'}),
    Router('return path of one network only', 'The camera is among the guests; guests do not see it by its name.',
           GUEST_SERVER, parts=('guest',),
           asks=('inet tcp 80', 'inet tcp 8443 = guest', 'lan tcp 80', 'lan tcp 8443 = guest', 'guest tcp 80',
                 'guest tcp 8443 = guest'),
           faults=(cut('iifname "br1" oifname "br1" ct status dnat masquerade'),),
           findings=('return-path',), broken={'guest tcp 8443': 'nobody'}),
]

BOUND = [
    Router('bound to the WAN', "At home I see the router's login page.", BY_HAND, asks=WEB_AND_VOICE,
           faults=(Wrong('ip daddr 81.2.69.7 tcp', 'iifname "wan0" tcp'),), findings=('wan-bound',),
           broken={'lan tcp 80': 'router', 'lan tcp 443': 'nobody'}),
    Router('bound to the WAN, iptables-nft', "-i wan0, as every guide has it. At home: the router's page.", '',
           iptables=IPTABLES, faults=(Wrong('-d 81.2.69.7/32 -p tcp', '-i wan0 -p tcp'),), findings=('wan-bound',),
           broken={'lan tcp 80': 'router'}),
    Router('bound to the WAN, fw4', 'option reflection 0.', FW4, faults=(cut(
        'ip saddr 192.168.1.0/24 ip daddr 81.2.69.7 tcp dport 80 dnat ip to 192.168.1.2:80 comment "!fw4: web '
        '(reflection)"'), cut('ip saddr 192.168.1.0/24 ip daddr 192.168.1.2 tcp dport 80 snat ip to 192.168.1.1 '
                              'comment "!fw4: web (reflection)"')),
           findings=('wan-bound',), broken={'lan tcp 80': 'router'}),
    Router('bound to the WAN, fib form', 'The fib rule got an iifname, to be safe.', FIB,
           asks=('inet tcp 80', 'inet tcp 443', 'lan tcp 80', 'lan tcp 443'),
           faults=(Wrong('ip daddr != 192.168.1.1 fib', 'iifname "wan0" fib'),), findings=('wan-bound',),
           broken={'lan tcp 80': 'router', 'lan tcp 443': 'nobody'}),
    Router('bound to a link that is not the uplink', 'It was cable, it is PPPoE now; eth0 only carries it.',
           BY_HAND.replace('wan0', 'ppp0').replace(
               'ip daddr 81.2.69.7 tcp dport { 80, 443 }', 'iifname { "ppp0", "br0" } ip daddr 81.2.69.7 tcp dport { 80, 443 }'),
           parts=('ppp',), asks=ALL,
           setup=(Do('router', 'ip link add eth0 type veth peer name modem; ip link set eth0 up; ip link set modem up'),),
           faults=(Wrong('iifname { "ppp0", "br0" }', 'iifname { "eth0", "br0" }'),), findings=('wrong-interface',),
           broken={'inet tcp 80': 'nobody', 'inet tcp 443': 'nobody'}),
    Router('bound to a link that is gone', 'Since the upgrade the card has another name.',
           FRONT.replace('ip daddr 81.2.69.7 tcp', 'iifname "br0" ip daddr 81.2.69.7 tcp'),
           faults=(Wrong('iifname "wan0" tcp', 'iifname "enp2s0" tcp'),), findings=('wrong-interface',),
           broken={'inet tcp 80': 'router'}),
    Router('guests are not covered', 'The rule names wan0 and br0, and then there was a second network.',
           GUEST_SERVER.replace('ip daddr 81.2.69.7 tcp dport 80', 'iifname { "wan0", "br0", "br1" } ip daddr 81.2.69.7 '
                                'tcp dport 80'),
           parts=('guest',), asks=('inet tcp 80', 'lan tcp 80', 'guest tcp 80', 'guest tcp 80 at 192.168.1.2',
                                   'inet tcp 8443 = guest'),
           faults=(Wrong('"wan0", "br0", "br1"', '"wan0", "br0"'),), findings=('lan-missed',),
           broken={'guest tcp 80': 'router'}),
    Router('one LAN by its addresses', 'ip saddr holds the LAN; the guests have another.',
           GUEST_SERVER.replace('ip daddr 81.2.69.7 tcp dport 80', 'ip saddr != 192.168.9.0/24 ip daddr 81.2.69.7 tcp '
                                'dport 80'),
           parts=('guest',), asks=('inet tcp 80', 'lan tcp 80', 'guest tcp 80', 'guest tcp 80 at 192.168.1.2'),
           faults=(Wrong('ip saddr != 192.168.9.0/24', 'ip saddr != 192.168.2.0/24'),), findings=('lan-missed',),
           broken={'guest tcp 80': 'router'}),
]

TOO_MUCH = [
    Router('grabs all web traffic', 'Every web site shows my server. The manual has it like this.', VYOS,
           faults=(Wrong('iifname "br0" ip daddr 81.2.69.7 tcp', 'iifname "br0" tcp'),), findings=('grabs-all',),
           broken={f'lan tcp 80 at {STRANGER}': 'server', 'lan tcp 80 at 192.168.1.1': 'server'}),
    Router('grabs all web traffic, by any link', 'tcp dport 80 dnat: what could be shorter?', BY_HAND,
           faults=(Wrong('ip daddr 81.2.69.7 tcp dport { 80, 443 }', 'tcp dport { 80, 443 }'),), findings=('grabs-all',),
           broken={f'lan tcp 80 at {STRANGER}': 'server', 'lan tcp 80 at 192.168.1.1': 'server'}),
    Router("the router's own page is shadowed", 'I cannot log in to my router any more.', FIB,
           faults=(cut('ip daddr != 192.168.1.1 '),), findings=('router-shadowed',),
           broken={'lan tcp 80 at 192.168.1.1': 'server'}),
    Router("the router's other address is shadowed", 'From the guests the router has another address: that one is not left out.',
           FIB.replace('!= 192.168.1.1', '!= { 192.168.1.1, 192.168.2.1 }'), parts=('guest',),
           asks=('inet tcp 80', 'lan tcp 80', 'guest tcp 80', 'lan tcp 80 at 192.168.2.1 = router'),
           faults=(Wrong('!= { 192.168.1.1, 192.168.2.1 }', '!= 192.168.1.1'),), findings=('router-shadowed',),
           broken={'lan tcp 80 at 192.168.2.1': 'server'}),
    Router('an earlier rule takes the port', "The certificate's script left a redirect.", BY_HAND, asks=ALL,
           faults=(Wrong('ip daddr 81.2.69.7 tcp dport { 80, 443 }', 'ip daddr 81.2.69.7 tcp dport { 80, 81 } redirect to :80 '
                         'comment "acme"\nip daddr 81.2.69.7 tcp dport { 80, 443 }'),), findings=('earlier-rule',),
           broken={'inet tcp 80': 'nobody', 'lan tcp 80': 'router'}),
    Router('an earlier accept takes the port', 'Our own web is on port 80, somebody thought once.', BY_HAND, asks=ALL,
           faults=(Wrong('ip daddr 81.2.69.7 tcp dport { 80, 443 }', 'tcp dport 80 accept\n'
                         'ip daddr 81.2.69.7 tcp dport { 80, 443 }'),), findings=('earlier-rule',),
           broken={'inet tcp 80': 'nobody', 'lan tcp 80': 'router'}),
]

STALES = [
    Router('stale', 'It stopped on Tuesday.', BY_HAND, asks=WEB_AND_VOICE + (TO_THE_FORMER,),
           faults=(STALE,), findings=('stale-literal',),
           broken={'inet tcp 80': 'nobody', 'inet tcp 443': 'nobody', 'inet udp 5000': 'nobody', 'lan tcp 80': 'router',
                   'lan tcp 443': 'nobody', 'lan udp 5000': 'nobody', f'lan tcp 80 at {FORMER}': 'server'}),
    Router('stale and without a tag', "Nobody told hairpind about this rule.", FRONT.replace('iifname "wan0" tcp dport 80', 'ip '
           'daddr 81.2.69.7 tcp dport 443').replace(' comment "hairpin web"', ''), asks=ALL + (TO_THE_FORMER,),
           faults=(STALE,), findings=('stale-literal',),
           broken=dict(STALE_WEB, **{'inet tcp 443': 'nobody', 'lan tcp 443': 'nobody'})),
    Router('stale in a set', 'The script that fills the set has lost its timer.', INET, asks=('inet tcp 80', 'lan tcp 80',
           TO_THE_FORMER), faults=(STALE,), findings=('stale-literal',), broken=STALE_WEB),
    Router('stale in a map', 'Each element holds the address.', MAP, asks=('inet tcp 80', 'lan tcp 80', TO_THE_FORMER),
           faults=(STALE,), findings=('stale-literal',), broken=STALE_WEB),
    Router('stale in iptables -d', 'rules.v4 was written in another week.', '', iptables=IPTABLES,
           asks=('inet tcp 80', 'lan tcp 80', TO_THE_FORMER), faults=(STALE,), findings=('stale-literal',), broken=STALE_WEB),
    Router('stale in one of two', 'Web is right, voice is not.', BY_HAND, asks=WEB_AND_VOICE,
           faults=(Wrong('81.2.69.7 udp', f'{FORMER} udp'),), findings=('stale-literal',),
           broken={'inet udp 5000': 'nobody', 'lan udp 5000': 'nobody'}),
    Router('stale IPv6 forward', 'IPv6 has another address as well since the reboot.', SIX, parts=('six',),
           asks=('inet tcp 80', f'inet tcp 80 at {PUBLIC6}', f'lan tcp 80 at {PUBLIC6}'),
           faults=(Wrong(PUBLIC6, FORMER6),), findings=('stale-literal',),
           broken={f'inet tcp 80 at {PUBLIC6}': 'router', f'lan tcp 80 at {PUBLIC6}': 'router'}),
    Router('stale IPv6 pinhole', 'A new prefix; the pinhole has the former one.', SIX, parts=('six',),
           asks=('inet tcp 80', f'inet tcp 443 at {PREFIX}::2'),
           faults=(Wrong(f'{PREFIX}::2', '2a01:4f8:a005:1::2'),), findings=('stale-literal',),
           broken={f'inet tcp 443 at {PREFIX}::2': 'nobody'}),
]

FILTERS = [
    Router('the forward chain does not let it in', 'A port forward is not an opening.', BY_HAND, asks=ALL,
           faults=(cut('ct status dnat accept'),), findings=('internet-blocked',),
           broken={'inet tcp 80': 'nobody', 'inet tcp 443': 'nobody'}),
    Router('the forward chain does not let it in, iptables-nft', 'FORWARD DROP, and the rule for 443 is missing.', '',
           iptables=IPTABLES, asks=ALL, findings=('internet-blocked',),
           faults=(Wrong('-A FORWARD -d 192.168.1.2/32 -p tcp -m multiport --dports 80,443',
                         '-A FORWARD -d 192.168.1.2/32 -p tcp -m tcp --dport 80'),), broken={'inet tcp 443': 'nobody'}),
    Router('a block list takes the world', 'Someone wanted to keep out a network and wrote /0.', DMZ, parts=('dmz',),
           asks=('inet tcp 80 = dmz', 'lan tcp 80 = dmz'), findings=('internet-blocked',),
           faults=(Wrong('ct status dnat accept', 'iifname "wan0" ip saddr 0.0.0.0/1 drop\nct status dnat accept'),),
           broken={'inet tcp 80': 'nobody'}),
    Router('nothing goes from LAN to LAN', 'The clients were to be kept from each other.', BY_HAND, asks=ALL,
           faults=(Wrong('iifname "br0" accept\n\t\tct', 'iifname "br0" oifname "br0" drop\niifname "br0" accept\n\t\tct'),),
           findings=('lan-blocked',), broken={'lan tcp 80': 'nobody', 'lan tcp 443': 'nobody'}),
    Router('guests may reach the server, but not by its name', 'Directly they may.', GUEST.replace(
        'iifname "br1" oifname != "wan0" drop comment "guests: internet only"\n',
        'iifname "br1" ip daddr 192.168.1.2 accept\n'), parts=('guest',),
           asks=('inet tcp 80', 'lan tcp 80', 'guest tcp 80', 'guest tcp 80 at 192.168.1.2'),
           faults=(Wrong('iifname "br1" ip daddr 192.168.1.2 accept\n', 'iifname "br1" ct status dnat drop\n'
                         'iifname "br1" ip daddr 192.168.1.2 accept\n'),),
           findings=('lan-blocked',), broken={'guest tcp 80': 'nobody'}),
]

DOUBLE = [
    Router('double NAT, only the public address', 'Behind the box packets come with its inner address.', FRONT, parts=('front',),
           config=BEHIND, files=OUTSIDE, daemon=True, faults=(cut('iifname "wan0" tcp dport 80 dnat to 192.168.1.2 comment "web, from '
                                                  'outside"'),),
           findings=('twin-missing',), broken={'inet tcp 80': 'router'}),
    Router('double NAT, only the interface', "At home I see the box's page.", FRONT, parts=('front',),
           config=BEHIND, files=OUTSIDE, daemon=True,
           faults=(cut('ip daddr 81.2.69.7 tcp dport 80 dnat to 192.168.1.2 comment "hairpin web"'),),
           findings=('twin-missing',), broken={'lan tcp 80': 'box'}),
    Router('double NAT, fib form', "fib needs no address, but the public one is not this router's.", FRONT, parts=('front',),
           config=BEHIND, files=OUTSIDE, daemon=True,
           faults=(cut('ip daddr 81.2.69.7 tcp dport 80 dnat to 192.168.1.2 comment "hairpin web"'),
                   Wrong('iifname "wan0" tcp dport', 'ip daddr != 192.168.1.1 fib daddr type local tcp dport')),
           findings=('twin-missing',), broken={'lan tcp 80': 'box'}),
    Router('two WANs, one forward', 'The second uplink was to be the spare one.', WANS, parts=('wan1',), setup=TWO_WANS, config=TWO,
           asks=('inet tcp 80', 'inet tcp 80 at 82.3.70.7', 'lan tcp 80', 'lan tcp 80 at 82.3.70.7'),
           faults=(Wrong('ip daddr 82.3.70.7', 'ip daddr 82.3.70.5'),), findings=('stale-literal',),
           broken={'inet tcp 80 at 82.3.70.7': 'router', 'lan tcp 80 at 82.3.70.7': 'router'}),
    Router('two WANs, answers by the wrong one', 'The second line can be pinged; its provider drops foreign sources, as all do.',
           WANS, parts=('wan1',), setup=TWO_WANS + BCP38, config=TWO, elsewhere=True,
           asks=('inet tcp 80', 'inet tcp 80 at 82.3.70.7', 'lan tcp 80', 'lan tcp 80 at 82.3.70.7'),
           faults=(cut('iifname "br0" meta mark set ct mark'),), findings=('answer-astray',),
           broken={'inet tcp 80 at 82.3.70.7': 'nobody'}),
]

TWO_FAULTS = [
    Router('two faults: no return path, and closed to the world', 'It works from nowhere.', BY_HAND, asks=ALL,
           faults=(cut(RETURN_PATH), cut('ct status dnat accept')), findings=('return-path', 'internet-blocked'),
           broken={question: 'nobody' for question in ALL}),
    Router('two faults: stale, and no return path', 'It stopped on Tuesday, and at home it never worked.', BY_HAND,
           asks=ALL, faults=(STALE, cut(RETURN_PATH)), findings=('stale-literal', 'return-path'),
           broken={'inet tcp 80': 'nobody', 'inet tcp 443': 'nobody', 'lan tcp 80': 'router', 'lan tcp 443': 'nobody'}),
    Router('two faults: bound to the WAN, and forwarding is off', 'A new router, half set up.', BY_HAND, asks=('inet tcp 80',
           'lan tcp 80'), faults=(Wrong('ip daddr 81.2.69.7 tcp', 'iifname "wan0" tcp'),
                                  Do('router', 'sysctl -qw net.ipv4.ip_forward=0')),
           findings=('wan-bound', 'forwarding-off'),
           broken={'inet tcp 80': 'nobody', 'lan tcp 80': 'router', f'lan tcp 80 at {STRANGER}': 'nobody'}),
    Router('two faults: one stale, one not listening', 'Web is off, voice went with the address.', BY_HAND,
           asks=WEB_AND_VOICE, faults=(Ends('server', 'tcp', 443), Wrong('81.2.69.7 udp', f'{FORMER} udp')),
           findings=('server-refuses', 'stale-literal'), elsewhere=True,
           broken={'inet tcp 443': 'nobody', 'lan tcp 443': 'nobody', 'inet udp 5000': 'nobody', 'lan udp 5000': 'nobody'}),
    Router('two faults: LAN to LAN is closed, and the server has no way back', 'Neither here nor there.', BY_HAND, asks=ALL,
           faults=(Wrong('iifname "br0" accept\n\t\tct', 'iifname "br0" oifname "br0" drop\niifname "br0" accept\n\t\tct'),
                   Do('server', 'ip route del default')), findings=('lan-blocked', 'server-no-route'),
           broken={question: 'nobody' for question in ALL}),
    Router('two faults: a twin is missing, and the return path', 'Behind a box, copied in haste.', FRONT, parts=('front',),
           config=BEHIND, files=OUTSIDE, daemon=True, findings=('twin-missing', 'return-path'),
           faults=(cut('iifname "wan0" tcp dport 80 dnat to 192.168.1.2 comment "web, from outside"'), cut(RETURN_PATH)),
           broken={'inet tcp 80': 'router', 'lan tcp 80': 'nobody'}),
]

BROKEN = RETURN + BOUND + TOO_MUCH + STALES + FILTERS + DOUBLE + TWO_FAULTS
