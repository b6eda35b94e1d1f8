# SPDX-License-Identifier: GPL-2.0-or-later
"""nf_tables as the kernel describes it: raw netlink, read by nothing of ours but these lines, so that a fault of
the engine's own reader cannot hide a fault of the engine.

A picture of the ruleset is made comparable by leaving out only what must differ: the numbers of anonymous sets
(each stands as what it holds, where a rule names it) and the time an element has left."""

import json
import re
import socket
import struct
import subprocess

NETLINK_NETFILTER, SUBSYSTEM = 12, 10
DUMP, ACK, ERROR, DONE = 0x301, 0x5, 2, 3		# with NLM_F_REQUEST
TABLE, CHAIN, RULE, SET, ELEMENT, GENERATION, OBJECT, FLOWTABLE = 1, 4, 7, 10, 13, 16, 19, 23	# NFT_MSG_GET*
FAMILIES = {2: 'ip', 10: 'ip6', 1: 'inet'}
ANONYMOUS = 1
# Which attribute of an expression names a set: NFTA_LOOKUP_SET, NFTA_OBJREF_SET_NAME, NFTA_DYNSET_SET_NAME.
NAMES_SET = {b'lookup': 1, b'objref': 4, b'dynset': 1}


def attributes(data):
    """[(type, value)]; flags of the type left out."""
    found, at = [], 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from('=HH', data, at)
        if length < 4 or at + length > len(data):
            raise AssertionError('the kernel sent attributes that do not fit')
        found.append((kind & 0x3fff, data[at + 4:at + length]))
        at += length + 3 & ~3
    return found


def attribute(kind, value):
    return struct.pack('=HH', 4 + len(value), kind) + value + b'\0' * (-len(value) % 4)


def comparable(element):
    """Without what it has left to live. The marker of what lies before the first interval (flag INTERVAL_END at the
    key 0) is none: nft makes it or not, as the first interval was when it was loaded."""
    fields = dict(element)
    if fields.get(3) == bytes((0, 0, 0, 1)) and 1 in fields and not any(fields[1][4:]):
        return None
    return tuple((kind, value) for kind, value in element if kind != 5)		# NFTA_SET_ELEM_EXPIRATION


def text(value):
    return value.rstrip(b'\0').decode('utf-8', 'surrogateescape')


class Blocks:
    """Names of blocks in braces: a number that counts up for ever. Here they count from 0."""

    def __init__(self):
        self.names = {}

    def renamed(self, name):
        if not name.startswith(b'__chain'):
            return name
        return self.names.setdefault(name, b'__chain of block %d' % len(self.names))

    def verdict(self, pair):
        if not isinstance(pair[1], bytes) or b'__chain' not in pair[1]:
            return pair
        inside = dict(attributes(dict(attributes(pair[1]))[2]))
        return pair[0], inside[1], self.renamed(inside[2])


class Kernel:
    """One socket for questions."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.socket.bind((0, 0))
        self.socket.settimeout(30)
        self.seq = 0

    def ask(self, kind, flags=DUMP, family=0, body=b''):
        """The messages of the answer: [(family, [(type, value)])]."""
        self.seq += 1
        self.socket.send(struct.pack('=IHHIIBBH', 20 + len(body), SUBSYSTEM << 8 | kind, flags, self.seq, 0,
                                     family, 0, 0) + body)
        answer = []
        while True:
            data, at = self.socket.recv(1 << 18), 0
            while at < len(data):
                length, what, _, seq = struct.unpack_from('=IHHI', data, at)
                if seq == self.seq and what in (ERROR, DONE):
                    code = struct.unpack_from('=i', data, at + 16)[0]
                    if code:
                        raise OSError(-code, f'asking nf_tables for {kind}')
                    return answer
                if seq == self.seq:
                    answer.append((data[at + 16], attributes(data[at + 20:at + length])))
                at += length + 3 & ~3

    def generation(self):
        return struct.unpack('>I', dict(self.ask(GENERATION, ACK)[0][1])[1])[0]

    def sets(self):
        """{(family, table, name): (anonymous, header, elements)}"""
        found = {}
        for family, header in self.ask(SET):
            fields = dict(header)
            anonymous = bool(struct.unpack('>I', fields.get(3, bytes(4)))[0] & ANONYMOUS)
            elements = []
            for _, message in self.ask(ELEMENT, DUMP, family, attribute(1, fields[1]) + attribute(2, fields[2])):
                elements += [comparable(attributes(element)) for _, element in attributes(dict(message).get(3, b''))]
            meter = anonymous and not re.match(rb'__(set|map|objmap)\d', fields[2])
            # NAME, HANDLE, DESC (a set stays as large as it was made), COUNT
            hidden = (2, 16, 9, 20) if anonymous and not meter else ()
            found[family, fields[1], fields[2]] = (
                anonymous and not meter, tuple(pair for pair in header if pair[0] not in hidden),
                tuple(sorted(filter(None, elements))))
        return found

    def rules(self):
        """[(family, table, chain, handle, expressions, userdata)]; `expressions` is [(name, [(type, value)])]"""
        found = []
        for family, fields in self.ask(RULE):
            fields = dict(fields)
            expressions = []
            for _, inside in attributes(fields.get(4, b'')):
                inside = dict(attributes(inside))
                expressions.append((inside[1].rstrip(b'\0'), attributes(inside.get(2, b''))))
            found.append((family, fields[1], fields[2], struct.unpack('>Q', fields[3])[0], expressions,
                          fields.get(7, b'')))
        return found

    def picture(self):
        """Everything of the ruleset, comparable: {what: bytes or tuples}."""
        sets, blocks = self.sets(), Blocks()
        chains = [(family, tuple((kind, blocks.renamed(value) if kind == 3 else value) for kind, value in fields))
                  for family, fields in self.ask(CHAIN)]
        picture = {}
        for family, table, chain, handle, expressions, userdata in self.rules():
            place = ('rule', FAMILIES.get(family, family), text(table), text(blocks.renamed(chain)), handle)
            picture[place] = (len(picture), userdata, tuple(
                (name, tuple(blocks.verdict(self.without_number(sets, family, table, name, pair)) for pair in data))
                for name, data in expressions))
        for (family, table, name), (anonymous, header, elements) in sets.items():
            if not anonymous:
                picture['set', FAMILIES.get(family, family), text(table), text(name)] = (header, elements)
        picture['chains'] = chains
        for kind, what in ((TABLE, 'table'), (OBJECT, 'object'), (FLOWTABLE, 'flowtable')):
            for number, (family, fields) in enumerate(self.ask(kind)):
                # NFTA_TABLE_HANDLE counts up for ever.
                picture[what, number] = (family, tuple(pair for pair in fields if kind != TABLE or pair[0] != 4))
        return picture

    @staticmethod
    def without_number(sets, family, table, name, pair):
        if NAMES_SET.get(name) == pair[0]:
            anonymous, header, elements = sets[family, table, pair[1]]
            if anonymous:
                return pair[0], header, elements
        return pair


def differences(wanted, got):
    """What differs between two pictures, in words."""
    said = []
    for what in list(wanted) + [what for what in got if what not in wanted]:
        left, right = wanted.get(what), got.get(what)
        if left == right:
            continue
        if what[0] == 'rule' and left and right and len(left[2]) == len(right[2]):
            left = [pair for pair, other in zip(left[2], right[2]) if pair != other] or left[:2]
            right = [pair for pair, other in zip(right[2], wanted[what][2]) if pair != other] or right[:2]
        said.append(f'{what}:\n  wanted {left}\n  got    {right}')
    return '\n'.join(said)


def sorted_elements(shown):
    """Sets of concatenated ranges are shown in the order of insertion."""
    return re.sub(r'\{([^{}]*)\}', lambda found: '{' + ','.join(sorted(part.strip() for part in found[1].split(','))) + '}', shown)


def sorted_json(found):
    """The same in what JSON describes."""
    if isinstance(found, dict):
        return {key: sorted(map(sorted_json, value), key=json.dumps) if key in ('elem', 'set') and isinstance(value, list)
                else sorted_json(value) for key, value in found.items()}
    return [sorted_json(value) for value in found] if isinstance(found, list) else found


def show(*words):
    """What nft prints, without what must differ."""
    shown = subprocess.run(['nft', *words, 'list', 'ruleset'], capture_output=True, check=True).stdout
    shown = shown.decode('utf-8', 'surrogateescape')
    names = {}
    for pattern, number in ((r'^(table .*) # handle [0-9]+$', r'\1'), (r'("table": {[^}]*"handle":) [0-9]+', r'\1 0'),
                            (r' expires [0-9dhms]+', ''), (r'"expires": [0-9]+', '"expires": 0')):
        shown = re.sub(pattern, number, shown, flags=re.M)
    shown = json.dumps(sorted_json(json.loads(shown)), indent=1) if '-j' in words else sorted_elements(shown)
    return re.sub('__chain[0-9]+', lambda found: names.setdefault(found[0], f'__chain of block {len(names)}'), shown)


def flush():
    subprocess.run(['nft', 'flush', 'ruleset'], check=True)


def load(lines):
    """Loads what of these lines loads, together; gives [whether each was taken]. Lines that nft names in its errors
    go first; where it dies without a word, line by line."""
    kept = [True] * len(lines)
    for _ in range(40):
        flush()
        numbered = [number for number, is_kept in enumerate(kept) if is_kept]
        done = subprocess.run(['nft', '-f', '-'], input='\n'.join(lines[number] for number in numbered) + '\n',
                              capture_output=True, text=True, errors='surrogateescape', check=False)
        if done.returncode == 0:
            return kept
        wrong = {int(line) for line in re.findall(r'^/dev/stdin:(\d+):', done.stderr, re.M)}
        wrong = {line for line in wrong if 1 <= line <= len(numbered)}
        if not wrong:
            break
        for line in wrong:
            kept[numbered[line - 1]] = False
    flush()
    for number, line in enumerate(lines):
        kept[number] = subprocess.run(['nft', '-f', '-'], input=line + '\n', text=True, capture_output=True,
                                      errors='surrogateescape', check=False).returncode == 0
    return kept
