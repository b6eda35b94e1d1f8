# SPDX-License-Identifier: GPL-2.0-or-later
"""Rulesets of routers that work, as different hands and programs write them. doctor_broken.py breaks them.

81.2.69.7 is the address that the WAN has today; 81.2.69.5 is the one of last week, a stranger's now.
"""

RETURN_PATH = 'iifname "br0" oifname "br0" ct status dnat masquerade'

BY_HAND = '''
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 81.2.69.7 tcp dport { 80, 443 } counter dnat to 192.168.1.2 comment "hairpin web"
		ip daddr 81.2.69.7 udp dport 5000 counter dnat to 192.168.1.2 comment "hairpin voip"
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan0" masquerade
		iifname "br0" oifname "br0" ct status dnat masquerade
	}
}
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		iifname { "lo", "br0" } accept
		meta l4proto { icmp, ipv6-icmp } accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname "br0" accept
		ct status dnat accept
	}
}
'''

# One table for everything, networks in a set, the public address in another.
INET = '''
table inet home {
	set lan4 {
		type ipv4_addr; flags interval
		elements = { 192.168.1.0/24 }
	}
	set wan4 {
		type ipv4_addr; comment "hairpin"
		elements = { 81.2.69.7 }
	}
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr @wan4 tcp dport 80 dnat ip to 192.168.1.2
		ip daddr @wan4 tcp dport 2223 dnat ip to 192.168.1.2:2222
		ip daddr @wan4 tcp dport 7000-7010 dnat ip to 192.168.1.2
	}
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr @lan4 oifname "wan0" masquerade
		ip saddr @lan4 ip daddr @lan4 ct status dnat masquerade
	}
}
'''

# Every forward is an element.
MAP = '''
table ip forwards {
	map services {
		type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
		elements = { 81.2.69.7 . tcp . 80 comment "hairpin web" : 192.168.1.2 . 80,
			     81.2.69.7 . tcp . 2223 comment "hairpin ssh" : 192.168.1.2 . 2222,
			     81.2.69.7 . udp . 5000 comment "hairpin voip" : 192.168.1.2 . 5000 }
	}
	chain prerouting {
		type nat hook prerouting priority -100; policy accept;
		dnat ip to ip daddr . meta l4proto . th dport map @services
	}
	chain postrouting {
		type nat hook postrouting priority 100; policy accept;
		ip saddr 192.168.1.0/24 ip daddr 192.168.1.0/24 ct status dnat masquerade
		ip saddr 192.168.1.0/24 oifname != "br0" masquerade
	}
}
'''

# No address at all: whatever is ours, but the LAN's own.
FIB = '''
table inet nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr != 192.168.1.1 fib daddr type local tcp dport { 80, 443 } dnat ip to 192.168.1.2
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan0" masquerade
		iifname "br0" oifname "br0" ct status dnat masquerade
	}
}
'''

IPTABLES = '''
*nat
:PREROUTING ACCEPT
:POSTROUTING ACCEPT
-A PREROUTING -d 81.2.69.7/32 -p tcp -m multiport --dports 80,443 -m comment --comment "hairpin web" -j DNAT --to-destination 192.168.1.2
-A PREROUTING -d 81.2.69.7/32 -p udp -m udp --dport 5000 -m comment --comment "hairpin voip" -j DNAT --to-destination 192.168.1.2
-A POSTROUTING -o wan0 -j MASQUERADE
-A POSTROUTING -s 192.168.1.0/24 -d 192.168.1.2/32 -j MASQUERADE
COMMIT
*filter
:INPUT ACCEPT
:FORWARD DROP
:OUTPUT ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i br0 -j ACCEPT
-A FORWARD -d 192.168.1.2/32 -p tcp -m multiport --dports 80,443 -j ACCEPT
-A FORWARD -d 192.168.1.2/32 -p udp -m udp --dport 5000 -j ACCEPT
COMMIT
'''

# fw4 of OpenWrt: a redirect "web" with reflection, zones lan and wan.
FW4 = '''
table inet fw4 {
	chain input {
		type filter hook input priority filter; policy drop;
		iif "lo" accept comment "!fw4: Accept traffic from loopback"
		ct state vmap { established : accept, related : accept } comment "!fw4: Handle inbound flows"
		iifname "br0" jump input_lan comment "!fw4: Handle lan IPv4/IPv6 input traffic"
		iifname "wan0" jump input_wan comment "!fw4: Handle wan IPv4/IPv6 input traffic"
		jump handle_reject
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state vmap { established : accept, related : accept } comment "!fw4: Handle forwarded flows"
		iifname "br0" jump forward_lan comment "!fw4: Handle lan IPv4/IPv6 forward traffic"
		iifname "wan0" jump forward_wan comment "!fw4: Handle wan IPv4/IPv6 forward traffic"
		jump handle_reject
	}
	chain output {
		type filter hook output priority filter; policy accept;
		oif "lo" accept comment "!fw4: Accept traffic towards loopback"
		ct state vmap { established : accept, related : accept } comment "!fw4: Handle outbound flows"
	}
	chain prerouting {
		type filter hook prerouting priority filter; policy accept;
		iifname "br0" jump helper_lan comment "!fw4: Handle lan IPv4/IPv6 helper assignment"
	}
	chain handle_reject {
		meta l4proto tcp reject with tcp reset comment "!fw4: Reject TCP traffic"
		reject with icmpx type port-unreachable comment "!fw4: Reject any other traffic"
	}
	chain input_lan {
		ct status dnat accept comment "!fw4: Accept port redirections"
		jump accept_from_lan
	}
	chain forward_lan {
		jump accept_to_wan comment "!fw4: Accept lan to wan forwarding"
		ct status dnat accept comment "!fw4: Accept port forwards"
		jump accept_to_lan
	}
	chain helper_lan {
	}
	chain accept_from_lan {
		iifname "br0" counter accept comment "!fw4: accept lan IPv4/IPv6 traffic"
	}
	chain accept_to_lan {
		oifname "br0" counter accept comment "!fw4: accept lan IPv4/IPv6 traffic"
	}
	chain input_wan {
		meta nfproto ipv4 udp dport 68 counter accept comment "!fw4: Allow-DHCP-Renew"
		icmp type echo-request counter accept comment "!fw4: Allow-Ping"
		ct status dnat accept comment "!fw4: Accept port redirections"
		jump reject_from_wan
	}
	chain forward_wan {
		ct status dnat accept comment "!fw4: Accept port forwards"
		jump reject_to_wan
	}
	chain accept_to_wan {
		meta nfproto ipv4 oifname "wan0" ct state invalid counter drop comment "!fw4: Prevent NAT leakage"
		oifname "wan0" counter accept comment "!fw4: accept wan IPv4/IPv6 traffic"
	}
	chain reject_from_wan {
		iifname "wan0" counter jump handle_reject comment "!fw4: reject wan IPv4/IPv6 traffic"
	}
	chain reject_to_wan {
		oifname "wan0" counter jump handle_reject comment "!fw4: reject wan IPv4/IPv6 traffic"
	}
	chain dstnat {
		type nat hook prerouting priority dstnat; policy accept;
		iifname "br0" jump dstnat_lan comment "!fw4: Handle lan IPv4/IPv6 dstnat traffic"
		iifname "wan0" jump dstnat_wan comment "!fw4: Handle wan IPv4/IPv6 dstnat traffic"
	}
	chain srcnat {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "br0" jump srcnat_lan comment "!fw4: Handle lan IPv4/IPv6 srcnat traffic"
		oifname "wan0" jump srcnat_wan comment "!fw4: Handle wan IPv4/IPv6 srcnat traffic"
	}
	chain dstnat_lan {
		ip saddr 192.168.1.0/24 ip daddr 81.2.69.7 tcp dport 80 dnat ip to 192.168.1.2:80 comment "!fw4: web (reflection)"
	}
	chain srcnat_lan {
		ip saddr 192.168.1.0/24 ip daddr 192.168.1.2 tcp dport 80 snat ip to 192.168.1.1 comment "!fw4: web (reflection)"
	}
	chain dstnat_wan {
		meta nfproto ipv4 tcp dport 80 counter dnat ip to 192.168.1.2:80 comment "!fw4: web"
	}
	chain srcnat_wan {
		meta nfproto ipv4 masquerade comment "!fw4: Masquerade IPv4 wan traffic"
	}
	chain mangle_forward {
		type filter hook forward priority mangle; policy accept;
		iifname "wan0" tcp flags & (fin | syn | rst) == syn tcp option maxseg size set rt mtu comment "!fw4: Zone wan IPv4/IPv6 ingress MTU fixing"
		oifname "wan0" tcp flags & (fin | syn | rst) == syn tcp option maxseg size set rt mtu comment "!fw4: Zone wan IPv4/IPv6 egress MTU fixing"
	}
}
'''

# VyOS: rule 10 for the WAN, rule 20 for the LAN, with the destination that the manual forgets.
VYOS = '''
table ip vyos_nat {
	chain PREROUTING {
		type nat hook prerouting priority dstnat; policy accept;
		counter jump VYOS_PRE_DNAT_HOOK
		iifname "wan0" tcp dport 80 counter dnat to 192.168.1.2 comment "DST-NAT-10"
		iifname "br0" ip daddr 81.2.69.7 tcp dport 80 counter dnat to 192.168.1.2 comment "DST-NAT-20"
	}
	chain POSTROUTING {
		type nat hook postrouting priority srcnat; policy accept;
		counter jump VYOS_PRE_SNAT_HOOK
		oifname "wan0" ip saddr 192.168.1.0/24 counter masquerade comment "SRC-NAT-100"
		oifname "br0" ip saddr 192.168.1.0/24 tcp dport 80 counter masquerade comment "SRC-NAT-110"
	}
	chain VYOS_PRE_DNAT_HOOK {
		return
	}
	chain VYOS_PRE_SNAT_HOOK {
		return
	}
}
table ip vyos_filter {
	chain VYOS_FORWARD_filter {
		type filter hook forward priority filter; policy accept;
		ct state established accept comment "FWD-filter-5"
		counter accept comment "FWD-filter default-action accept"
	}
}
'''

FIREWALLD = '''
table inet firewalld {
	chain mangle_PREROUTING {
		type filter hook prerouting priority mangle + 10; policy accept;
		jump mangle_PREROUTING_ZONES
	}
	chain mangle_PREROUTING_ZONES {
		return
	}
	chain nat_PREROUTING {
		type nat hook prerouting priority dstnat + 10; policy accept;
		jump nat_PREROUTING_ZONES
	}
	chain nat_PREROUTING_ZONES {
		iifname "wan0" goto nat_PRE_external
		iifname "br0" goto nat_PRE_internal
		goto nat_PRE_public
	}
	chain nat_POSTROUTING {
		type nat hook postrouting priority srcnat + 10; policy accept;
		jump nat_POSTROUTING_ZONES
	}
	chain nat_POSTROUTING_ZONES {
		oifname "wan0" goto nat_POST_external
		oifname "br0" goto nat_POST_internal
		goto nat_POST_public
	}
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		ct state invalid drop
		ip6 daddr { ::/96, ::ffff:0.0.0.0/96, 2002::/24 } reject with icmpv6 addr-unreachable
		jump filter_FORWARD_ZONES
		reject with icmpx admin-prohibited
	}
	chain filter_FORWARD_ZONES {
		iifname "wan0" goto filter_FWD_external
		iifname "br0" goto filter_FWD_internal
		goto filter_FWD_public
	}
	chain filter_FWD_external {
		reject with icmpx admin-prohibited
	}
	chain filter_FWD_internal {
		oifname { "wan0", "br0" } accept
		reject with icmpx admin-prohibited
	}
	chain filter_FWD_public {
		reject with icmpx admin-prohibited
	}
	chain nat_PRE_external {
		jump nat_PRE_external_pre
		jump nat_PRE_external_allow
		jump nat_PRE_external_post
	}
	chain nat_PRE_external_pre {
	}
	chain nat_PRE_external_allow {
		meta nfproto ipv4 tcp dport 80 dnat ip to 192.168.1.2:80
	}
	chain nat_PRE_external_post {
	}
	chain nat_PRE_internal {
		jump nat_PRE_internal_allow
	}
	chain nat_PRE_internal_allow {
		ip daddr 81.2.69.7 tcp dport 80 dnat ip to 192.168.1.2:80
	}
	chain nat_PRE_public {
	}
	chain nat_POST_external {
		jump nat_POST_external_allow
	}
	chain nat_POST_external_allow {
		meta nfproto ipv4 oifname != "lo" masquerade
	}
	chain nat_POST_internal {
		jump nat_POST_internal_allow
	}
	chain nat_POST_internal_allow {
		ip saddr 192.168.1.0/24 ip daddr 192.168.1.2 oifname != "lo" masquerade
	}
	chain nat_POST_public {
	}
}
'''

# Behind the provider's box: one rule for the address that the world sees, its twin for what comes in by wan0.
FRONT = '''
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 81.2.69.7 tcp dport 80 dnat to 192.168.1.2 comment "hairpin web"
		iifname "wan0" tcp dport 80 dnat to 192.168.1.2 comment "web, from outside"
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan0" masquerade
		iifname "br0" oifname "br0" ct status dnat masquerade
	}
}
'''

# Two uplinks: what came in by wan1 is answered by it.
WANS = '''
table inet home {
	chain uplinks {
		type filter hook prerouting priority mangle; policy accept;
		iifname "wan1" ct state new ct mark set 2
		iifname "br0" meta mark set ct mark
	}
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 81.2.69.7 tcp dport 80 dnat ip to 192.168.1.2 comment "hairpin:wan0 web"
		ip daddr 82.3.70.7 tcp dport 80 dnat ip to 192.168.1.2 comment "hairpin:wan1 web"
	}
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		oifname { "wan0", "wan1" } masquerade
		iifname "br0" oifname "br0" ct status dnat masquerade
	}
}
'''

# IPv6: a forward of the old kind, and a pinhole for a server that has an address of its own.
SIX = '''
table inet home {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 81.2.69.7 tcp dport 80 dnat ip to 192.168.1.2 comment "hairpin web"
		ip6 daddr 2a01:4f8:1::7 tcp dport 80 dnat ip6 to fd00::2 comment "hairpin web"
	}
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		meta nfproto ipv4 oifname "wan0" masquerade
		iifname "br0" oifname "br0" ct status dnat masquerade
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname "br0" accept
		ct status dnat accept
		ip6 daddr 2a01:4f8:a001:1::2 tcp dport 443 accept comment "hairpin6 web"
	}
}
'''
