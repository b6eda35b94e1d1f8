# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of forms in which a rule can name the WAN's address, for test_forms.py.

Each form stands in the ruleset with ports of its own, once a family. In its text: $wan the address,
$hex the same as digits, $other a foreign one, $server the LAN's server, $to it with port $q, $p the port (tcp
unless the form says so) and $q the next one, $dnat and $snat the statement, $ip and $type the family's words,
$note the tagged comment, $net a foreign network, $zero what is 0.0.0.0 at first. The chain to_server does
dnat to the server.
"""

import string
from dataclasses import dataclass

FIRST, SECOND = ('81.2.69.7', '2a01:4f8:1::7'), ('81.2.69.8', '2a01:4f8:1::8')
OTHER = ('198.51.100.9', '2001:db8::9')
SERVERS = ('192.168.1.2', 'fd00::2')
STRANGERS = ('45.11.1.80', '2a01:4f8:9::53')
ROUTERS = ('192.168.1.1', 'fd00::1')
FAMILIES = {'ip': 0, 'inet': 0, 'ip6': 1, 'inet6': 1, 'iptables': 0, 'ip6tables': 1, 'own': 0, 'owned': 0}
NFT, V4, V6, BOTH = ('ip', 'inet', 'ip6', 'inet6'), ('ip', 'inet'), ('ip6', 'inet6'), ('ip', 'ip6')
XT = ('iptables', 'ip6tables')


@dataclass
class Form:
    name: str
    pre: str = ''			# prerouting
    post: str = ''			# postrouting; such a form is without the common return path
    more: str = ''			# sets, maps, chains
    families: tuple = NFT
    proto: str = 'tcp'
    gate: bool = False			# `pre` names no port: it stands behind a jump that does
    # Who answers: before the daemon, with it at the first address, at the second one, and at the address
    # that the WAN had last.
    early: str = 'server'
    home: str = 'server'
    away: str = 'server'
    former: str = 'stranger'		# at the second address, asked at the first
    returned: str = 'stranger'		# at the first one again, asked at the second
    clients: tuple = ('lan', 'inet')	# the first one asks the address that the WAN had last, too
    peer: str = ''			# whom the server sees when the LAN asks: 'wan', 'router'
    outwards: bool = False		# the LAN asks the stranger; the form names its source
    answers_at: int = 0			# added to $p
    reason: str = ''			# part of why it is left alone
    follows: bool = True		# $wan in a listing becomes the new address
    may_lack: str = ''			# what some kernels do not have


def plain(name, pre, **more):
    """A form with a dnat to the server at its end."""
    return Form(name, pre + ' $dnat $server $note', **more)


def untagged(name, **more):
    """The same without the tag, for forms that have it elsewhere."""
    return Form(name, more.pop('pre', '$ip daddr $wan tcp dport $p') + ' $dnat $server', **more)


STAYS = dict(follows=False, away='router', former='server')

FORMS = [
    # A. addresses that are compared
    plain('tcp', '$ip daddr $wan tcp dport $p'),
    plain('udp', '$ip daddr $wan udp dport $p', proto='udp'),
    plain('the address alone', '$ip daddr $wan', gate=True),
    plain('the address last', 'tcp dport $p ct state new $ip daddr $wan'),
    plain('among other matches', 'iifname != "lo" $ip saddr != $other $ip daddr $wan meta mark 0 tcp dport $p '
          'counter'),
    plain('behind statements', 'counter meta l4proto tcp th dport $p limit rate 9/second burst 99 packets $ip daddr $wan '
          'counter'),
    plain('behind a set of ports', 'tcp dport { $p, 9 } $ip daddr $wan'),
    Form('before a verdict map of ports', '$ip daddr $wan tcp dport vmap { $p : goto to_server } $note'),
    Form('merged with the source', '$nfproto4 @nh,96,64 0xc0a8010a$hex tcp dport $p $dnat $server $note\n'
         '$nfproto4 @nh,96,64 0x2d0b0150$hex tcp dport $p $dnat $server $note', families=V4),
    plain('nothing yet (0.0.0.0)', '$ip daddr $zero tcp dport $p', early='router'),
    plain('ct original', 'ct original $ip daddr $wan tcp dport $p'),
    Form('dnat to another port', '$ip daddr $wan tcp dport $p $dnat $to $note', answers_at=1),
    Form('dnat beside another address', '$ip saddr != { $other, $server } $ip daddr $wan tcp dport $p $dnat $to $note',
         answers_at=1),
    Form('redirect', '$ip daddr $wan tcp dport $p redirect to :$q $note', early='router', home='router',
         away='router', answers_at=1),
    Form('jump from prerouting', '$ip daddr $wan tcp dport $p jump to_server $note'),
    Form('goto from prerouting', 'tcp dport $p $ip daddr $wan goto to_server $note'),
    Form('in a chain that is reached by a jump', 'tcp dport $p jump below_$p', more='''
	chain below_$p { $ip daddr $wan tcp dport $p $dnat $server $note; }'''),

    # B. sets of the rule itself
    plain('anonymous set', '$ip daddr { $wan, $other } tcp dport $p'),
    plain('anonymous set beside one of ports', 'tcp dport { $p, 9 } $ip daddr { $other, $wan }'),
    plain('ct original in an anonymous set', 'ct original $ip daddr { $wan, $other } tcp dport $p'),
    plain('interval set', '$ip daddr { $wan, $net } tcp dport { $p-$q, 9 }'),
    plain('concatenation', '$ip daddr . tcp dport { $wan . $p, $other . 9, $other . $p }'),
    plain('concatenation of intervals', '$ip daddr . tcp dport { $wan . $p-$q, $net . 9-10 }'),
    plain('concatenation, the address last', 'tcp dport . $ip daddr { $p . $wan, 9 . $other }'),
    Form('verdict map', '$ip daddr vmap { $wan : jump to_server, $other : drop } $note', gate=True),
    Form('verdict map of a concatenation', '$ip daddr . tcp dport vmap { $wan . $p : jump to_server, $other . 9 : drop } '
         '$note'),
    Form('data map', '$dnat $ip daddr map { $wan : $server, $other : $other } $note', gate=True),
    Form('data map of a concatenation', '$dnat $ip daddr . tcp dport map { $wan . $p : $server, $other . 9 : $other } $note'),
    Form('data map of address and port', '$dnatmap $ip daddr . tcp dport map { $wan . $p : $server . $q, '
         '$other . 9 : $other . 9 } $note', answers_at=1),

    # C. named sets and maps: the comment of the thing, or of one element
    untagged('named set, one element', pre='$ip daddr @set_$p tcp dport $p', more='''
	set set_$p { type $type; $note; elements = { $wan } }'''),
    plain('named set, set and rule tagged', '$ip daddr @set_$p tcp dport $p', more='''
	set set_$p { type $type; $note; elements = { $wan, $other } }'''),
    untagged('named set, several', pre='$ip daddr @set_$p tcp dport $p', more='''
	set set_$p { type $type; $note; elements = { $wan, $other } }'''),
    untagged('named interval set', pre='$ip daddr @set_$p tcp dport $p', more='''
	set set_$p { type $type; flags interval; $note; elements = { $wan, $net } }'''),
    untagged('named set with timeouts', pre='$ip daddr @set_$p tcp dport $p', more='''
	set set_$p { type $type; flags timeout; $note; elements = { $wan timeout 2h, $other timeout 1h } }'''),
    untagged('named set of a concatenation', pre='$ip daddr . tcp dport @set_$p', more='''
	set set_$p { type $type . inet_service; $note; elements = { $wan . $p, $other . 9 } }'''),
    Form('named map', '$dnat $ip daddr map @map_$p', gate=True, more='''
	map map_$p { type $type : $type; $note; elements = { $wan : $server, $other : $other } }'''),
    Form('named map of address and port', '$dnatmap $ip daddr . tcp dport map @map_$p', answers_at=1, more='''
	map map_$p { type $type . inet_service : $type . inet_service; $note
		elements = { $wan . $p : $server . $q, $other . 9 : $other . 9 }
	}'''),
    Form('named verdict map', '$ip daddr . tcp dport vmap @map_$p', more='''
	map map_$p { type $type . inet_service : verdict; $note
		elements = { $wan . $p : jump to_server, $other . 9 : drop }
	}'''),
    untagged('element of a shared set', pre='$ip daddr @set_$p tcp dport $p', more='''
	set set_$p { type $type; elements = { $wan $note, $other comment "another", 10.1.1.1 } }''', families=V4),
    untagged('element of a shared set ', pre='$ip daddr @set_$p tcp dport $p', more='''
	set set_$p { type $type; elements = { $wan $note, $other comment "another", fd11::1 } }''', families=V6),
    Form('element of a shared map', '$dnat $ip daddr map @map_$p', gate=True, more='''
	map map_$p { type $type : $type; elements = { $wan $note : $server, $other comment "another" : $other } }'''),
    Form('element of a shared verdict map', '$ip daddr . tcp dport vmap @map_$p', more='''
	map map_$p { type $type . inet_service : verdict
		elements = { $wan . $p $note : jump to_server, $other . 9 : drop }
	}'''),

    # D. the way back and the way out
    plain('snat to, the return path', '$ip daddr $wan tcp dport $p', post='iifname "br0" $ip daddr $server tcp dport $p '
         'counter $snat $wan $note', peer='wan'),
    Form('snat to, the way out', post='oifname "wan0" $ip daddr $stranger tcp dport $p $snat $wan $note',
         outwards=True, peer='wan'),
    plain('ct original before masquerade', '$ip daddr $wan tcp dport $p',
          post='iifname "br0" ct original $ip daddr $wan tcp dport $p counter masquerade $note', peer='router'),
    plain('masquerade that names the server', '$ip daddr $wan tcp dport $p',
          post='iifname "br0" $ip daddr $server tcp dport $p counter masquerade $note', peer='router'),

    # E. left alone
    plain('fib daddr type local', 'fib daddr type local tcp dport $p', reason="router's own"),
    plain('no destination', 'tcp dport $p', former='server', returned='server', reason='no destination address'),
    plain('negation', '$ip daddr != $wan tcp dport $p', follows=False, early='router', home='router',
          returned='server', reason='!='),
    plain('range', '$ip daddr $below-$wan tcp dport $p', **STAYS, reason='range'),
    plain('prefix', '$ip daddr $wan/$bits tcp dport $p', **STAYS, reason=''),
    plain('negated set', '$ip daddr != { $wan, $other } tcp dport $p', follows=False, early='router', home='router',
          returned='server', reason='excludes'),
    untagged('named set that is not tagged', pre='$ip daddr @set_$p tcp dport $p', more='''
	set set_$p { type $type; elements = { $wan, $other } }''', **STAYS),
    Form('not tagged', '$ip daddr $wan tcp dport $p $dnat $server comment "another"', **STAYS),
]

IPTABLES = [
    Form('-d', '-d $wan -p tcp -m tcp --dport $p $note -j DNAT --to-destination $server', families=XT),
    Form('-d with udp', '-d $wan -p udp -m udp --dport $p $note -j DNAT --to-destination $server', families=XT,
         proto='udp'),
    Form('-d with multiport', '-d $wan -p tcp -m multiport --dports $p,9 $note -j DNAT --to-destination $to',
         families=XT, answers_at=1),
    Form('comment first, then state', '$note -d $wan -p tcp -m conntrack --ctstate NEW -m tcp --dport $p '
         '-j DNAT --to-destination $server', families=XT),
    Form('-d with a limit and a mark', '-d $wan -p tcp -m tcp --dport $p -m limit --limit 1000/sec $note -m mark --mark 0 '
         '-j DNAT --to-destination $server', families=XT),
    Form('REDIRECT', '-d $wan -p tcp -m tcp --dport $p $note -j REDIRECT --to-ports $q', families=XT,
         early='router', home='router', away='router', answers_at=1),
    Form('jump with -d', '-d $wan -p tcp -m tcp --dport $p $note -j TO_SERVER', families=XT),
    Form('--dst-range', '-p tcp -m iprange --dst-range $wan-$wan -m tcp --dport $p $note -j DNAT --to-destination $server',
         families=XT),
    Form('--ctorigdst in prerouting', '-p tcp -m conntrack --ctorigdst $wan -m tcp --dport $p $note '
         '-j DNAT --to-destination $server', families=XT),
    Form('--ctorigdst before MASQUERADE', '-d $wan -p tcp -m tcp --dport $p $note -j DNAT --to-destination $server',
         post='-o br0 -p tcp -m conntrack --ctorigdst $wan -m tcp --dport $p $note -j MASQUERADE', families=XT,
         peer='router'),
    Form('SNAT, the return path', '-d $wan -p tcp -m tcp --dport $p $note -j DNAT --to-destination $server',
         post='-d $server -p tcp -m tcp --dport $p $note -j SNAT --to-source $wan', families=XT, peer='wan'),
    Form('SNAT, the way out', post='-o wan0 -d $stranger -p tcp -m tcp --dport $p $note -j SNAT --to-source $wan',
         families=XT, outwards=True, peer='wan'),
    Form('! -d', '! -d $wan -p tcp -m tcp --dport $p $note -j DNAT --to-destination $server', families=XT,
         follows=False, early='router', home='router', returned='server', reason='!='),
    Form('-d with a mask', '-d $wan/$bits -p tcp -m tcp --dport $p $note -j DNAT --to-destination $server', families=XT,
         **STAYS),
    Form('--dst-range of several', '-p tcp -m iprange --dst-range $below-$wan -m tcp --dport $p $note '
         '-j DNAT --to-destination $server', families=XT, **STAYS, reason='range'),
    Form('--dst-type LOCAL', '-p tcp -m addrtype --dst-type LOCAL -m tcp --dport $p $note '
         '-j DNAT --to-destination $server', families=XT, reason="router's own"),
]

# Whole tables; they stand in `more`.
TABLES = [
    Form('as OpenWrt does it', families=('own',), peer='router', more='''
table inet fw4 {
	chain dstnat {
		type nat hook prerouting priority dstnat; policy accept
		iifname { "br0" } jump dstnat_lan comment "!fw4: Handle lan IPv4/IPv6 dstnat traffic"
		iifname { "wan0" } jump dstnat_wan comment "!fw4: Handle wan IPv4/IPv6 dstnat traffic"
	}
	chain srcnat {
		type nat hook postrouting priority srcnat; policy accept
		oifname { "br0" } jump srcnat_lan comment "!fw4: Handle lan IPv4/IPv6 srcnat traffic"
	}
	chain dstnat_lan {
		ip saddr { 192.168.1.0/24, 192.168.7.0/24 } ip daddr { $wan, $other } tcp dport { $p, $q } dnat ip to $server:$p \
			comment "!fw4: hairpin $p (reflection)"
	}
	chain dstnat_wan {
		meta nfproto ipv4 tcp dport { $p, $q } counter dnat ip to $server:$p comment "!fw4: hairpin $p"
	}
	chain srcnat_lan {
		ip saddr { 192.168.1.0/24, 192.168.7.0/24 } ip daddr $server tcp dport $p snat ip to 192.168.1.1 \
			comment "!fw4: hairpin $p (reflection)"
	}
}'''),
    Form('asked by the router itself', families=('own',), clients=('router',), more='''
table ip output {
	chain out {
		type nat hook output priority -100
		ip daddr $wan tcp dport $p dnat to $server $note
	}
}'''),
    Form('beside a flowtable', families=('own',), may_lack='flowtables', more='''
table inet flows {
	flowtable fast { hook ingress priority filter; devices = { br0, wan0 }; }
	chain forward {
		type filter hook forward priority filter; policy accept
		tcp dport $p counter flow add @fast
	}
	chain pre {
		type nat hook prerouting priority dstnat
		ip daddr $wan tcp dport $p dnat ip to $server $note
	}
}'''),
]

# A table of another program: one command a line.
OWNED = Form('in a table of another owner', families=('owned',), **STAYS, reason='', more='''
add table ip owned { flags owner; }
add chain ip owned pre { type nat hook prerouting priority -110; }
add rule ip owned pre ip daddr $wan tcp dport $p dnat to $server $note
''')


class Placed:
    """A form in one family, with its ports."""

    def __init__(self, form, family, port):
        self.form, self.family, self.port = form, family, port
        self.v6 = FAMILIES[family]
        self.name = f'{family} {form.name.strip()}'
        self.refused = ''		# the kernel's word where it lacks something

    def words(self, wan):
        """What the form's $words stand for where the WAN has these addresses."""
        v6, xt = self.v6, 'tables' in self.family
        server = SERVERS[v6]
        of = {'ip': '', 'ip6': '', 'inet': 'ip ', 'inet6': 'ip6 '}.get(self.family, '')
        address = wan[v6] if self.form.follows else FIRST[v6]
        return dict(
            wan=address, hex=''.join(f'{int(part):02x}' for part in address.split('.')) if not v6 else '',
            zero=address, other=OTHER[v6], server=server, stranger=STRANGERS[v6],
            to=(f'[{server}]' if v6 else server) + f':{self.port + 1}', p=self.port, q=self.port + 1,
            ip='ip6' if v6 else 'ip', type='ipv6_addr' if v6 else 'ipv4_addr',
            dnat=f'dnat {of}to', snat=f'snat {of}to', dnatmap=f'dnat {"ip6" if v6 else "ip"} addr . port to',
            nfproto4='meta nfproto ipv4' if self.family == 'inet' else '', net='fd12::/64' if v6 else '10.2.0.0/16',
            below=address[:-1] + '6', bits=127 if v6 else 31,
            note=f'-m comment --comment "hairpin {self.port}"' if xt else f'comment "hairpin {self.port}"')

    def text(self, part, wan, **words):
        return string.Template(getattr(self.form, part)).substitute(dict(self.words(wan), **words))


def place(forms, first, first_post):
    """Gives each form its ports; those that have a return path of their own get some of another range."""
    placed = []
    for form in forms:
        for family in form.families:
            if form.post or form.peer:
                first_post, port = first_post + 2, first_post
            else:
                first, port = first + 2, first
            placed.append(Placed(form, family, port))
    return placed
