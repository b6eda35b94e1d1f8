# SPDX-License-Identifier: GPL-2.0-or-later
"""Random rules over nft's grammar. A rule is a text with marks (MARK) where the WAN's address may stand; what
stands there and what becomes of it is the model's affair."""

import re

MARK = re.compile('\x02([0-9]+)\x02')

# Matches that name no destination address: (needs, text). `needs`: family of the packet, transport, or kind of the
# chain where it makes sense; '' always.
NOISE = [
    ('', 'iifname "{name}"'), ('', 'iifname { "{name}", "{name}" }'), ('', 'oifname != "{name}"'),
    ('', 'iifname "{name}*"'), ('', 'iif "lo"'), ('', 'iif != "lo"'), ('', 'iifgroup 0'), ('', 'iiftype ether'),
    ('', 'meta mark 0x{hex}'), ('', 'meta mark and 0xff00 == 0x{hex}'), ('', 'meta mark != { 0, {n}-{m} }'),
    ('', 'mark {n}-{m}'), ('', 'meta length 40-1500'), ('', 'meta length { 100, 200-300 }'), ('', 'meta priority 1:2'),
    ('', 'meta skuid 0'), ('', 'meta skgid { 0, 1-5 }'), ('', 'meta rtclassid 5'), ('', 'meta cpu 0'),
    ('', 'meta pkttype unicast'), ('', 'meta cgroup 1'), ('', 'meta ipsec missing'), ('', 'meta day "Monday"'),
    ('', 'meta hour "08:00"-"17:00"'), ('', 'meta time < "2030-01-01 00:00:00"'), ('', 'meta l4proto { tcp, udp }'),
    ('', 'meta l4proto != icmp'), ('', 'ct state new,established'), ('', 'ct state vmap { invalid : continue, '
     'established : continue }'), ('', 'ct direction original'), ('', 'ct status snat,dnat'), ('', 'ct mark 0x{hex}'),
    ('', 'ct mark and 0xf == 0x1'), ('', 'ct mark { 0, {n}-{m} }'), ('', 'ct expiration 30s-5m'), ('', 'ct helper "ftp"'),
    ('', 'ct label 3'), ('', 'ct zone {n}'), ('', 'ct original zone {n}'), ('', 'ct id {n}'),
    ('', 'ct original packets > {n}'), ('', 'ct bytes < {n}'), ('', 'ct avgpkt > {n}'), 
    ('', 'ct count over {n}'), ('', 'fib daddr type local'), ('', 'fib saddr . iif oif exists'),
    ('', 'fib saddr oif "lo"'), ('', 'fib daddr . mark type { local, broadcast }'), ('', 'socket transparent 1'),
    ('', 'socket mark 0x{hex}'), ('', 'socket wildcard 0'), ('', 'numgen inc mod 4 0'), ('', 'numgen random mod 10 offset 3 < 5'),
    ('', 'numgen inc mod 3 vmap { 0 : continue, 1-2 : continue }'), ('', 'symhash mod 2 0'), ('', 'limit rate {n}/second'),
    ('', 'limit rate over {n} kbytes/minute burst 7 kbytes'), ('', 'limit rate 400/hour burst 9 packets'),
    ('', 'quota over {n} mbytes used {n} bytes'), ('', 'quota {n} kbytes'), ('', 'counter packets {n} bytes {m}'),
    ('', 'counter'), ('', 'log prefix "{word} {ip}" level info flags all'), ('', 'log group 3 snaplen 64 queue-threshold 4 prefix "x"'),
    ('', 'meta mark set 0x{hex}'), ('', 'ct mark set meta mark'), ('', 'meta nftrace set 1'), ('', 'ct mark set mark or 0x{hex}'),
    ('', 'meta priority set 0001:0002'), ('', 'meta mark set numgen inc mod 8'), ('', 'ct label set 5'),
    ('', 'ipsec in reqid {n}'), ('', 'ipsec out ip saddr {ip}'), ('', 'rt classid {n}'), ('', 'counter name "cnt"'),
    ('', 'quota name "quo"'), ('', 'limit name "lim"'), ('', 'meta protocol { ip, ip6 }'), ('', 'ether saddr {mac}'),
    ('', 'ether saddr { {mac}, {mac} }'), ('', 'meta mark { 0x{hex}, 0x{hex} } counter packets 7 bytes 700'),
    ('', 'iifname . oifname { "{name}" . "{name}" }'), ('', 'iifname . mark vmap { "{name}" . {n} : continue }'),
    ('', 'mark set mark map { {n} : {m} }'), ('', 'meta mark @marks'), ('', 'iifname @names'), ('', 'th dport {p}'),
    ('', 'meta l4proto . th dport { tcp . {p}, udp . {p} }'), ('', 'meta l4proto . th dport @services'),
    ('', 'th sport vmap { {p} : continue, 60001-65535 : continue }'), ('', '@th,16,16 {p}'), ('', '@th,0,32 0x{hex}'),
    ('', '@th,16,8 & 0xf0 == 0x10'), ('', 'meta mark . th dport { {n} . {p}, {m} . {p}-65000 }'),
    ('tcp', 'tcp dport {p}'), ('tcp', 'tcp dport { {p}, {p}, {p} }'), ('tcp', 'tcp dport {p}-65000'), ('tcp', 'tcp dport != {p}'),
    ('tcp', 'tcp dport != { {p}, {p} }'), ('tcp', 'tcp dport { {p}, {p}-65000 }'), ('tcp', 'tcp sport {p} tcp dport {p}'),
    ('tcp', 'tcp sport . tcp dport { {p} . {p} }'), ('tcp', 'tcp flags syn'), ('tcp', 'tcp flags & (fin|syn|rst) == syn'),
    ('tcp', 'tcp flags syn / syn,ack'), ('tcp', 'tcp flags { syn, syn|ack }'), ('tcp', 'tcp sequence {n}-{m}'), ('tcp', 'tcp window > {n}'),
    ('tcp', 'tcp doff 5'), ('tcp', 'tcp option maxseg size 1400-1460'), ('tcp', 'tcp option sack-permitted exists'),
    ('tcp', 'tcp option timestamp missing'), ('tcp', 'tcp option window count { 1, 3-7 }'), ('tcp', 'tcp dport @ports'),
    ('tcp', 'tcp dport >= {p}'), ('tcp', 'tcp dport & 1 == 1'), ('tcp', 'counter name tcp dport map { {p} : "cnt", {p} : "cnt2" }'),
    ('tcp', 'counter name tcp dport map @objects'), ('tcp', 'tcp dport vmap { {p} : continue, {p} : continue }'),
    ('tcp', 'tcp dport vmap @ways'), ('tcp', 'tcp dport { {p} comment "hairpin", {p} comment "not" }'),
    ('tcp', 'tcp option maxseg size set 1400'), ('tcp', 'tcp option maxseg size set rt mtu'), ('tcp', 'osf name "Linux"'),
    ('tcp', 'osf ttl loose name "Linux"'), 
    ('tcp', 'tcp sport . th dport vmap { {p} . {p} : continue }'),
    ('udp', 'udp dport {p}'), ('udp', 'udp dport { {p}, {p} }'), ('udp', 'udp sport {p}-65000'), ('udp', 'udp length 8-1000'),
    ('udp', 'udp checksum 0'), ('udplite', 'udplite dport {p}'), ('udplite', 'udplite checksum {n}'), ('sctp', 'sctp dport {p}'),
    ('sctp', 'sctp vtag {n}'), ('sctp', 'sctp chunk init exists'), ('dccp', 'dccp dport {p}'), ('dccp', 'dccp type request'),
    ('ah', 'ah spi {n}'), ('ah', 'ah sequence {n}-{m}'), ('esp', 'esp spi { {n}, {m} }'), ('comp', 'comp cpi {p}'),
    ('icmp', 'icmp type echo-request'), ('icmp', 'icmp type { echo-reply, echo-request } icmp id {n}'), ('icmp', 'icmp code 0'),
    ('icmpv6', 'icmpv6 type echo-request'), ('icmpv6', 'icmpv6 id {n}'), ('icmpv6', 'icmpv6 type { echo-request, nd-redirect }'),
    ('ip', 'ip saddr {ip}'), ('ip', 'ip saddr != {ip}'), ('ip', 'ip saddr {ip}/24'), ('ip', 'ip saddr {ip}/23'),
    ('ip', 'ip saddr 10.0.0.0-10.9.9.9'), ('ip', 'ip saddr { {ip}, {ip}, 11.0.0.0/8 }'), ('ip', 'ip saddr { {ip}, {ip} }'),
    ('ip', 'ip saddr & 255.255.0.255 == 10.0.0.1'), ('ip', 'ip saddr @lan4'), ('ip', 'ip saddr != @lan4'), ('ip', 'ip saddr . meta mark { {ip} . {n} }'),
    ('ip', 'ip ttl 64'), ('ip', 'ip ttl > 10'), ('ip', 'ip dscp cs1'), ('ip', 'ip dscp { cs0, af21 }'), ('ip', 'ip ecn ce'),
    ('ip', 'ip length 20-1500'), ('ip', 'ip id {n}'), ('ip', 'ip frag-off & 0x1fff == 0'), ('ip', 'ip version 4'),
    ('ip', 'ip hdrlength 5'), ('ip', 'ip protocol { tcp, udp }'), ('ip', 'ip checksum {n}'), ('ip', 'ip option rr exists'),
    ('ip', '@nh,96,32 0x{hex}'), ('ip', '@nh,64,8 > 5'), ('ip', 'ct original ip saddr {ip}'), ('ip', 'ct reply ip saddr {ip}'),
    ('ip', 'ct reply ip daddr { {ip}, {ip} }'), ('ip', 'rt ip nexthop {ip}'), ('ip', 'jhash ip saddr mod 4 seed 0xdead == 1'),
    ('ip', 'jhash ip saddr . ip daddr mod 7 vmap { 0 : continue, 1-3 : continue }'), ('ip', 'ip ttl set 64'), ('ip', 'ip dscp set cs3'),
    ('ip', 'ip saddr vmap { {ip} : continue, 11.0.0.0/8 : continue }'), ('ip', 'meta mark set ip saddr map { {ip} : 0x{hex} }'),
    ('ip', 'update @seen4 { ip saddr timeout 10s }'), ('ip', 'add @seen4 { ip saddr timeout 1m limit rate 3/second }'),
    ('ip', 'meter {name} { ip saddr limit rate 5/second }'), ('ip', 'ip saddr . ip ttl { {ip} . 64, {ip} . 1-5 }'),
    ('ip', 'ip saddr @auto'), ('ip', 'ip saddr . tcp dport @pairs'), ('ip', 'ip protocol . ip saddr vmap { tcp . {ip} : continue }'),
    ('ip6', 'ip6 saddr {ip6}'), ('ip6', 'ip6 saddr {ip6}/64'), ('ip6', 'ip6 saddr != {ip6}'), ('ip6', 'ip6 saddr { {ip6}, {ip6}, fd00::/8 }'),
    ('ip6', 'ip6 saddr 2001:db8::-2fff::'), ('ip6', 'ip6 flowlabel {n}'), ('ip6', 'ip6 hoplimit { 1, 64-255 }'), ('ip6', 'ip6 nexthdr != 50'),
    ('ip6', 'ip6 dscp cs1'), ('ip6', 'ip6 ecn ce'), ('ip6', 'ip6 length > {n}'), ('ip6', 'ip6 version 6'), ('ip6', 'exthdr hbh exists'),
    ('ip6', 'frag more-fragments 1'), ('ip6', 'frag id {n}'), ('ip6', 'rt type 0'), ('ip6', 'rt hdrlength 2'), ('ip6', 'hbh nexthdr 60'),
    ('ip6', 'dst hdrlength 3'), ('ip6', 'mh type binding-update'), ('ip6', 'ip6 saddr & ::ffff:ffff == ::1'), ('ip6', 'ip6 saddr @lan6'),
    ('ip6', 'ct original ip6 saddr {ip6}'), ('ip6', 'jhash ip6 saddr mod 4 2'), ('ip6', 'rt ip6 nexthop {ip6}'), ('ip6', 'ip6 hoplimit set 64'),
    ('ip6', '@nh,64,64 0x{hex}'), ('ip6', 'update @seen6 { ip6 saddr }'), ('ip6', 'ip6 saddr . th dport { {ip6} . {p} }'),
    ('ip6', 'ip6 saddr vmap { {ip6} : continue }'), ('ip6', 'ip6 nexthdr . ip6 saddr { tcp . {ip6} }'),
]
# Where the kernel takes them; elsewhere they would be refused.
HOOKS = {'meta ipsec': ('prerouting', 'input'), 'fib saddr': ('prerouting', 'input'), 'ipsec in': ('prerouting', 'input'),
         'osf ': ('prerouting', 'input'), 'ipsec out': ('output', 'postrouting'), 'socket ': ('prerouting', 'input', 'output'),
         'tcp option maxseg size set rt': ('output', 'postrouting')}
TRANSPORTS = ('tcp', 'udp', 'udplite', 'sctp', 'dccp', 'ah', 'esp', 'comp', 'icmp', 'icmpv6')
ENDS = ['accept', 'return', 'continue', 'counter', 'drop', 'jump side', 'goto side',
        'jump { ip{six} saddr {lan} accept; counter; }', 'counter packets {n} bytes {m} accept']
FILTER_ENDS = ENDS + ['reject', 'reject with icmpx type admin-prohibited', 'notrack']
DNATS = ['dnat {to} {lan}', 'dnat {to} {lan}:{p}', 'dnat {to} {lan}-{lanend}', 'dnat {to} {lan}:{p}-65000',
         'dnat {to} {lan} random', 'dnat {to} {lan} persistent,fully-random', 'redirect', 'redirect to :{p}',
         'redirect to :{p}-65000 random', 'redirect to :{l4} dport map { {p} : {p}, {p} : {p} }',
         'dnat {to} numgen inc mod 2 map { 0 : {lan}, 1 : {lan2} }', 'dnat {to} {l4} dport map { {p} : {lan}, {p} : {lan2} }',
         'dnat {to} ip{six} saddr map { {other} : {lan}, {other2} : {lan2} }', 'dnat {to} jhash ip{six} saddr mod 2 map { 0 : {lan}, 1 : {lan2} }',
         'dnat {to} ip{six} saddr . {l4} dport map { {other} . {p} : {lan} . {p} }', 'dnat {to} {l4} dport map @forwards{v}',
         'dnat {to} meta mark map { {n} : {lan}, {n} : {lan2} }', 'dnat {to} symhash mod 2 map { 0 : {lan}, 1 : {lan2} }']
SOURCES = ['masquerade', 'masquerade to :1024-2000 random', 'masquerade persistent', 'snat {to} {lan}', 'snat {to} {lan}-{lanend}',
           'snat {to} {lan}:{p}-65000', 'snat {to} ip{six} saddr map { {other} : {lan} }', 'snat {to} numgen random mod 2 map { 0 : {lan}, 1 : {lan2} }']


class Words:
    """Fills templates."""

    def __init__(self, random):
        self.random = random

    def fill(self, template, **more):
        return re.sub(r'\{([a-z][a-z0-9]*)\}', lambda found: more[found[1]] if found[1] in more
                      else str(getattr(self, found[1])()), template)

    def n(self):
        return self.random.randint(1, 900)

    def m(self):
        return self.random.randint(1000, 60000)

    def p(self):
        return self.random.randint(1, 60000)

    def hex(self):
        return f'{self.random.randint(1, 0x7fffffff):08x}'

    def mac(self):
        return '02:' + ':'.join(f'{self.random.randint(0, 255):02x}' for _ in range(5))

    def name(self):
        return self.random.choice(('eth', 'ppp', 'br', 'wan', 'wg')) + str(self.random.randint(0, 99))

    def word(self):
        return self.random.choice(('hairpin', 'web', 'mail', 'dns', 'x'))

    def ip(self):
        """Not a destination: whatever it is, it stays, be it the WAN's own."""
        return self.random.choice(self.foreign4)

    def ip6(self):
        return self.random.choice(self.foreign6)

    foreign4 = ['10.0.0.1', '192.168.1.7', '8.8.8.8', '203.0.113.1', '198.51.100.7', '0.0.0.0', '172.16.5.4']
    foreign6 = ['fd00::1', '2001:db8::1', '2001:db8:ffff::7', 'fe80::1', '2620:fe::fe']


def noise(words, family, transport, l3, hook):
    """One match or statement that says nothing of the destination; '' where the dice fell badly."""
    for _ in range(20):
        needs, template = words.random.choice(NOISE)
        if needs in TRANSPORTS and needs != transport or needs in ('ip', 'ip6') and needs != l3:
            continue
        if any(template.startswith(start) and hook not in hooks for start, hooks in HOOKS.items()):
            continue
        if family != 'inet' and template.startswith('meta protocol'):
            continue
        return words.fill(template)
    return ''
