# SPDX-License-Identifier: GPL-2.0-or-later
"""Random rulesets: tables, chains, sets, and rules that name destinations in every form."""

import ipaddress
import re

import grammar
from model import ORIGINAL, SNAT, Address, Member, Members, NamedSet, Raw, Rule

LAN = {False: ('192.168.1.20', '192.168.1.30', '192.168.1.21'), True: ('fd00:1::20', 'fd00:1::30', 'fd00:1::21')}
OTHERS = {False: ('192.0.2.17', '100.64.3.4', '198.18.0.9'), True: ('2001:db8:77::9', 'fd00:9::9', '2a00:1::1')}
# What only rules with a transport protocol may say.
PORTS = re.compile(r'(:|\]:)[0-9]+(-[0-9]+)?( |$)|dport')
NAT_HOOKS = {'prerouting': 'dstnat', 'output': '-100', 'postrouting': 'srcnat', 'input': '100'}
SETUP = [
    'set marks {{ type mark; elements = {{ 1, 2 }}; }}', 'set names {{ type ifname; elements = {{ "eth0", "br1" }}; }}',
    'set ports {{ type inet_service; flags interval; auto-merge; elements = {{ 80, 443, 1000-2000 }}; }}',
    'set services {{ typeof meta l4proto . th dport; elements = {{ tcp . 80, udp . 53 }}; }}',
    'set lan4 {{ type ipv4_addr; flags interval; elements = {{ 10.0.0.0/8, 192.168.1.7, {old4} comment "not tagged" }}; }}',
    'set lan6 {{ type ipv6_addr; flags interval; elements = {{ fd00::/8, {old6} }}; }}',
    'set auto {{ type ipv4_addr; flags interval; auto-merge; elements = {{ {old4}, 10.0.0.0/9, 10.128.0.0/9 }}; }}',
    'set pairs {{ typeof ip saddr . tcp dport; flags interval; elements = {{ {old4} . 80-90, 10.0.0.0/8 . 443 }}; }}',
    'set seen4 {{ type ipv4_addr; flags dynamic,timeout; timeout 1h; size 1000; }}',
    'set seen6 {{ type ipv6_addr; flags dynamic; size 1000; }}', 'counter cnt {{ packets 3 bytes 300; }}',
    'counter cnt2 {{ comment "hairpin is no tag here"; packets 1 bytes 100; }}', 'quota quo {{ over 10 mbytes used 5 bytes; }}',
    'limit lim {{ rate 10/second burst 3 packets; }}', 'map objects {{ type inet_service : counter; elements = {{ 80 : "cnt" }}; }}',
    'map ways {{ type inet_service : verdict; elements = {{ 80 : continue, 81 : drop }}; }}',
    'map forwards4 {{ type inet_service : ipv4_addr; elements = {{ 80 : {old4}, 81 : 10.0.0.2 }}; }}',
    'map forwards6 {{ type inet_service : ipv6_addr; elements = {{ 80 : {old6} }}; }}',
]


class Chain:
    """`dnat`: reached from prerouting or output of NAT alone; `walked`: it is looked at."""

    def __init__(self, table, name, kind, hook=''):
        self.table, self.name, self.kind, self.hook = table, name, kind, hook
        self.walked = kind == 'nat'
        self.hooks = {hook} if kind == 'nat' else set()

    @property
    def gives_destinations(self):
        return bool(self.hooks) and self.hooks <= {'prerouting', 'output'}


class Table:
    def __init__(self, family, name):
        self.family, self.name, self.chains = family, name, []

    def line(self, what):
        return f'table {self.family} {self.name} {{ {what}; }}'


class Maker:
    """Makes one ruleset. `values`: {six: (addresses to choose from)}, the first one oftenest."""

    def __init__(self, random, values, forms):
        self.random, self.values, self.forms = random, values, forms
        self.words = grammar.Words(random)
        self.setup, self.sets, self.rules, self.tables = [], [], [], []

    def value(self, six, among=None):
        pool = among or self.values[six]
        return pool[0] if self.random.random() < .6 else self.random.choice(pool)

    def distinct(self, six, count):
        """So many different addresses, two of which are never the WAN's: of one element nft would make no set."""
        first = self.value(six)
        rest = [value for value in self.values[six] if value != first]
        return [first, *self.random.sample(OTHERS[six], 2), *self.random.sample(rest, count - 3 if count > 3 else 0)][:count]

    def comment(self):
        dice = self.random.random()
        if dice < .1:
            return None
        if dice < .7:
            return self.random.choice(('hairpin', 'hairpin web', 'a hairpin b', 'xhairpiny \u00fc', 'hairpin:wan2', 'hairpin smtp', 'mail hairpin',
                                       'hairpin ' + 'z' * self.random.choice((20, 110))))
        return self.random.choice(('web', 'Hairpin', 'hair pin', 'dns:example.org', 'h\u00e4irpin', 'hairpi'))

    # --- tables and chains ---

    def make(self):
        for number in range(self.random.choice((1, 1, 2, 3))):
            self.make_table(number)
        for table in self.tables:
            for chain in table.chains:
                for _ in range(self.random.randint(1, 7)):
                    self.rules.append(self.rule(chain))
        return self

    def make_table(self, number):
        family = self.random.choice(('ip', 'ip', 'ip6', 'inet', 'inet'))
        table = Table(family, f'{self.random.choice(("nat", "t", "fw4"))}{number}')
        flags = 'flags dormant' if self.random.random() < .05 else ''
        self.setup.append(table.line(flags) if flags else f'add table {family} {table.name}')
        self.setup += [table.line(line.format(old4=self.values[False][0], old6=self.values[True][0])) for line in SETUP]
        side = Chain(table, 'side', 'side', self.random.choice(('prerouting', 'postrouting', '')))
        self.setup.append(table.line('chain side { }'))
        table.side = side
        if self.random.random() < .15:
            hook = self.random.choice(('forward', 'input', 'prerouting'))
            table.chains.append(Chain(table, 'filter', 'filter', hook))
            self.setup.append(table.line(f'chain filter {{ type filter hook {hook} priority 0; }}'))
        for hook in self.random.sample(sorted(NAT_HOOKS), self.random.randint(1, 3)):
            if self.random.random() < .1 and table.chains:
                continue
            table.chains.append(Chain(table, hook, 'nat', hook))
            self.setup.append(table.line(f'chain {hook} {{ type nat hook {hook} priority {NAT_HOOKS[hook]}; policy accept; }}'))
        table.chains.append(side)
        self.tables.append(table)
        for number in range(self.random.choice((0, 0, 1, 2, 3))):
            self.sets.append(self.named_set(table, f's{number}'))

    def settle(self, loaded, setup, filters):
        """Which chains are reached, now that it is known what loaded."""
        for thing in loaded:
            table = thing.chain.table
            thing.walked = any(line.startswith(table.line('').partition(';')[0]) and
                               ('type nat' in line or filters and 'type filter' in line) for line in setup)
        loaded = [thing for thing in loaded if isinstance(thing, Rule)]
        for table in self.tables:
            for chain in table.chains:
                chain.walked = chain.kind == 'nat' or filters and chain.kind == 'filter'
            for rule in loaded:
                if rule.chain.table is table and rule.chain is not table.side and rule.chain.walked and \
                        any(word in rule.render() for word in ('jump side', 'goto side')):
                    table.side.walked = True
                    table.side.hooks |= rule.chain.hooks or {'filter'}
        for rule in loaded:
            rule.walked = rule.chain.walked
            rule.dnat = rule.nat or rule.jumps and rule.chain.gives_destinations

    # --- named sets and maps ---

    def named_set(self, table, name):
        six = table.family == 'ip6' if table.family != 'inet' else self.random.random() < .5
        v = 'ipv6_addr' if six else 'ipv4_addr'
        kind, form, head, before, after = self.random.choice((
            ('set', 'plain', f'type {v}', '', ''), ('set', 'typeof', f'typeof {ip(six)} daddr', '', ''),
            ('set', 'interval', f'type {v}; flags interval', '', ''), ('set', 'timeout', f'type {v}; flags timeout', '', ' timeout 1h'),
            ('set', 'counter', f'type {v}; counter', '', ' counter packets 0 bytes 0'), ('set', 'size', f'type {v}; size 99; policy performance', '', ''),
            ('set', 'concatenation', f'type {v} . inet_service', '', ' . {p}'), ('set', 'reversed', f'type inet_service . {v}', '{p} . ', ''),
            ('set', 'ranges', f'type {v} . inet_service; flags interval', '', ' . 80-90'),
            ('set', 'three', f'typeof iifname . {ip(six)} daddr . meta l4proto', '"{name}" . ', ' . tcp'),
            ('map', 'verdict', f'type {v} : verdict', '', ' : continue'), ('map', 'object', f'type {v} : counter', '', ' : "cnt"'),
            ('map', 'value', f'type {v} : mark', '', ' : 5'), ('map', 'value interval', f'type {v} : mark; flags interval', '', ' : 5'),
            ('map', 'concatenation', f'type {v} . inet_service : {v} . inet_service', '', f' . 80 : {LAN[six][0]} . 8080'),
            ('set', 'of others', 'type inet_service', '', '')))
        before, after = self.words.fill(before), self.words.fill(after)
        tagged = self.random.randrange(9)	# which element has a tag of its own: one at most
        count = self.random.choice((0, 1, 1, 2, 3, 5)) if form != 'of others' else 0
        chosen = self.distinct(six, 5)
        self.random.shuffle(chosen)
        members = [Member(before, value, after, self.element_comment(number == tagged)) for number, value in enumerate(chosen[:count])]
        if 'interval' in head and count > 1 and ' . ' not in head:
            members.append(Member('2a00:5::/32' if six else '10.0.0.0/8', None, after, self.element_comment(tagged == 5)))
        made = NamedSet((kind, table.family, table.name, name), head, members, self.comment(), f'{kind} {form}', six)
        made.chain = next(iter(table.chains))
        return made

    def element_comment(self, tagged):
        return 'hairpin element' if tagged else self.random.choice((None, None, 'no tag'))

    # --- rules ---

    def rule(self, chain):
        family = chain.table.family
        six = family == 'ip6' if family != 'inet' else self.random.random() < .5
        l3 = 'ip6' if six else 'ip'
        transport = self.random.choice(('tcp', 'tcp', 'tcp', 'udp', 'udp', '', 'sctp', 'icmpv6' if six else 'icmp', 'esp'))
        l4 = transport if transport in ('tcp', 'udp', 'sctp') else ''
        form, parts, states = self.random.choice(self.forms)(self, six, l4)
        end = self.end(chain, six, l4, form == 'none')
        if 'keyed' in states:
            end = []
        if 'l4' in states and transport not in ('', 'tcp', 'udp', 'sctp'):
            transport = ''
        before, between = ([grammar.noise(self.words, family, transport, l3, chain.hook) for _ in range(self.random.choice(counts))]
                           for counts in ((0, 0, 1, 2, 3), (0, 0, 1, 2)))
        if any(PORTS.search(part) for part in end if isinstance(part, str)):
            between.append(f'{l4} dport {self.words.p()}' if l4 else f'meta l4proto {transport or "udp"}')
        all_parts = [' '.join(filter(None, before)), ' ', *parts, ' ', ' '.join(filter(None, between)), ' ', *end]
        rule = Rule(('rule', family, chain.table.name, chain.name), all_parts, self.comment(), form,
                    six if family != 'inet' or parts or any('ip' in str(part) for part in all_parts) else None)
        said = rule.render()
        rule.chain, rule.jumps = chain, any(word in said for word in ('jump', 'goto', 'vmap'))
        rule.nat = bool(end) and isinstance(end[0], str) and end[0].startswith(('dnat', 'redirect'))
        rule.bound = 'jump {' in said or 'meter ' in said	# what cannot be made again
        return rule

    def end(self, chain, six, l4, by_destination):
        """What the rule does, as parts."""
        random, words, v = self.random, self.words, '6' if six else '4'
        lan = LAN[six]
        to = 'to' if chain.table.family != 'inet' else ('ip6 to' if six else 'ip to')
        more = {'lan': lan[0], 'lanend': lan[1], 'lan2': lan[2], 'to': to, 'v': v, 'six': '6' if six else '', 'l4': l4 or 'th'}
        more['other'], more['other2'] = random.sample(OTHERS[six], 2)
        hook = chain.hook
        if random.random() < .25 or chain.kind == 'filter' or not hook:
            said = words.fill(random.choice(grammar.FILTER_ENDS if chain.kind == 'filter' else grammar.ENDS), **more)
            return ['counter' if said.endswith(' side') and not may_jump(chain) else said]
        if by_destination and hook in ('prerouting', 'output') and random.random() < .6:
            return self.dnat_by_destination(to, six, l4)
        if hook in ('prerouting', 'output'):
            return [bracket(words.fill(random.choice(grammar.DNATS), **more), lan[0])]
        if random.random() < .4 and hook == 'postrouting' or hook == 'input' and random.random() < .5:
            return self.snat(to, six)
        said = words.fill(random.choice(grammar.SOURCES), **more) if hook == 'postrouting' else f'snat {to} {lan[0]}'
        return [bracket(said, lan[0])]

    def dnat_by_destination(self, to, six, l4):
        lan = LAN[six]
        if self.random.random() < .5 or not l4:
            return [f'dnat {to} {ip(six)} daddr map ', Members([[before, value, f' : {self.random.choice(lan)}'] for before, value, _ in self.elements(six, '', ' : {n}')])]
        return [f'dnat {to} {ip(six)} daddr . {l4} dport map ', Members(self.elements(six, '', f' . {{p}} : {lan[0]} . {{p}}'))]

    def snat(self, to, six):
        value = Address(self.value(six, list(self.values[six]) + [LAN[six][0]]), SNAT)
        if self.random.random() < .6:
            return [f'snat {to} ', value]
        if six:
            return [f'snat {to} ', value, ' random']
        return [f'snat {to} ', value, f':{self.words.p()}-65000']

    # --- destinations: each gives (its name, parts, states) ---

    def none(self, six, l4):
        return 'none', [], ()

    def plain(self, six, l4):
        return 'plain', [f'{ip(six)} daddr ', Address(self.value(six))], ()

    def raw(self, six, l4):
        if six:
            return 'raw', ['ip6 version 6 @nh,192,128 ', Raw(self.value(six))], ()
        return 'raw', ['ip version 4 @nh,128,32 ', Raw(self.value(six))], ()

    def original(self, six, l4):
        return 'ct original', [f'ct original {ip(six)} daddr ', Address(self.value(six), ORIGINAL)], ()

    def both(self, six, l4):
        value = self.value(six)
        return 'both', [f'{ip(six)} daddr ', Address(value), f' ct original {ip(six)} daddr ', Address(value, ORIGINAL)], ()

    def unchanged(self, six, l4):
        """Forms that are left alone, whatever stands in them."""
        value, other = self.distinct(six, 2)
        low, high = sorted((ipaddress.ip_address(value), ipaddress.ip_address(value) + 9))
        template = self.random.choice((
            '{v} daddr != {a}', '{v} daddr {low}-{high}', '{v} daddr != {low}-{high}', '{v} daddr != {{ {a}, {b} }}',
            '{v} daddr {net}', '{v} daddr != {net}', '{v} daddr & {mask} == {masked}', '{v} daddr > {a}', '{v} daddr @lan{n}',
            '{v} daddr != @lan{n}', 'ct original {v} daddr != {a}', 'update @seen{n} {{ {v} daddr }}',
            '{v} daddr . th dport @nowhere', 'jhash {v} daddr mod 4 1', 'ct reply {v} saddr {a}'))
        if '@nowhere' in template:
            template = 'meta mark set jhash {v} daddr . {v} saddr mod 4'
        bits = self.random.choice((8, 16, 24, 23, 28) if not six else (64, 48, 56, 61))
        net = ipaddress.ip_network(f'{value}/{bits}', strict=False)
        mask = '::ffff:ffff' if six else '0.0.255.255'
        masked = ipaddress.ip_address(int(ipaddress.ip_address(value)) & int(ipaddress.ip_address(mask)))
        if six:
            masked = ipaddress.IPv6Address(int(masked))
        said = template.format(v=ip(six), a=value, b=other, low=low, high=high, net=net, mask=mask, masked=masked, n='6' if six else '4')
        form = template.replace('{v} ', '')
        return form, [said], ()

    # --- sets and maps of the rule's own ---

    def elements(self, six, before='', after='', count=None):
        """[before, address, after], sometimes with a comment that is a tag."""
        if '{' in after.partition(' : ')[2]:
            # Of two former addresses that map to different things either may become the new one.
            chosen = [*self.values[six][:self.random.choice((1, 1, 2))], *OTHERS[six][:2]]
        else:
            chosen = self.distinct(six, count or self.random.choice((3, 3, 4, 5)))
        self.random.shuffle(chosen)
        return [[before, value, self.words.fill(after)] for value in chosen]

    def members(self, six, l4):
        wide = '2a00:5::/32' if six else '10.0.0.0/8'
        among = self.elements(six)
        if self.random.random() < .4:
            among.append([self.random.choice((wide, '10.0.0.0-10.0.9.255' if not six else wide)), None, ''])
            form = 'daddr { intervals }'
        else:
            form = 'daddr { }'
        return form, [f'{ip(six)} daddr ', Members(among)], ()

    def original_members(self, six, l4):
        return 'ct original daddr { }', [f'ct original {ip(six)} daddr ', Members(self.elements(six), ORIGINAL)], ()

    def concatenation(self, six, l4):
        # Ranges that are the same, or they would overlap where two addresses become one.
        v, port = ip(six), '{p}' if self.random.random() < .5 else self.words.fill('{p}-65000')
        transport = l4 or 'tcp'
        form, parts = self.random.choice((
            ('daddr . dport', [f'{v} daddr . {transport} dport ', Members(self.elements(six, '', f' . {port}'))]),
            ('dport . daddr', [f'{transport} dport . {v} daddr ', Members(self.elements(six, self.words.fill(port) + ' . '))]),
            ('saddr . daddr', [f'{v} saddr . {v} daddr ', Members(self.elements(six, OTHERS[six][0] + ' . '))]),
            ('iifname . daddr . mark', [f'iifname . {v} daddr . meta mark ', Members(self.elements(six, '"{name}" . '.replace('{name}', self.words.name()), ' . {n}'))]),
            ('daddr . proto', [f'{v} daddr . meta l4proto ', Members(self.elements(six, '', ' . tcp'))])))
        return f'{form} {{ }}', parts, ('l4',) if 'dport' in form else ()

    def verdicts(self, six, l4):
        form, head, after = self.random.choice((('daddr vmap', '{v} daddr vmap ', ' : continue'), ('daddr . dport vmap', '{v} daddr . {l4} dport vmap ', ' . {p} : drop')))
        return form, [head.format(v=ip(six), l4=l4 or 'tcp'), Members(self.elements(six, '', after))], ('keyed', 'l4') if 'dport' in form else ('keyed',)

    def data(self, six, l4):
        form, head, after = self.random.choice((('mark set daddr map', 'meta mark set {v} daddr map ', ' : {n}'),
                                                ('counter daddr map', 'counter name {v} daddr map ', ' : "cnt"')))
        return form, [head.format(v=ip(six)), Members(self.elements(six, '', after))], ()

    def excluding(self, six, l4):
        """One destination, and others that it is not."""
        value, other, third = self.distinct(six, 3)
        beside = self.random.choice((f'!= {other}', f'!= {{ {other}, {third} }}', f'!= @lan{"6" if six else "4"}', '!= fd00::/8' if six else '!= 10.0.0.0/8'))
        parts = [f'{ip(six)} daddr ', Address(value), f' {ip(six)} daddr {beside}']
        return 'daddr beside daddr !=', parts if self.random.random() < .5 else [f'{ip(six)} daddr {beside} ', *parts[:2]], ()


def bracket(said, address):
    """An IPv6 address before a port."""
    return re.sub(re.escape(address) + r':(?=[0-9]+(-[0-9]+)?$)', f'[{address}]:', said) if ':' in address else said


def may_jump(chain):
    """Whether what the chain "side" does is allowed there."""
    goal = chain.table.side.hook
    return chain.kind != 'side' and (not goal or chain.kind == 'nat' and (goal == chain.hook or
                                     (goal, chain.hook) == ('prerouting', 'output')))


def ip(six):
    return 'ip6' if six else 'ip'


FORMS = [Maker.none, Maker.plain, Maker.plain, Maker.raw, Maker.original, Maker.both, Maker.unchanged, Maker.unchanged,
         Maker.members, Maker.members, Maker.original_members, Maker.concatenation, Maker.concatenation, Maker.verdicts, Maker.data,
         Maker.excluding]
