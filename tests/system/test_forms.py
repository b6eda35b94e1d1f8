# SPDX-License-Identifier: GPL-2.0-or-later
"""Every form of a rule that names the WAN's address, by packets: who answers a LAN client and one from the internet
before the daemon runs, with it, after a change of both addresses, and when they are back."""

import difflib
import os
import re
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..', '.')]
from forms import (FAMILIES, FIRST, FORMS, IPTABLES, OWNED, ROUTERS, SECOND, SERVERS, STRANGERS, TABLES,  # noqa: E402
                   place)
from lab import run, wait_for  # noqa: E402
from packets import BASE, PacketLab  # noqa: E402
from tap import Skip, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
PLACED = place(FORMS + IPTABLES + TABLES + [OWNED], 2000, 3000)
NFT = {'ip': ('ip',), 'inet': ('inet', 'inet6'), 'ip6': ('ip6',)}
lab = None
seen = {}	# day -> what was answered
listed = {}	# day -> the ruleset then


# --- the ruleset

def render_table(family, wan, zero):
    pre, post, more = [], [], []
    for placed in PLACED:
        if placed.family not in NFT[family]:
            continue
        rule = placed.text('pre', wan, **zero.get(placed.v6, {}))
        if placed.form.gate:
            more.append(f'\tchain gate_{placed.port} {{ {rule}; }}')
            rule = f'tcp dport {placed.port} jump gate_{placed.port}'
        pre.append(rule)
        post.append(placed.text('post', wan))
        more.append(placed.text('more', wan))
    go = {'ip': f'dnat to {SERVERS[0]}', 'ip6': f'dnat to {SERVERS[1]}',
          'inet': f'meta nfproto ipv4 dnat ip to {SERVERS[0]}\nmeta nfproto ipv6 dnat ip6 to {SERVERS[1]}'}
    lines = [f'table {family} forms {{', f'chain to_server {{\n{go[family]}\n}}', *more,
             'chain pre {\ntype nat hook prerouting priority dstnat;', *pre, '}',
             'chain post {\ntype nat hook postrouting priority srcnat;', *post, '}', '}']
    return '\n'.join(lines) + '\n'


def render_iptables(family, wan):
    server = SERVERS[FAMILIES[family]]
    lines = ['*nat', ':TO_SERVER - [0:0]', f'-A TO_SERVER -j DNAT --to-destination {server}']
    for placed in PLACED:
        if placed.family == family:
            lines += [f'-A {chain} {placed.text(part, wan)}' for chain, part in
                      (('PREROUTING', 'pre'), ('POSTROUTING', 'post')) if getattr(placed.form, part)]
    return '\n'.join(lines) + '\nCOMMIT\n'


def load_tables(ns, wan):
    for placed in PLACED:
        if placed.family != 'own' or placed.refused:
            continue
        try:
            lab.load(placed.text('more', wan), ns)
        except RuntimeError as problem:
            if not placed.form.may_lack:
                raise
            placed.refused = f'no {placed.form.may_lack} here: {str(problem).splitlines()[0].rpartition(": ")[2]}'


def load(ns, wan, zero=()):
    lab.load(BASE + ''.join(render_table(family, wan, dict(zero)) for family in NFT), ns)
    load_tables(ns, wan)
    lab.load_iptables(render_iptables('iptables', wan), 4, ns)
    lab.load_iptables(render_iptables('ip6tables', wan), 6, ns)


def listing(ns='router'):
    """The ruleset without counters and clocks. Numbers of anonymous sets are never listed."""
    text = ''.join(run('nft', 'list', *table.split(), ns=ns) for table in
                   run('nft', 'list', 'tables', ns=ns).splitlines() if table.split()[2] not in ('nat', 'owned'))
    text += run('iptables-nft-save', ns=ns) + run('ip6tables-nft-save', ns=ns)
    text = re.sub(r'^# (Generated|Completed).*|\[\d+:\d+\]', '', text, flags=re.M)
    return re.sub(r' packets \d+ bytes \d+| expires \w+', '', text)


# --- the days

def questions(wan, former=None):
    """Everything that can be asked: of the address that the WAN has, and of the one that it had."""
    for placed in PLACED:
        proto, port, v6 = placed.form.proto, placed.port, placed.v6
        if placed.form.outwards:
            yield (placed.name, 'lan', 'out'), ('lan', 'tcp', STRANGERS[v6], port)
            continue
        for client in placed.form.clients:
            yield (placed.name, client, 'now'), (client, proto, wan[v6], port)
        if former:
            first = placed.form.clients[0]
            yield (placed.name, first, 'former'), (first, proto, former[v6], port)


def in_step(wan):
    """The first form is a plain one."""
    return all(f'daddr {wan[v6]} tcp dport {2000 + 4 * v6} ' in
               run('nft', 'list', 'chain', f'ip{six}', 'forms', 'pre', ns='router') for v6, six in enumerate(('', '6')))


def change(day, wan, former):
    before = lab.generation()
    lab.mark_log()
    with lab.unseen():
        lab.set_wan(*wan)
    wait_for(f'the rules follow to {wan}', 10, lambda: in_step(wan))
    lab.wait_forgotten(*former)
    seen[day] = lab.ask(questions(wan, former))
    seen[day]['batches'] = lab.generation() - before
    listed[day] = listing()


def make_mirror():
    """A namespace for the ruleset as a file with the new address would make it."""
    run('ip', 'netns', 'add', 'mirror')
    for link in ('br0', 'wan0'):		# a flowtable names them
        run('ip', 'link', 'add', link, 'type', 'bridge', ns='mirror')


def live():
    lab.set_wan(*FIRST)
    load('router', FIRST, {0: {'zero': '0.0.0.0'}, 1: {'zero': '::'}})
    lab.own(PLACED[-1].text('more', FIRST))
    make_mirror()
    load('mirror', SECOND)
    listed['file'] = listing('mirror')
    seen['early'] = lab.ask(questions(FIRST))
    lab.write_configuration(lab.configuration(providers=None, hooks=None))
    lab.start_daemon()
    wait_for('the daemon has looked', 10, lambda: (lab.status() or {})['wans'][0]['rules']['last_sync'])
    seen['home'] = lab.ask(questions(FIRST))
    listed['home'] = listing()
    seen['rules'] = lab.ctl('rules')
    change('away', SECOND, FIRST)
    seen['rules away'] = lab.ctl('rules')
    change('back', FIRST, SECOND)


# --- what must be

def expected(placed, day):
    form = placed.form
    wanted = {'early': (form.early,), 'home': (form.home,), 'away': (form.away, form.former),
              'back': (form.home, form.returned)}[day]
    if form.outwards:
        return {('lan', 'out'): 'stranger'}
    answers = {(client, 'now'): wanted[0] for client in form.clients}
    if len(wanted) > 1:
        answers[form.clients[0], 'former'] = wanted[1]
    return answers


def check_day(placed, day, wan):
    form = placed.form
    for (client, which), name in expected(placed, day).items():
        got, peer, port = seen[day][placed.name, client, which]
        what = f'{day}: {client} asked the {which} address'
        same(got, name, what)
        if which == 'now':
            same(port, placed.port + form.answers_at, what + ': port')
        if which != 'former' and client == 'lan' and form.peer:
            same(peer, (wan if form.peer == 'wan' else ROUTERS)[placed.v6], what + ': whom the server saw')


def check_reason(placed):
    found = [item for item in seen['rules away']['items']
             if re.search(rf'\b{placed.port}$', item['comment']) and item['result'] == 'skipped']
    assert found and placed.form.reason in found[0]['reason'], found


def test_of(placed):
    def test():
        if placed.refused:
            raise Skip(placed.refused)
        for day, wan in (('early', FIRST), ('home', FIRST), ('away', SECOND), ('back', FIRST)):
            check_day(placed, day, wan)
        if placed.form.reason:
            check_reason(placed)
    test.__doc__ = placed.name
    test.__name__ = re.sub(r'\W+', '_', placed.name)
    return test


def compare(one, other):
    different = list(difflib.unified_diff(listed[one].splitlines(), listed[other].splitlines(), one, other, n=0))
    assert not different, '\n' + '\n'.join(different)


def as_from_file():
    """After the change the ruleset is what a file with the new address would have made"""
    compare('file', 'away')


def as_before():
    """Back again the ruleset is what it was"""
    compare('home', 'back')


def one_batch():
    """Each change of both families' addresses is one batch"""
    same((seen['away']['batches'], seen['back']['batches']), (1, 1))


def clean():
    """No warning"""
    same(lab.stop_daemon(), 0)
    log = lab.log()
    same(re.findall(r'^<[0-4]>.*', log, re.M), [])


def failed(problem):
    def days():
        """The days pass"""
        raise problem
    return days


def main():
    global lab
    with PacketLab(build=BUILD) as lab:
        try:
            live()
        except (AssertionError, RuntimeError, TimeoutError) as problem:
            problem.log = lab.log() if lab.daemon else ''
            os.environ.pop('TEST_ONLY', None)
            run_tests([failed(problem)])
        run_tests([test_of(placed) for placed in PLACED] + [as_from_file, as_before, one_batch, clean])


main()
