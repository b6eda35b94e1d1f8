# SPDX-License-Identifier: GPL-2.0-or-later
"""`hairpinctl doctor --probe`: one more client on the LAN meets what a real one meets, and says why. One ruleset with a
fault at each port; all are tried at the same time."""

import concurrent.futures
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import run, wait_for  # noqa: E402
from packets import PacketLab  # noqa: E402
from tap import Skip, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
WAN, WAN6, SERVER = '81.2.69.7', '2a01:4f8:1::7', '192.168.1.2'
# 2600 and what is beyond: nobody listens.
RULES = '''
table inet r {
	chain pre {
		type nat hook prerouting priority dstnat
		ip daddr 81.2.69.7 meta l4proto { tcp, udp } th dport { 2000, 2001, 2003-2005, 2600 } dnat ip to 192.168.1.2
		iifname "wan0" tcp dport 2002 dnat ip to 192.168.1.2
		ip daddr 81.2.69.99 tcp dport 2006 dnat ip to 192.168.1.2
		ip daddr 81.2.69.7 tcp dport 2007 dnat ip to 192.168.9.77
		ip6 daddr 2a01:4f8:1::7 tcp dport 2010-2011 dnat ip6 to fd00::2
	}
	chain forward {
		type filter hook forward priority filter
		tcp dport 2004 counter drop comment "nobody to 2004"
		tcp sport 2005 drop comment "nobody from 2005"
	}
	chain post {
		type nat hook postrouting priority srcnat
		oifname "wan0" masquerade
		iifname "br0" oifname "br0" ct status dnat th dport != { 2001, 2011 } masquerade
	}
}
'''
CASES = {		# port: verdict, code, what the sentence says
    '2000': ('answered', None, '192.168.1.2 answers on port 2000 within .* takes the client for 192.168.1.1'),
    '2000/udp': ('answered', None, '192.168.1.2 answers on port 2000 '),
    '2001': ('failed', 'return-path', '^192.168.1.2 answers the client directly'),
    '2001/udp': ('failed', 'return-path', '^192.168.1.2 answers the client directly'),
    '2002': ('failed', 'wan-bound', 'The router itself answers.*, not the server: the rule asks for the WAN'),
    '2003': ('failed', 'server-silent', 'to 192.168.1.2 port 2003, and no answer'),
    '2003/udp': ('unproven', None, 'to 192.168.1.2 port 2003, and no answer .* UDP'),
    '2004': ('failed', 'lan-blocked', 'drops the packet on its way to 192.168.1.2, by inet r forward: .*nobody to 2004'),
    '2005': ('failed', 'lan-blocked', '192.168.1.2 answers, and the router drops its answer, by inet r forward: .*nobody from 2005'),
    '2006': ('failed', 'stale-literal', 'The router itself answers.*, not the server'),
    '2007': ('failed', 'server-silent', 'to 192.168.9.77, and no host of that address'),
    '2008': ('answered', None, 'The router itself answers.*; no rule sends that port'),
    '2600': ('failed', 'server-refuses', '192.168.1.2 refuses'),
    '2600/udp': ('failed', 'server-refuses', '192.168.1.2 '),
    f'2010 {WAN6}': ('answered', None, 'fd00::2 answers on port 2010 .* takes the client for fd00::1'),
    f'2011 {WAN6}': ('failed', 'return-path', '^fd00::2 answers the client directly'),
}
lab = None
seen = {}


def command(*words):
    """As root in the router, whose only other network is no matter of ours."""
    return ['nsenter', '--net=/run/netns/router', f'{BUILD}/hairpinctl', *words]


def probe(*words):
    """Exit status and report."""
    done = subprocess.run(command('--json', 'doctor', *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=300)
    assert done.stdout, f'{words}: exit {done.returncode}: {done.stderr}'
    return done.returncode, json.loads(done.stdout)


def left():
    """What is there of a client: links, tables."""
    links = json.loads(run('ip', '-j', 'link', ns='router'))
    return ([link['ifname'] for link in links if link['ifname'].startswith('hairpin')] +
            re.findall(r'hairpin-probe-\w+', run('nft', 'list', 'tables', ns='router')))


def bridge():
    link, = json.loads(run('ip', '-j', 'link', 'show', 'br0', ns='router'))
    return link['address'], link['mtu']


def try_all():
    """A client for each port, and what became of it"""
    before = bridge()
    with concurrent.futures.ThreadPoolExecutor(len(CASES)) as pool:
        for case in CASES:
            port, *address = case.split()
            seen[case] = pool.submit(probe, *(['--address', *address] if address else []), '--probe', port)
        wait_for('a client', 5, left)
        same(bridge(), before, 'the bridge while clients are there')
    wrong = []
    for case, (verdict, code, sentence) in CASES.items():
        status, report = seen[case] = seen[case].result()
        found, = report['probes']
        if ((report['verdict'], found['verdict'], found.get('code')) != (verdict, verdict, code) or
                not re.search(sentence, found['text']) or status != (verdict != 'answered')):
            wrong.append(f'{case}: exit {status}, {json.dumps(report)}')
    assert not wrong, '\n'.join(wrong)
    same((left(), bridge()), ([], before))


def names_server():
    """Who answered, and whom he saw"""
    found, = seen['2000'][1]['probes']
    same((found['server'], found['server_port'], found['seen_from']), (SERVER, 2000, '192.168.1.1'))
    assert found['took_us'] < 1000000, found
    network = re.match(r'192\.168\.1\.(\d+)$', found['client'])
    assert network and network[1] not in ('0', '1', '2', '10', '255'), found['client']


def traces():
    """The trace: in order, each rule with its words and what it did"""
    found, = seen['2004'][1]['probes']
    events = [(event['packet'], event['chain'], event['verdict']) for event in found['trace']]
    same(events, [('question', 'pre', 'dnat'), ('question', 'forward', 'drop')])
    assert 'counter' in found['trace'][1]['rule'] and 'tcp dport 2004' in found['trace'][1]['rule'], found['trace']
    answer = [event for event in seen['2005'][1]['probes'][0]['trace'] if event['packet'] == 'answer']
    same([(event['chain'], event['verdict']) for event in answer], [('forward', 'drop')])


def both_families():
    """Without --address: IPv6 too, where rules send that port on for it"""
    status, report = probe('--probe', '2010')
    same((status, [(one['address'], one['server']) for one in report['probes']]), (0, [(WAN, WAN), (WAN6, 'fd00::2')]))


def bridged():
    """Where bridged packets pass the IP firewall an answer comes back without masquerade"""
    switch = 'net.bridge.bridge-nf-call-iptables'
    try:
        run('sysctl', '-qw', f'{switch}=1', ns='router')
    except RuntimeError:
        raise Skip('no bridge netfilter') from None
    try:
        status, report = probe('--probe', '2001')
    finally:
        run('sysctl', '-qw', f'{switch}=0', ns='router')
    found, = report['probes']
    same((status, found['verdict'], found['server'], found['seen_from']), (0, 'answered', SERVER, found['client']))


def spanning_tree():
    """A bridge with a spanning tree: waited for, and said"""
    run('ip', 'link', 'set', 'br0', 'type', 'bridge', 'forward_delay', '200', 'stp_state', '1', ns='router')
    try:
        status, report = probe('--probe', '2000')
    finally:
        run('ip', 'link', 'set', 'br0', 'type', 'bridge', 'stp_state', '0', ns='router')
    found, = report['probes']
    same((status, found['verdict']), (0, 'answered'), json.dumps(report))
    assert any(re.search(r'br0 let it speak after ([3-9]|1\d) s', line) for line in found['evidence']), found


def no_bridge():
    """A LAN on a plain port: impossible, and what the rules would do; beside a bridge it does not matter"""
    run('ip', 'link', 'add', 'lan2', 'type', 'veth', 'peer', 'name', 'far2', ns='router')
    try:
        for words in (('link', 'set', 'far2', 'up'), ('addr', 'add', '192.168.2.1/24', 'dev', 'lan2'),
                      ('link', 'set', 'lan2', 'up')):
            run('ip', *words, ns='router')
        status, report = probe('--interface', 'lan2', '--probe', '2000')
        both = probe('--probe', '2000')
    finally:
        run('ip', 'link', 'del', 'lan2', ns='router')
    found, = report['probes']
    same((status, report['verdict'], found['verdict']), (1, 'impossible', 'impossible'))
    assert 'lan2 is no bridge' in found['text'], found
    assert any('sent on to 192.168.1.2 port 2000' in line for line in found['evidence']), found
    same((both[0], both[1]['verdict'], sorted(one['verdict'] for one in both[1]['probes'])),
         (0, 'answered', ['answered', 'impossible']))


def refuses_words():
    """A LAN that is not there, an address that is none: usage"""
    for words in (('--interface', 'br7'), ('--address', 'nowhere')):
        done = subprocess.run(command('doctor', *words, '--probe', '2000'), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120)
        same((done.returncode, done.stdout), (2, ''), words)
        assert words[1] in done.stderr, done.stderr


def not_root():
    """Without rights: impossible, and that root may"""
    if os.geteuid() != 0 or not os.access('/proc/self/uid_map', os.R_OK):
        raise Skip('not root')
    done = subprocess.run(['nsenter', '--net=/run/netns/router', 'setpriv', '--bounding-set=-all', '--inh-caps=-all',
                           f'{BUILD}/hairpinctl', '--json', 'doctor', '--probe', '2000'], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120, env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    report = json.loads(done.stdout)
    same((done.returncode, report['verdict']), (1, 'impossible'), done.stderr)
    assert 'Ask again as root.' in report['probes'][0]['evidence'], report


def taken_addresses():
    """An address that somebody has is not taken, also where he is no neighbour of the router's yet"""
    run('ip', 'addr', 'flush', 'dev', 'br0', ns='router')
    run('ip', 'addr', 'add', '192.168.1.1/29', 'dev', 'br0', ns='router')
    for number in (3, 4, 5):
        run('ip', 'addr', 'add', f'192.168.1.{number}/24', 'dev', 'eth0', ns='client')
    try:
        _, report = probe('--probe', '2000')
        run('ip', 'addr', 'add', '192.168.1.6/24', 'dev', 'eth0', ns='client')
        status, full = probe('--probe', '2000')
    finally:
        for number in (3, 4, 5, 6):
            run('ip', 'addr', 'del', f'192.168.1.{number}/24', 'dev', 'eth0', ns='client', check=False)
        run('ip', 'addr', 'flush', 'dev', 'br0', ns='router')
        run('ip', '-batch', '-', ns='router', input='addr add 192.168.1.1/24 dev br0\naddr add fd00::1/64 dev br0 nodad\n')
    same(report['probes'][0].get('client'), '192.168.1.6', json.dumps(report))
    same((status, full['verdict']), (1, 'impossible'))
    assert 'no free address' in full['probes'][0]['text'], full


def looks_well():
    """On a terminal of 80 columns: coloured, no line too long"""
    screen, end = pty.openpty()
    child = subprocess.Popen(command('doctor', '--probe', '2001'), stdout=end, stderr=end, stdin=subprocess.DEVNULL,
                             env=dict(os.environ, TERM='xterm', ASAN_OPTIONS='detect_leaks=0'))
    os.close(end)
    text = b''
    while True:
        try:
            more = os.read(screen, 4096)
        except OSError:
            break
        if not more:
            break
        text += more
    os.close(screen)
    same(child.wait(120), 1)
    text = text.decode().replace('\r\n', '\n')
    assert text.startswith('\033[31mFailed\033[0m: 81.2.69.7 port 2001/tcp'), text
    plain = re.sub(r'\033\[\d*m', '', text)
    assert max(map(len, plain.splitlines())) <= 80, plain
    for part in ('inet r pre: dnat by ', ': return-path\n'):
        assert part in plain, plain


def killed():
    """SIGKILL at any moment: no link, no table, no namespace stays"""
    environment = dict(os.environ, ASAN_OPTIONS='detect_leaks=0')
    children = [subprocess.Popen(command('doctor', '--probe', '2004'), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, env=environment) for _ in range(10)]

    def kill():
        child = children.pop()
        child.send_signal(signal.SIGKILL)
        child.wait()

    def tables():
        return [thing for thing in left() if thing.startswith('hairpin-probe-')]

    kill()
    wait_for('links', 10, lambda: len(left()) > 3)
    while len(children) > 5:
        time.sleep(0.1)		# asking for an address, the first try
        kill()
    wait_for('tables', 10, tables)
    while children:
        kill()
    wait_for('all of it gone', 5, lambda: not left())


def behind_another():
    """Double NAT: a rule by the WAN's link does not see the public address, and another host answers"""
    run('ip', '-batch', '-', ns='router', input=f'addr del {WAN}/24 dev wan0\naddr add 100.64.1.7/24 dev wan0\n'
        'route add default via 81.2.69.254 dev wan0 onlink\n')
    run('ip', '-batch', '-', ns='inet', input=f'addr add {WAN}/32 dev lo\nroute add 100.64.1.0/24 dev isp0\n')
    done = subprocess.run(command('doctor', '--probe', '2002'), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120)
    same((done.returncode, '--address' in done.stderr), (2, True), done.stderr)
    status, report = probe('--address', WAN, '--probe', '2002')
    found, = report['probes']
    same((status, found['verdict'], found['code']), (1, 'failed', 'twin-missing'), json.dumps(report))
    assert f'Somebody behind the router answers for {WAN}, not the server' in found['text'], found


def main():
    global lab
    with PacketLab(build=BUILD) as lab:
        lab.set_wan(WAN, WAN6)
        lab.load(RULES)
        run('ip', 'route', 'add', '192.168.9.77', 'dev', 'br0', ns='router')	# nobody's, and no client's by chance
        lab.load('table inet f {\n chain in {\n type filter hook input priority 0\n th dport 2003 drop\n }\n}\n', ns='server')
        run_tests([try_all, names_server, traces, both_families, bridged, spanning_tree, no_bridge, refuses_words, not_root, taken_addresses,
                   looks_well, killed, behind_another])


main()
