# SPDX-License-Identifier: GPL-2.0-or-later
"""Routers with nothing wrong: packets arrive from everywhere, and doctor has nothing to find."""

from doctor_rules import BY_HAND, FIB, FIREWALLD, FRONT, FW4, INET, IPTABLES, MAP, SIX, VYOS, WANS
from doctor_story import Do, Router
from doctor_world import PREFIX, PUBLIC6, STRANGER

WEB_AND_VOICE = ('inet tcp 80', 'inet tcp 443', 'inet udp 5000', 'lan tcp 80', 'lan tcp 443', 'lan udp 5000')
# The daemon asks outside which address the world sees: a command of its own user's.
OUTSIDE = {'/etc/hairpind/outside': '#!/bin/sh\necho 81.2.69.7\n'}
BEHIND = {'wans': [{'interface': 'wan0', 'ipv4': {'source': 'command', 'command': ['/etc/hairpind/outside']}}],
          'state': {'directory': '/run/hairpind'}, 'control': {'socket': '/run/hairpind/control.sock'}}
TWO = {'wans': [{'interface': 'wan0', 'name': 'wan0'}, {'interface': 'wan1', 'name': 'wan1'}]}
TWO_WANS = tuple(Do('router', command) for command in (
    'ip route add default via 82.3.70.254 table 102', 'ip rule add fwmark 2 lookup 102',
    'sysctl -qw net.ipv4.conf.wan1.rp_filter=2'))

DOCKER = '''
table ip nat {
	chain PREROUTING {
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local counter jump DOCKER
	}
	chain OUTPUT {
		type nat hook output priority -100; policy accept;
		ip daddr != 127.0.0.0/8 fib daddr type local counter jump DOCKER
	}
	chain POSTROUTING {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 172.17.0.0/16 oifname != "docker0" counter masquerade
		ip saddr 172.17.0.2 ip daddr 172.17.0.2 tcp dport 80 counter masquerade
	}
	chain DOCKER {
		iifname "docker0" counter return
		iifname != "docker0" tcp dport 8080 counter dnat to 172.17.0.2:80
	}
}
table ip filter {
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
		counter jump DOCKER-USER
		oifname "docker0" ct state related,established counter accept
		oifname "docker0" counter jump DOCKER
		iifname "docker0" oifname != "docker0" counter accept
		iifname "docker0" oifname "docker0" counter accept
	}
	chain DOCKER {
		ip daddr 172.17.0.2 iifname != "docker0" oifname "docker0" tcp dport 80 counter accept
	}
	chain DOCKER-USER {
		ct state established,related counter accept
		iifname { "br0", "wan0" } oifname { "br0", "wan0" } counter accept
		counter return
	}
}
'''

GUEST = '''
table inet home {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 81.2.69.7 tcp dport 80 dnat ip to 192.168.1.2 comment "hairpin web"
	}
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan0" masquerade
		iifname "br0" oifname "br0" ct status dnat masquerade
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname "br1" oifname != "wan0" drop comment "guests: internet only"
		ct status dnat accept
		iifname { "br0", "br1" } oifname "wan0" accept
	}
}
'''

DMZ = '''
table inet home {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 81.2.69.7 tcp dport { 80, 443 } dnat ip to 192.168.3.2 comment "hairpin web"
	}
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan0" masquerade
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state vmap { established : accept, related : accept, invalid : drop }
		ct status dnat accept
		iifname "br0" oifname { "wan0", "dmz0" } accept
		iifname "dmz0" oifname "wan0" accept
	}
}
'''

# One gate for each uplink and network; the services behind a verdict map.
GATES = '''
table inet edge {
	map services {
		type inet_proto . inet_service : verdict
		elements = { tcp . 80 : goto to_web, udp . 5000 : goto to_web }
	}
	chain to_web {
		dnat ip to 192.168.1.2
	}
	chain published {
		meta l4proto . th dport vmap @services
	}
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		iifname vmap { "wan0" : jump published, "br0" : jump from_lan }
	}
	chain from_lan {
		ip daddr 192.168.0.0/16 return
		fib daddr type local jump published
	}
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		oifname vmap { "wan0" : goto out, "br0" : goto back }
	}
	chain out {
		masquerade
	}
	chain back {
		ct status dnat ip saddr 192.168.1.0/24 snat ip to 192.168.1.1
	}
}
'''

FLOWTABLE_AND_OUTPUT = BY_HAND + '''
table ip own {
	chain output {
		type nat hook output priority -100; policy accept;
		ip daddr 81.2.69.7 tcp dport { 80, 443 } dnat to 192.168.1.2 comment "hairpin web, from the router itself"
	}
}
'''

FRIEND = BY_HAND.replace('ip daddr 81.2.69.7 udp', 'ip saddr 45.11.0.0/16 ip daddr 81.2.69.7 tcp dport 2222 dnat to '
                         '192.168.1.2 comment "hairpin ssh, the office only"\n\t\tip daddr 81.2.69.7 udp')

INTERCEPTED = BY_HAND.replace('ip daddr 81.2.69.7 udp', 'iifname "br0" ip saddr != 192.168.1.2 udp dport 53 dnat to '
                              '192.168.1.2 comment "no way round the Pi-hole"\n\t\tip daddr 81.2.69.7 udp')

HEALTHY = [
    Router('nft by hand', 'Two forwards with a tag, the return path by interface, a closed forward chain.', BY_HAND,
           asks=WEB_AND_VOICE),
    Router('nft by hand, its file beside it', 'The same; /etc/nftables.conf is what was loaded.', BY_HAND,
           files={'/etc/nftables.conf': '#!/usr/sbin/nft -f\nflush ruleset\n' + BY_HAND}),
    Router('nft by hand, one inet table with sets', 'The address stands in a set, once.', INET,
           asks=('inet tcp 80', 'inet tcp 2223', 'inet tcp 7009', 'lan tcp 80', 'lan tcp 2223', 'lan tcp 7000')),
    Router('map form', 'Every forward is an element of one map.', MAP,
           asks=('inet tcp 80', 'inet tcp 2223', 'inet udp 5000', 'lan tcp 80', 'lan tcp 2223', 'lan udp 5000')),
    Router('fib form', 'No address at all in the rules.', FIB, asks=('inet tcp 80', 'inet tcp 443', 'lan tcp 443', 'lan tcp 80')),
    Router('iptables-nft', 'Rules as in the year 2005, in the kernel of today.', '', iptables=IPTABLES, asks=WEB_AND_VOICE),
    Router('firewalld', 'Zones external and internal, a rich rule for the LAN.', FIREWALLD),
    Router('fw4', 'OpenWrt: one redirect with reflection.', FW4),
    Router('VyOS', 'A rule for the WAN, one for the LAN with its destination.', VYOS),
    Router('double NAT with twins', "Behind the provider's box: each rule twice, as the guides say.", FRONT,
           parts=('front',), config=BEHIND, files=OUTSIDE, daemon=True),
    Router('two WANs', 'Each uplink has its rule, and answers leave by the uplink that was asked.', WANS,
           parts=('wan1',), setup=TWO_WANS, config=TWO,
           asks=('inet tcp 80', 'inet tcp 80 at 82.3.70.7', 'lan tcp 80', 'lan tcp 80 at 82.3.70.7')),
    Router('IPv6', 'A forward and a pinhole.', SIX, parts=('six',),
           asks=('inet tcp 80', 'lan tcp 80', f'inet tcp 80 at {PUBLIC6}', f'lan tcp 80 at {PUBLIC6}',
                 f'inet tcp 443 at {PREFIX}::2', f'lan tcp 443 at {PREFIX}::2')),
    Router('PPPoE', 'The uplink is a point-to-point link.', BY_HAND.replace('wan0', 'ppp0'), parts=('ppp',),
           asks=WEB_AND_VOICE),
    Router('Docker beside', "Docker's tables next to one's own, a container with a published port.",
           BY_HAND.replace('table ip nat', 'table ip home') + DOCKER, parts=('docker',),
           asks=WEB_AND_VOICE + ('inet tcp 8080 = container', 'lan tcp 8080 = container')),
    Router('a guest network kept apart', 'Guests get the internet and nothing of ours, the forward neither: so it is meant.',
           GUEST, parts=('guest',), asks=('inet tcp 80', 'lan tcp 80', 'guest tcp 80 = nobody',
                                          'guest tcp 80 at 192.168.1.2 = nobody', f'guest tcp 80 at {STRANGER} = stranger')),
    Router('SNAT instead of masquerade', 'Sources get the public address, outside and inside.',
           BY_HAND.replace('oifname "wan0" masquerade', 'oifname "wan0" snat to 81.2.69.7 comment "hairpin out"')
           .replace('ct status dnat masquerade', 'ct status dnat snat to 81.2.69.7 comment "hairpin-snat"'),
           asks=WEB_AND_VOICE),
    Router('a server in a DMZ', 'The server has a network of its own: no masquerade is needed, and its log shows the clients.',
           DMZ, parts=('dmz',), asks=('inet tcp 80 = dmz', 'inet tcp 443 = dmz', 'lan tcp 80 = dmz', 'lan tcp 443 = dmz',
                                      'lan tcp 80 at 192.168.3.2 = dmz')),
    Router('gates and verdict maps', 'Nothing stands where a reader of rules would look for it.', GATES,
           asks=('inet tcp 80', 'inet udp 5000', 'lan tcp 80', 'lan udp 5000')),
    Router("the router's own connections too", 'A chain at the output hook besides.', FLOWTABLE_AND_OUTPUT,
           asks=('inet tcp 80', 'lan tcp 80', 'router tcp 80')),
    Router('the daemon runs', 'Tagged rules, and hairpind that keeps them.', BY_HAND,
           config={'wans': [{'interface': 'wan0'}], 'state': {'directory': '/run/hairpind'},
                   'control': {'socket': '/run/hairpind/control.sock'}}, daemon=True),
    Router('a forward for the office only', 'SSH is open to one network; strangers are not to reach it.', FRIEND,
           asks=WEB_AND_VOICE + ('inet tcp 2222',), untold=('inet tcp 2222',)),
    Router('the DNS of the LAN is intercepted', 'Whoever asks another name server asks ours: so it is meant.', INTERCEPTED,
           asks=WEB_AND_VOICE + (f'lan udp 53 at {STRANGER}',)),
    Router('the modem has an address too', 'The uplink has a private address besides, for the modem\'s page.', BY_HAND,
           setup=(Do('router', 'ip addr add 192.168.100.2/24 dev wan0'),), asks=WEB_AND_VOICE),
    Router('strict rp_filter', 'As some distributions have it; there is one uplink.', BY_HAND,
           setup=(Do('router', 'sysctl -qw net.ipv4.conf.all.rp_filter=1'),), asks=WEB_AND_VOICE),
    Router('bridged packets are filtered, and it works', 'Docker was here; client and server are at two ports.', BY_HAND,
           setup=(Do('router', 'sysctl -qw net.bridge.bridge-nf-call-iptables=1'),), needs=('br_netfilter',),
           asks=WEB_AND_VOICE),
    Router('legacy iptables, without rules', 'The old table is loaded and empty.', BY_HAND, needs=('legacy',),
           setup=(Do('router', 'iptables-legacy -t nat -S'),), asks=WEB_AND_VOICE),
    Router('no forwards', 'A router that only lets the LAN out.', '''
table ip nat {
	chain post {
		type nat hook postrouting priority srcnat;
		oifname "wan0" masquerade
	}
}''', asks=()),
]
