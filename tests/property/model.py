# SPDX-License-Identifier: GPL-2.0-or-later
"""What must become of a tagged thing, from the table "what is tagged" of hairpind(8) alone."""

import ipaddress

HEADER, ORIGINAL, SNAT, XT = 'header', 'original', 'snat', 'xt'


class Want:
    """One --rewrite: the address and the former ones. `keep`: so many bits of an IPv6 address follow, 0: all.
    `filter`: filter chains are looked at too."""

    def __init__(self, address, former=(), keep=0, filter=False):
        self.address, self.keep, self.filter = address, keep, filter
        self.six = ':' in address
        self.former = {value for value in former if (':' in value) == self.six}
        self.learnt = set()

    def fresh(self):
        """The same asked of a program that has learnt nothing."""
        return Want(self.address, self.former, self.keep, self.filter)

    def back(self, old, new):
        return Want(old, (new,), self.keep, self.filter)

    def bits(self, value):
        """The bits that follow the WAN."""
        bits = 128 - self.keep if self.six and self.keep else 0
        return int(ipaddress.ip_address(value)) >> bits << bits

    def wanted(self, value):
        if not (self.six and self.keep):
            return self.address
        return str(ipaddress.IPv6Address(self.bits(self.address) | int(ipaddress.ip_address(value)) - self.bits(value)))

    def holds(self, value):
        return (':' in value) == self.six and self.wanted(value) == value

    def is_former(self, value):
        return not self.holds(value) and self.bits(value) in {self.bits(former) for former in self.former | self.learnt}

    def knows_former(self):
        return bool(self.former | self.learnt)


class Outcome:
    """`old`, `new`: what it may have held and get, if there are several."""

    def __init__(self, result, old=(), new=()):
        self.result = result
        self.old, self.new = ((said,) if isinstance(said, str) else tuple(said) for said in (old, new))

    def matches(self, item):
        """Whether an item says so. What a skipped thing holds is not looked at."""
        if item['result'] != self.result or (item['reason'] is None) != (self.result != 'skipped'):
            return False
        return item['new'] is None if self.result == 'skipped' else item['old'] in self.old and item['new'] in self.new

    def __repr__(self):
        return f'{self.result} {"|".join(self.old)} -> {"|".join(self.new)}'


SKIPPED = Outcome('skipped')


def together(outcomes, result):
    """Of several addresses in one rule any may be told."""
    found = [outcome for outcome in outcomes if outcome.result == result]
    return Outcome(result, *([said for outcome in found for said in getattr(outcome, which)] for which in ('old', 'new'))) if found else None


class Address:
    """One whole address in a rule. `role`: where it is compared with."""

    def __init__(self, value, role=HEADER):
        self.value, self.role = value, role

    def render(self):
        return self.value


class Raw(Address):
    """The same written as a number."""

    def render(self):
        return '0x%x' % int(ipaddress.ip_address(self.value))


class Members:
    """The elements of a set or map: [before, address or None, after]. `address`: one that counts."""

    def __init__(self, elements, role=HEADER):
        self.elements, self.role = elements, role

    def render(self):
        return '{ ' + ', '.join(before + (address or '') + after for before, address, after in self.elements) + ' }'

    def addresses(self):
        return [address for _, address, _ in self.elements if address]

    def apply(self, want, single=False):
        """(what becomes of it, the new elements); `single`: the only element is meant, whatever it holds."""
        meant = [element for element in self.elements if element[1] and want.is_former(element[1])]
        held = [address for address in self.addresses() if want.holds(address)]
        if not meant and not held and single and len(self.elements) == 1 and self.elements[0][1]:
            meant = self.elements
        if not meant:
            return (Outcome('unchanged', held, held) if held else SKIPPED), self.elements
        kept, data = [], {}
        for element in self.elements:
            before, address, after = element
            if element in meant:
                address = want.wanted(address)
            key, _, value = after.partition(' : ')
            key = (before, address, key)
            if key not in data:
                kept.append([before, address, after])
            elif data[key] != value:
                return SKIPPED, self.elements	# two that become one, and say different things
            data[key] = value
        old = {element[1] for element in meant}
        return Outcome('changed', old, map(want.wanted, old)), kept


class Thing:
    """What may be tagged. `place`: (kind, family, table, chain or set)."""

    def __init__(self, place, comment, form):
        self.place, self.comment, self.form = place, comment, form
        self.handle = None
        self.tagged = comment is not None and 'hairpin' in comment and '\0' not in comment

    def outcomes(self, want):
        """Applies it; {thing: outcome} of what is tagged."""
        return {self: self.apply(want)} if self.tagged else {}

    def learn(self, want):
        pass


class Rule(Thing):
    """`parts`: texts, Address and Members; `six`: the family it demands (None: none). `bound`: cannot be replaced."""

    def __init__(self, place, parts, comment, form, six=None, dnat=False, bound=False):
        super().__init__(place, comment, form)
        self.parts, self.six, self.dnat, self.bound = parts, six, dnat, bound

    def render(self):
        return ''.join(part if isinstance(part, str) else part.render() for part in self.parts)

    def line(self):
        comment = f' comment "{self.comment}"' if self.comment else ''
        return f'add rule {" ".join(self.place[1:])} {self.render()}{comment}'

    def sites(self):
        return [part for part in self.parts if not isinstance(part, str)]

    def wants(self, want, site):
        """What this site becomes: (outcome, new value)."""
        if isinstance(site, Members):
            return site.apply(want, self.dnat)
        if want.holds(site.value):
            return Outcome('unchanged', site.value, site.value), site.value
        meant = want.is_former(site.value)
        if site.role == SNAT and not want.knows_former():
            meant = ipaddress.ip_address(site.value).is_global
        elif site.role == XT:
            # What a port forward compares tells the WAN's address also to its xt matches.
            meant = meant or self.dnat and any(other.value == site.value for other in self.sites()
                                               if isinstance(other, Address) and other.role in (HEADER, ORIGINAL))
        elif site.role != SNAT and self.dnat:
            meant = True
        new = want.wanted(site.value)
        return (Outcome('changed', site.value, new), new) if meant else (SKIPPED, site.value)

    def apply(self, want):
        """Changes the parts; gives the outcome. `old` of a skipped thing is not looked at."""
        if self.six is not want.six or not self.tagged:
            return SKIPPED
        outcomes = [(site, *self.wants(want, site)) for site in self.sites()]
        verdicts = [outcome for _, outcome, _ in outcomes]
        changed, unchanged = (together(verdicts, result) for result in ('changed', 'unchanged'))
        if changed and self.bound:
            return SKIPPED
        if changed is None:
            return unchanged or SKIPPED
        for site, outcome, new in outcomes:
            if outcome.result == 'changed':
                if isinstance(site, Members):
                    site.elements = new
                else:
                    site.value = new
        return changed

    def learn(self, want):
        """What a plain dst-nat rule held is a former address at once; a bound one goes on holding it."""
        if not (self.tagged and self.dnat and self.six is want.six) or self.bound:
            return
        for site in self.sites():
            if isinstance(site, Address) and site.role in (HEADER, ORIGINAL) and not want.holds(site.value) and \
                    want.bits(site.value):
                want.learnt.add(site.value)


def apply(things, want):
    """All things at once: {thing: outcome}."""
    for thing in things:
        thing.learn(want)
    outcomes = {}
    for thing in things:
        outcomes.update(thing.outcomes(want))
    return outcomes


class Element(Thing):
    """An element of a named set that has a comment of its own."""

    def __init__(self, of, member):
        super().__init__(('element', *of.place[1:]), member.comment, 'element of ' + of.form)
        self.handle, self.member = of.handle, member


class Member:
    """`address`: None where it holds a prefix or a range. `comment`: its own."""

    def __init__(self, before, address, after, comment=None):
        self.before, self.address, self.after, self.comment = before, address, after, comment
        self.tagged = comment is not None and 'hairpin' in comment

    def key(self):
        return self.before, self.address, self.after.partition(' : ')[0]

    def becomes(self, address):
        return self.before, address, self.after.partition(' : ')[0]

    def render(self):
        key, colon, data = self.after.partition(' : ')
        said = f' comment "{self.comment}"' if self.comment else ''
        return f'{self.before}{self.address or ""}{key}{said}{colon}{data}'


class NamedSet(Thing):
    """A set or map by its name. `head`: what stands before its elements; `six`: of its addresses, None: it has none."""

    def __init__(self, place, head, members, comment, form, six):
        super().__init__(place, comment, form)
        self.head, self.members, self.six = head, members, six

    def line(self):
        comment = f' comment "{self.comment}";' if self.comment else ''
        elements = f' elements = {{ {", ".join(member.render() for member in self.members)} }};' if self.members else ''
        return f'table {self.place[1]} {self.place[2]} {{ {self.place[0]} {self.place[3]} {{ {self.head};{comment}{elements} }}; }}'

    def outcomes(self, want):
        found = {}
        for member in self.members:
            if member.tagged:
                found[Element(self, member)] = self.move_element(want, member)
        if self.tagged:
            found[self] = self.move(want)
        return found

    def held(self, key):
        return next((member for member in self.members if member.key() == key), None)

    def move_element(self, want, member):
        if self.six is not want.six or not member.address:
            return SKIPPED
        old, new = member.address, want.wanted(member.address)
        if old == new:
            return Outcome('unchanged', old, old)
        if self.held(member.becomes(new)):
            return SKIPPED
        member.address = new
        return Outcome('changed', old, new)

    def move(self, want):
        mine = [member for member in self.members if not member.tagged and member.address]
        if self.six is not want.six or not mine:
            return SKIPPED
        meant = [member for member in mine if want.is_former(member.address)]
        holding = {member.address for member in mine if want.holds(member.address)}
        if len(self.members) == 1 and not holding:
            meant = mine
        changed = set()
        for member in meant:
            new = want.wanted(member.address)
            held = self.held(member.becomes(new))
            if held and held.after != member.after:
                continue	# a map that holds it with other data
            changed.add(member.address)
            if held:
                self.members.remove(member)
            else:
                member.address = new
        if changed:
            return Outcome('changed', changed, map(want.wanted, changed))
        return Outcome('unchanged', holding, holding) if holding and not meant else SKIPPED
