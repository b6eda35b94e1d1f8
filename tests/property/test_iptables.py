#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random rules of iptables-nft and ip6tables-nft, with every match and target that loads here: exactly what the model
says differs, in iptables-save with its counters and in the raw dump; then again, and back.

    SEED=1 ROUNDS=1000 tests/run property/test_iptables"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import journey
import ruleset
from grammar import Words
from model import SNAT, XT, Address, Rule
from tap import Skip, run_tests

# Matches and what they need: a transport, a family ('4', '6'), hooks ('pre', 'out', 'post', 'in'), or nothing.
MATCHES = [
    ('', '-i {name}', 'pre in'), ('', '! -i {name}', 'pre in'), ('', '-o {name}', 'out post'), ('4', '-s {ip}'), ('4', '-s {ip}/24'),
    ('4', '! -s {ip}/13'), ('6', '-s {ip6}'), ('6', '-s fd00::/8'), ('4', '-f'), ('4', '! -f'), ('', '-m addrtype --dst-type LOCAL'),
    ('', '-m addrtype ! --src-type UNICAST --limit-iface-in', 'pre in'), ('', '-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"'),
    ('', '-m cgroup --cgroup {n}', 'out post'), ('', '-m cluster --cluster-total-nodes 4 --cluster-local-node 2 --cluster-hash-seed 0x1'),
    ('', '-m connbytes --connbytes {n}:{m} --connbytes-dir both --connbytes-mode packets'), ('', '-m connlabel --label 5'),
    ('', '-m connlimit --connlimit-above {n}'), ('4', '-m connlimit --connlimit-upto 5 --connlimit-mask 24 --connlimit-daddr'),
    ('', '-m connmark --mark 0x{hex}'), ('', '-m connmark ! --mark 0x1/0xff'), ('', '-m conntrack --ctstate NEW,ESTABLISHED'),
    ('', '-m conntrack ! --ctstatus NONE --ctproto tcp'), ('4', '-m conntrack --ctorigsrc {ip}'), ('4', '-m conntrack --ctrepldst {ip}/24'),
    ('', '-m conntrack --ctexpire 5:50 --ctdir REPLY'), ('', '-m cpu --cpu 0'), ('', '-m devgroup --src-group 5', 'pre in'),
    ('', '-m dscp --dscp-class AF21'), ('', '-m helper --helper ftp'), ('', '-m length --length 40:1500'), ('', '-m limit --limit {n}/min'),
    ('', '-m limit --limit 5/sec --limit-burst 9'), ('', '-m mac --mac-source {mac}', 'pre in'), ('', '-m mark --mark 0x{hex}/0xffffffff'),
    ('', '-m mark ! --mark 0x5'), ('', '-m owner --uid-owner 0', 'out post'), ('', '-m owner ! --gid-owner 1-100', 'out post'),
    ('', '-m physdev --physdev-in br0', 'pre in'), ('', '-m pkttype --pkt-type unicast'), ('', '-m policy --dir in --pol ipsec --proto esp', 'pre in'),
    ('', '-m policy --dir out --pol none', 'out post'), ('', '-m quota --quota {m}'), ('', '-m realm --realm 5'), ('', '-m recent --name {name} --set'),
    ('', '-m recent --name {name} --rcheck --seconds 60 --hitcount 4'), ('', '-m set --match-set nowhere src'), ('', '-m socket --transparent', 'pre in'),
    ('', '-m state --state RELATED'), ('', '-m statistic --mode random --probability 0.25'), ('', '-m statistic --mode nth --every 3 --packet 1'),
    ('', '-m string --string "{word} x" --algo bm --to 500'), ('', '-m string --hex-string "|deadbeef|" --algo kmp'),
    ('', '-m time --timestart 01:00 --timestop 02:00 --weekdays Mon,Tue'), ('', '-m u32 --u32 "6&0xFF=1:4"'), ('', '-m rpfilter --loose', 'pre'),
    ('', '-m hashlimit --hashlimit-upto 5/sec --hashlimit-mode srcip --hashlimit-name {name}'), ('', '-m comment --comment "second {word}"'),
    ('4', '-m iprange --src-range 10.0.0.1-10.0.0.9'), ('4', '-m iprange ! --src-range 10.0.0.1-10.0.0.9'), ('4', '-m ttl --ttl-lt 64'),
    ('4', '-m ecn --ecn-ip-ect 1'), ('tcp', '-m ecn --ecn-tcp-cwr'), ('4', '-m realm ! --realm 1'), ('6', '-m hl --hl-gt 5'), ('6', '-m eui64', 'pre in'),
    ('6', '-m frag --fragid 1:2 --fragmore'), ('6', '-m dst --dst-len 8'), ('6', '-m hbh --hbh-len 5'), ('6', '-m ipv6header --header hop --soft'),
    ('6', '-m rt --rt-type 0'), ('6', '-m srh --srh-next-hdr-eq 17'), ('6', '-m iprange --src-range fd00::1-fd00::9'),
    ('tcp', '-m tcp --dport {p}'), ('tcp', '-m tcp --sport 1:{p}'), ('tcp', '-m tcp ! --dport {p} --tcp-flags SYN,ACK SYN'), ('tcp', '-m tcp --tcp-option 8'),
    ('tcp', '-m multiport --dports {p},443,1000:2000'), ('tcp', '-m multiport ! --ports 80,81'), ('tcp', '-m tcpmss --mss 500:1400'),
    ('tcp', '-m osf --genre Linux --ttl 0', 'pre in'), ('udp', '-m udp --dport {p}'), ('udp', '-m udp ! --sport {p}:65000'), ('udp', '-m multiport --sports 53,123'),
    ('sctp', '-m sctp --dport {p}'), ('sctp', '-m sctp --chunk-types any INIT'), ('dccp', '-m dccp --dport {p}'), ('dccp', '-m dccp --dccp-types REQUEST'),
    ('esp', '-m esp --espspi {n}:{m}'), ('ah', '-m ah --ahspi {n}', '', '4'), ('icmp', '-m icmp --icmp-type echo-request'), ('icmp', '-m icmp ! --icmp-type 3/4'),
    ('ipv6-icmp', '-m icmp6 --icmpv6-type echo-request'), ('udplite', '-m multiport --dports 5,6'), ('ipcomp', '-m ipcomp --ipcompspi {n}'),
]
TARGETS = {
    'pre': ['DNAT --to-destination {lan}', 'DNAT --to-destination {lan}-{lanend} --persistent', 'DNAT --to-destination {port}', 'REDIRECT',
            'REDIRECT --to-ports {p}', 'NETMAP --to {net}', 'DNAT --to-destination {lan} --random'],
    'post': ['MASQUERADE', 'MASQUERADE --random', 'SNAT --to-source {lan}', 'SNAT --to-source {lan}-{lanend}', 'NETMAP --to {net}', 'SNAT {site}',
             'SNAT {site}', 'SNAT {site} --random-fully'],
    'in': ['SNAT --to-source {lan}', 'SNAT {site}', 'SNAT {site}'],
    'any': ['ACCEPT', 'RETURN', 'side', 'LOG --log-prefix "{word} "', 'MARK --set-xmark 0x5/0xff', 'CONNMARK --save-mark', 'NFLOG --nflog-group 5',
            'DSCP --set-dscp 5', 'CLASSIFY --set-class 1:2', 'TRACE', 'HL --hl-set 5', 'TTL --ttl-set 5', 'TCPMSS --set-mss 1400', 'AUDIT --type accept'],
}
TARGETS['out'] = TARGETS['pre']
CHAINS = {'pre': 'PREROUTING', 'out': 'OUTPUT', 'post': 'POSTROUTING', 'in': 'INPUT'}
LAN = {False: ('10.0.0.20', '10.0.0.30', '10.0.0.0/24', '10.0.0.20:8080'), True: ('fd00::20', 'fd00::30', 'fd00::/64', '[fd00::20]:8080')}


class Iptables:
    """iptables-nft-restore and iptables-nft-save."""

    def __init__(self, six):
        self.name = 'ip6tables-nft' if six else 'iptables-nft'

    @staticmethod
    def lines(things):
        lines = []
        for rule in things:
            comment = f' -m comment --comment "{rule.comment}"' if rule.comment else ''
            before, target = rule.render().split(' -j ', 1)
            lines.append(f'-A {rule.place[3]} {before}{comment} -j {target}' if rule.comment_last else
                         f'-A {rule.place[3]}{comment} {before} -j {target}')
        return [f'[{number}:{number * 100}] {line}' for number, line in enumerate(lines, 1)]

    def load(self, lines):
        kept = [True] * len(lines)
        while True:
            ruleset.flush()
            numbered = [number for number, is_kept in enumerate(kept) if is_kept]
            text = ['*nat', ':side - [0:0]'] + [lines[number] for number in numbered] + ['COMMIT']
            done = subprocess.run([f'{self.name}-restore', '-c'], input='\n'.join(text) + '\n', capture_output=True, text=True,
                                  errors='surrogateescape', check=False)
            if done.returncode == 0:
                return kept
            wrong = {int(line) - 3 for line in re.findall(r'(?:line|line:) (\d+)', done.stderr)}
            wrong = {line for line in wrong if 0 <= line < len(numbered)}
            if not wrong:
                if not numbered:
                    raise Skip(f'{self.name}-restore: {done.stderr}')
                return self.one_by_one(lines)
            for line in wrong:
                kept[numbered[line]] = False

    def one_by_one(self, lines):
        """Where it does not say which."""
        kept = []
        for line in lines:
            text = ['*nat', ':side - [0:0]', line, 'COMMIT']
            ruleset.flush()
            kept.append(subprocess.run([f'{self.name}-restore'], input='\n'.join(text) + '\n', text=True, capture_output=True,
                                       check=False).returncode == 0)
        good = self.load([line for line, is_kept in zip(lines, kept) if is_kept])
        return [is_kept and good.pop(0) for is_kept in kept]

    def shows(self):
        shown = subprocess.run([f'{self.name}-save', '-c'], capture_output=True, check=True, text=True, errors='surrogateescape').stdout
        return [re.sub(r'^#.*$', '', shown, flags=re.M)]


class Maker:
    def __init__(self, random, values):
        self.random, self.values = random, values
        self.words = Words(random)
        self.six = random.random() < .4

    def make(self):
        goal = self.random.choice(('pre', 'post', ''))	# what the chain "side" is for
        rules = [self.rule(hook, goal) for hook in self.random.choices(('pre', 'pre', 'out', 'post', 'post', 'in'), k=self.random.randint(5, 30))]
        rules += [self.rule('side', goal) for _ in range(self.random.randint(0, 6))]
        rules.sort(key=lambda rule: list(CHAINS.values()).index(rule.place[3]) if rule.place[3] != 'side' else 9)
        return journey.Made([], rules, Iptables(self.six), self.settle)

    @staticmethod
    def settle(loaded, _, __):
        calling = {rule.hook for rule in loaded if rule.target == 'side'}
        for rule in loaded:
            rule.walked = rule.hook != 'side' or bool(calling)
            hooks = calling if rule.hook == 'side' else {rule.hook}
            may = rule.target == 'side' or rule.target.startswith('NETMAP')
            rule.dnat = rule.target.startswith(('DNAT', 'REDIRECT')) or may and bool(hooks) and hooks <= {'pre', 'out'}

    def value(self):
        pool = self.values[self.six]
        return pool[0] if self.random.random() < .6 else self.random.choice(pool)

    def destination(self):
        """(form, parts)"""
        value = self.value()
        low, wide = ('2001:db8::/32', '/61') if self.six else ('203.0.113.0/24', '/23')
        forms = [('none', []), ('-d', ['-d ', Address(value)]), ('-d', ['-d ', Address(value)]), ('-d', ['-d ', Address(value)]),
                 ('! -d', [f'! -d {value}']), ('-d prefix', [f'-d {low}']), ('-d mask', [f'-d {value}{wide}']),
                 ('--ctorigdst', ['-m conntrack --ctorigdst ', Address(value, XT)]), ('! --ctorigdst', [f'-m conntrack ! --ctorigdst {value}']),
                 ('--ctorigdst prefix', [f'-m conntrack --ctorigdst {low}']),
                 ('-d --ctorigdst', ['-d ', Address(value), ' -m conntrack --ctorigdst ', Address(value, XT)])]
        same = Address(value, XT)
        forms.append(('--dst-range', ['-m iprange --dst-range ', same, '-', same]))
        forms.append(('! --dst-range', [f'-m iprange ! --dst-range {value}-{value}']))
        return self.random.choice(forms)

    def match(self, hook, transport):
        for _ in range(30):
            needs, template, *more = self.random.choice(MATCHES)
            hooks = more[0] if more else ''
            if needs in ('4', '6') and needs != ('6' if self.six else '4') or needs not in ('', '4', '6') and needs != transport:
                continue
            if hooks and hook not in hooks.split() or len(more) > 1 and self.six:
                continue
            return self.words.fill(template)
        return ''

    def target(self, hook, goal):
        """Parts after -j."""
        pool = TARGETS['any'] if self.random.random() < .3 else TARGETS.get(goal if hook == 'side' else hook, TARGETS['any'])
        lan = LAN[self.six]
        said = self.random.choice(pool)
        if said == 'side' and (hook == 'side' or goal and goal != hook and (goal, hook) != ('pre', 'out')):
            said = 'ACCEPT'
        if '{site}' in said:
            site = Address(self.random.choice((self.value(), lan[0])), SNAT)
            return ['SNAT --to-source ', site, said.replace('SNAT {site}', '')]
        return [self.words.fill(said, lan=lan[0], lanend=lan[1], net=lan[2], port=lan[3])]

    def rule(self, hook, goal):
        transport = self.random.choice(('tcp', 'tcp', 'udp', 'udp', '', 'sctp', 'dccp', 'ipv6-icmp' if self.six else 'icmp', 'esp', 'ah', 'udplite', 'ipcomp'))
        if self.six and transport == 'ah':
            transport = ''
        form, parts = self.destination()
        target = self.target(hook, goal)
        first = str(target[0])
        if re.search(r':8080|--to-ports|MASQUERADE --to|TCPMSS', first) and transport not in ('tcp', 'udp'):
            transport = 'tcp'
        protocol = f'-p {transport} ' if transport else ''
        if 'TCPMSS' in first and transport == 'tcp':
            protocol += '-m tcp --tcp-flags SYN,RST SYN '
        matches = ' '.join(filter(None, [self.match(hook, transport) for _ in range(self.random.choice((0, 0, 1, 1, 2, 3)))]))
        if not transport and self.random.random() < .1:
            protocol = '! -p tcp '
        around = [*parts, f' {protocol}{matches} '] if self.random.random() < .5 else [f' {protocol}{matches} ', *parts]
        rule = Rule(('rule', 'ip6' if self.six else 'ip', 'nat', CHAINS.get(hook, 'side')), [*around, ' -j ', *target], self.comment(), form, self.six)
        rule.hook, rule.target, rule.comment_last = hook, first, self.random.random() < .7
        # Not so many words fit a comment of another kind.
        rule.tagged = rule.tagged or 'second hairpin' in matches
        return rule

    def comment(self):
        if self.random.random() < .1:
            return None
        return self.random.choice(('hairpin', 'hairpin', 'a hairpin b', 'hairpin ' + 'z' * 240, 'web', 'Hairpin', 'hairpi'))


def make(dice, values):
    return Maker(dice, values).make()


def test_fixed():
    """random iptables-nft rules of a fixed seed are rewritten and back, and nothing else changes"""
    journey.run_quick(make)


def test_random():
    """random iptables-nft rules of a new seed too"""
    journey.run_random(make)


if __name__ == '__main__':
    run_tests([test_random] if os.environ.get('SEED') or os.environ.get('ROUNDS') else [test_fixed, test_random])
