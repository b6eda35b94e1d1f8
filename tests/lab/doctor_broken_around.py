# SPDX-License-Identifier: GPL-2.0-or-later
"""Routers whose rules are right, and something around them is not: switches, servers, the uplink, files."""

from doctor_broken import BCP38
from doctor_healthy import TWO, TWO_WANS, WEB_AND_VOICE
from doctor_rules import BY_HAND, FRONT, INET, IPTABLES, WANS
from doctor_story import Do, Ends, File, Router, Wrong, cut
from doctor_world import STRANGER

ALL = ('inet tcp 80', 'inet tcp 443', 'lan tcp 80', 'lan tcp 443')
NOT_OUT = {f'lan tcp 80 at {STRANGER}': 'nobody'}
# A WAN without a default route is known by its name alone.
WAN0 = {'wans': [{'interface': 'wan0'}]}
LINES = '#!/usr/sbin/nft -f\nflush ruleset\n'
HOOK = '/etc/hairpind/hooks.d/10-note'

SWITCHES = [
    Router('forwarding is off', 'After the upgrade sysctl.conf was theirs again.', BY_HAND,
           faults=(Do('router', 'sysctl -qw net.ipv4.ip_forward=0'),), findings=('forwarding-off',),
           broken=dict(NOT_OUT, **{'inet tcp 80': 'nobody', 'lan tcp 80': 'nobody'})),
    Router('forwarding is off on the WAN', 'systemd-networkd has a switch for each link.', BY_HAND,
           faults=(Do('router', 'sysctl -qw net.ipv4.conf.wan0.forwarding=0'),), findings=('forwarding-off',),
           broken=dict(NOT_OUT, **{'inet tcp 80': 'nobody'})),
    Router('forwarding is off on the bridge', 'The new bridge came after the switch was set for the others.', BY_HAND,
           faults=(Do('router', 'sysctl -qw net.ipv4.conf.br0.forwarding=0'),), findings=('forwarding-off',),
           broken=dict(NOT_OUT, **{'inet tcp 80': 'nobody', 'lan tcp 80': 'nobody'})),
    Router('rp_filter is strict at the second uplink', 'The second line can be pinged, and nothing more.', WANS,
           parts=('wan1',), setup=TWO_WANS, config=TWO,
           asks=('inet tcp 80', 'inet tcp 80 at 82.3.70.7', 'lan tcp 80', 'lan tcp 80 at 82.3.70.7'),
           faults=(Do('router', 'sysctl -qw net.ipv4.conf.wan1.rp_filter=1'),), findings=('rp-filter',),
           broken={'inet tcp 80 at 82.3.70.7': 'nobody'}),
    Router('bridged packets are filtered', 'Since Docker is here the server cannot be reached from the same switch.', BY_HAND,
           parts=('switch',), needs=('br_netfilter',),
           faults=(Do('router', 'sysctl -qw net.bridge.bridge-nf-call-iptables=1'),), findings=('bridge-netfilter',),
           broken={'lan tcp 80': 'nobody'}),
    Router('legacy iptables beside nft', 'An old start script still calls iptables.', BY_HAND, asks=ALL, needs=('legacy',),
           faults=(Do('router', 'iptables-legacy -t nat -A PREROUTING -i br0 -p tcp --dport 80 -j REDIRECT'),),
           findings=('legacy-iptables',),
           broken={'lan tcp 80': 'router', f'lan tcp 80 at {STRANGER}': 'router'}),
]

SERVERS = [
    Router('nobody listens', 'nginx did not come up after the upgrade.', BY_HAND, asks=ALL,
           faults=(Ends('server', 'tcp', 443),), findings=('server-refuses',), elsewhere=True,
           broken={'inet tcp 443': 'nobody', 'lan tcp 443': 'nobody'}),
    Router('the server is off', 'A power cut, and a BIOS that waits for a key.', BY_HAND, asks=ALL,
           faults=(Do('server', 'ip link set eth0 down', back='ip link set eth0 up; ip route add default via 192.168.1.1'),),
           findings=('server-silent',), elsewhere=True, broken={question: 'nobody' for question in ALL}),
    Router('the wrong host', 'DHCP gave the server another address.', BY_HAND, asks=ALL,
           faults=(Wrong('tcp dport { 80, 443 } counter dnat to 192.168.1.2', 'tcp dport { 80, 443 } counter dnat to '
                         '192.168.1.22'),),
           findings=('server-silent',), elsewhere=True, broken={question: 'nobody' for question in ALL}),
    Router('the server has no gateway', 'Static address, mask, and nothing in the third field.', BY_HAND,
           faults=(Do('server', 'ip route del default'),), findings=('server-no-route',), broken={'inet tcp 80': 'nobody'}),
    Router("the server's gateway is another one", 'The old router is still its gateway.', '', iptables=IPTABLES,
           faults=(Do('server', 'ip route replace default via 192.168.1.254'),), findings=('server-no-route',),
           broken={'inet tcp 80': 'nobody'}),
]

UPLINKS = [
    Router('the WAN is down', 'Someone has set it down by hand.', BY_HAND, config=WAN0,
           faults=(Do('router', 'ip link set wan0 down'),), findings=('wan-down',),
           follows=(Do('router', 'ip route replace default via 81.2.69.254'),), broken=dict(NOT_OUT, **{'inet tcp 80': 'nobody'})),
    Router('no cable at the WAN', 'The modem has no power.', BY_HAND, config=WAN0, elsewhere=True,
           faults=(Do('inet', 'ip link set isp0 down', back='ip link set isp0 up'),), findings=('wan-down',),
           broken=dict(NOT_OUT, **{'inet tcp 80': 'nobody'})),
    Router('the WAN has no address', 'No lease came.', BY_HAND, config=WAN0, elsewhere=True,
           faults=(Do('router', 'ip addr flush dev wan0', back='ip addr add 81.2.69.7/24 dev wan0; ip route add default via '
                                                              '81.2.69.254'),), findings=('wan-no-address',),
           broken=dict(NOT_OUT, **{'inet tcp 80': 'nobody'})),
    Router('the WAN is not there', 'The PPPoE session ended and does not come back.', BY_HAND.replace('wan0', 'ppp0'),
           parts=('ppp',), config={'wans': [{'interface': 'ppp0'}]}, elsewhere=True, lasting=True,
           faults=(Do('router', 'ip link del ppp0'),), findings=('wan-missing',),
           broken=dict(NOT_OUT, **{'inet tcp 80': 'nobody'})),
    Router('CGNAT', 'No port forward has ever worked here.', FRONT, parts=('cgn',), born=True, lasting=True, elsewhere=True,
           findings=('cgnat',), broken={'inet tcp 80': 'nobody'}),
    Router('a VPN is the default route', 'Since all our traffic goes through the tunnel nobody reaches the server.',
           BY_HAND.replace('oifname "wan0"', 'oifname { "wan0", "wan1" }'), parts=('wan1',), setup=BCP38, config=WAN0,
           elsewhere=True, faults=(Do('router', 'ip route replace default via 82.3.70.254', back='ip route replace default via '
                                     '81.2.69.254'),), findings=('answer-astray',), broken={'inet tcp 80': 'nobody'}),
    Router("double NAT, and nobody has told the outer address", "The WAN's own address stands in the rule, as the guide says.",
           FRONT, parts=('front',), elsewhere=True, findings=('double-nat',), broken={'lan tcp 80': 'box'},
           faults=(cut('ip daddr 81.2.69.7 tcp dport 80 dnat to 192.168.1.2 comment "hairpin web"'),)),
]

FILES = [
    Router('the tag is lost at the next reload', 'The rule was tagged in the kernel, the file was not.', BY_HAND, quiet=True,
           asks=WEB_AND_VOICE, files={'/etc/nftables.conf': LINES + BY_HAND},
           faults=(File('/etc/nftables.conf', ' comment "hairpin web"', ''),), findings=('comment-lost',)),
    Router('the tag is lost in an included file', 'The forwards have a file of their own.', INET, quiet=True,
           files={'/etc/nftables.conf': LINES + 'include "/etc/nftables.d/*.nft"\n',
                  '/etc/nftables.d/20-forwards.nft': BY_HAND.replace('table ip nat', 'table ip other')},
           faults=(Do('router', 'nft -f /etc/nftables.d/20-forwards.nft'),
                   File('/etc/nftables.d/20-forwards.nft', ' comment "hairpin voip"', '')), findings=('comment-lost',)),
    Router("the tag is lost in rules.v4", 'iptables-save was called before the comment was there.', '', iptables=IPTABLES,
           quiet=True, files={'/etc/iptables/rules.v4': IPTABLES},
           faults=(File('/etc/iptables/rules.v4', ' -m comment --comment "hairpin web"', ''),), findings=('comment-lost',)),
    Router('a hook that others may write', 'chmod 777 helps always.', BY_HAND, quiet=True,
           config=dict(WAN0, hooks={'directory': '/etc/hairpind/hooks.d'}), files={HOOK: '#!/bin/sh\nexit 0\n'},
           faults=(Do('router', f'chmod 777 {HOOK}'),), findings=('hook-refused',)),
]

AROUND = SWITCHES + SERVERS + UPLINKS + FILES
