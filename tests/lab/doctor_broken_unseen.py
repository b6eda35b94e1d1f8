# SPDX-License-Identifier: GPL-2.0-or-later
"""Routers that were written beside doctor and held back until it was done: what does it say of what nobody thought of?"""

from doctor_healthy import DMZ, WEB_AND_VOICE
from doctor_rules import BY_HAND, INET, MAP, RETURN_PATH, SIX
from doctor_story import Do, Router, Wrong
from doctor_world import PUBLIC6

ALL = ('inet tcp 80', 'inet tcp 443', 'lan tcp 80', 'lan tcp 443')

MARKED = BY_HAND + '''
table ip uplinks {
	chain pre {
		type filter hook prerouting priority mangle; policy accept;
		iifname "br0" meta mark set 0x10
	}
}
'''

UNTRACKED = BY_HAND + '''
table ip raw {
	chain pre {
		type filter hook prerouting priority raw; policy accept;
		tcp dport 443 counter
	}
}
'''

RAW = BY_HAND + '''
table ip guard {
	chain pre {
		type filter hook prerouting priority raw; policy accept;
		iifname "wan0" ip saddr { 10.0.0.0/8, 192.168.0.0/16 } drop comment "spoofed"
	}
}
'''

PROXY = BY_HAND + '''
table inet proxy {
	chain pre {
		type nat hook prerouting priority dstnat - 10; policy accept;
		iifname "br0" tcp dport 8081 redirect to :80
	}
}
'''

UNSEEN = [
    Router('unseen: the rule wants no mark', 'The VPN policy marks what comes from the LAN; the forward is for what has no mark.',
           MARKED, asks=ALL, faults=(Wrong('ip daddr 81.2.69.7 tcp dport', 'meta mark 0 ip daddr 81.2.69.7 tcp dport'),),
           findings=('lan-missed',), broken={'lan tcp 80': 'router', 'lan tcp 443': 'nobody'}),
    Router('unseen: the return path gives an address that was ours', 'The router was 192.168.1.77 for a while.',
           BY_HAND.replace(RETURN_PATH, 'iifname "br0" oifname "br0" ct status dnat snat to 192.168.1.1'), asks=WEB_AND_VOICE,
           faults=(Wrong('snat to 192.168.1.1', 'snat to 192.168.1.77'),), findings=('return-path',),
           broken={'lan tcp 80': 'nobody', 'lan tcp 443': 'nobody', 'lan udp 5000': 'nobody'}),
    Router('unseen: the port of another service', 'The container listens on 7005, the rule says 7006.',
           INET.replace('dnat ip to 192.168.1.2:2222', 'dnat ip to 192.168.1.2:7005'),
           asks=('inet tcp 80', 'lan tcp 80', 'inet tcp 2223', 'lan tcp 2223'),
           faults=(Wrong(':7005', ':7006'),), findings=('server-refuses',), elsewhere=True,
           broken={'inet tcp 2223': 'nobody', 'lan tcp 2223': 'nobody'}),
    Router('unseen: the answers go into a tunnel', 'A rule sends all of the server through the VPN, which is down.', BY_HAND,
           asks=ALL, faults=(Do('router', 'ip rule add from 192.168.1.2 iif br0 lookup 77; ip route add 192.168.1.0/24 dev br0 table 77; '
                                'ip route add blackhole default table 77', back='ip rule del from 192.168.1.2 iif br0 lookup 77'),),
           findings=('answer-no-route',), elsewhere=True, broken={'inet tcp 80': 'nobody', 'inet tcp 443': 'nobody'}),
    Router('unseen: not tracked', 'A rule against floods takes port 443 out of connection tracking.', UNTRACKED, asks=ALL,
           faults=(Wrong('tcp dport 443 counter', 'tcp dport 443 counter notrack'),), findings=('earlier-rule',),
           broken={'inet tcp 443': 'nobody', 'lan tcp 443': 'nobody'}),
    Router('unseen: a guard against spoofing', 'Packets to our public address cannot come from inside, somebody thought.', RAW, asks=ALL,
           faults=(Wrong('comment "spoofed"\n', 'comment "spoofed"\niifname != "wan0" ip daddr 81.2.69.7 drop\n'),),
           findings=('lan-blocked',), broken={'lan tcp 80': 'nobody', 'lan tcp 443': 'nobody'}),
    Router('unseen: a proxy for the LAN', 'All of the LAN\'s web to our own names goes to the proxy on the router.', PROXY, asks=ALL,
           faults=(Wrong('tcp dport 8081 redirect', 'fib daddr type local ip daddr != 192.168.1.1 tcp dport { 80, 8081 } redirect'),),
           findings=('lan-missed',), broken={'lan tcp 80': 'router'}),
    Router('unseen: masquerade for the LAN that was', 'The LAN was 192.168.0.0/24 before.', MAP, asks=('inet tcp 80', 'lan tcp 80', 'lan udp 5000'),
           faults=(Wrong('ip saddr 192.168.1.0/24 ip daddr 192.168.1.0/24 ct', 'ip saddr 192.168.0.0/24 ip daddr 192.168.0.0/24 ct'),),
           findings=('return-path',), broken={'lan tcp 80': 'nobody', 'lan udp 5000': 'nobody'}),
    Router('unseen: the DMZ is open for the LAN alone', 'The rule for what was translated asks for the bridge.', DMZ, parts=('dmz',),
           asks=('inet tcp 80 = dmz', 'inet tcp 443 = dmz', 'lan tcp 80 = dmz', 'lan tcp 443 = dmz'),
           faults=(Wrong('ct status dnat accept', 'iifname "br0" ct status dnat accept'),),
           findings=('internet-blocked',), broken={'inet tcp 80': 'nobody', 'inet tcp 443': 'nobody'}),
    Router('unseen: the return path is for IPv4 alone', 'IPv6 needs none, they say; but this forward is one.', SIX, parts=('six',),
           asks=('inet tcp 80', 'lan tcp 80', f'inet tcp 80 at {PUBLIC6}', f'lan tcp 80 at {PUBLIC6}'),
           faults=(Wrong('iifname "br0" oifname "br0" ct status dnat masquerade', 'meta nfproto ipv4 iifname "br0" oifname "br0" ct status dnat masquerade'),),
           findings=('return-path',), broken={f'lan tcp 80 at {PUBLIC6}': 'nobody'}),
]
