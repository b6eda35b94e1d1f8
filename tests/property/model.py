# SPDX-License-Identifier: GPL-2.0-or-later
"""What must become of a tagged thing, from the table "what is tagged" of hairpind(8) alone."""

import ipaddress

HEADER, ORIGINAL, SNAT, XT = 'header', 'original', 'snat', 'xt'


class Want:
    """One --rewrite: the address and the former ones."""

    def __init__(self, address, former=()):
        self.address = address
        self.six = ':' in address
        self.former = {value for value in former if value != address and (':' in value) == self.six}
        self.learnt = set()

    def fresh(self):
        """The same asked of a program that has learnt nothing."""
        return Want(self.address, self.former)

    def is_former(self, value):
        return value != self.address and (value in self.former or value in self.learnt)

    def knows_former(self):
        return bool((self.former | self.learnt) - {self.address})


class Outcome:
    """`old`: what it may have held, if it held several."""

    def __init__(self, result, old=(), new=None):
        self.result, self.old, self.new = result, (old,) if isinstance(old, str) else tuple(old), new

    def matches(self, item):
        """Whether an item says so. What a skipped thing holds is not looked at."""
        said = (item['result'], item['new'], item['reason'] is None)
        return said == (self.result, self.new, self.result != 'skipped') and \
            (self.result == 'skipped' or item['old'] in self.old)

    def __repr__(self):
        return f'{self.result} {"|".join(self.old)} -> {self.new}'


SKIPPED = Outcome('skipped')


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
        holds = want.address in self.addresses()
        if not meant and not holds and single and len(self.elements) == 1 and self.elements[0][1]:
            meant = self.elements
        if not meant:
            return (Outcome('unchanged', want.address, want.address) if holds else SKIPPED), self.elements
        kept, data = [], {}
        for element in self.elements:
            before, address, after = element
            if element in meant:
                address = want.address
            key, _, value = after.partition(' : ')
            key = (before, address, key)
            if key not in data:
                kept.append([before, address, after])
            elif data[key] != value:
                return SKIPPED, self.elements	# two that become one, and say different things
            data[key] = value
        return Outcome('changed', {element[1] for element in meant}, want.address), kept


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

    def __init__(self, place, parts, comment, form, six=None, dnat=False, bound=False, conflict=False):
        super().__init__(place, comment, form)
        self.parts, self.six, self.dnat, self.bound, self.conflict = parts, six, dnat, bound, conflict

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
        if site.value == want.address:
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
        return (Outcome('changed', site.value, want.address), want.address) if meant else (SKIPPED, site.value)

    def apply(self, want):
        """Changes the parts; gives the outcome. `old` of a skipped thing is not looked at."""
        if self.six is not want.six or not self.tagged:
            return SKIPPED
        outcomes = [(site, *self.wants(want, site)) for site in self.sites()]
        verdicts = [outcome for _, outcome, _ in outcomes]
        changed = next((outcome for outcome in verdicts if outcome.result == 'changed'), None)
        if self.conflict or changed and self.bound:
            return SKIPPED
        if changed is None:
            return next((outcome for outcome in verdicts if outcome.result == 'unchanged'), SKIPPED)
        for site, outcome, new in outcomes:
            if outcome.result == 'changed':
                if isinstance(site, Members):
                    site.elements = new
                else:
                    site.value = new
        return changed

    def learn(self, want):
        """What a plain dst-nat rule held is a former address at once; a bound one goes on holding it."""
        if not (self.tagged and self.dnat and self.six is want.six) or self.conflict or self.bound:
            return
        for site in self.sites():
            if isinstance(site, Address) and site.role in (HEADER, ORIGINAL) and site.value not in (want.address, '0.0.0.0', '::'):
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
        if member.address == want.address:
            return Outcome('unchanged', want.address, want.address)
        if self.held(member.becomes(want.address)):
            return SKIPPED
        old, member.address = member.address, want.address
        return Outcome('changed', old, want.address)

    def move(self, want):
        mine = [member for member in self.members if not member.tagged and member.address]
        if self.six is not want.six or not mine:
            return SKIPPED
        meant = [member for member in mine if want.is_former(member.address)]
        holds = any(member.address == want.address for member in mine)
        if len(self.members) == 1 and not holds:
            meant = mine
        changed = set()
        for member in meant:
            held = self.held(member.becomes(want.address))
            if held and held.after != member.after:
                continue	# a map that holds it with other data
            changed.add(member.address)
            if held:
                self.members.remove(member)
            else:
                member.address = want.address
        if changed:
            return Outcome('changed', changed, want.address)
        return Outcome('unchanged', want.address, want.address) if holds and not meant else SKIPPED
