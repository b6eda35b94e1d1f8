# SPDX-License-Identifier: GPL-2.0-or-later
"""
A router behind another one: its WAN address is private, rules and records get the public one from a source, and
follow when it changes outside. Whom it asks: web services, a name server, a command, a real miniupnpd.
"""

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..', '.')]
from lab import Lab, inside, run, wait_for  # noqa: E402
from tap import Skip, run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
INNER, FIRST, SECOND = '100.64.0.7', '81.2.69.77', '81.2.69.78'
MODEM = '100.64.0.1'
RULES = '''
table ip nat {
	chain pre {
		type nat hook prerouting priority dstnat
		ip daddr 0.0.0.0 tcp dport 443 dnat to 192.168.1.2 comment "hairpin web"
		iifname "wan0" tcp dport 443 dnat to 192.168.1.2
	}
}
'''
lab = None
public = FIRST


class Whoami:
    """A name server of the internet that says `public` to everybody."""

    def __init__(self, address):
        self.asked, self.last = 0, b''
        with inside('inet'):
            run('ip', 'addr', 'add', f'{address}/32', 'dev', 'lo', ns='inet')
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((address, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, peer = self.socket.recvfrom(2000)
            self.asked += query != self.last        # on a busy machine it asks again, with the same bytes
            self.last = query
            end = query.index(b'\0', 12) + 5
            self.socket.sendto(query[:2] + struct.pack('>HHHHH', 0x8400, 1, 1, 0, 0) + query[12:end] + b'\xc0\x0c' +
                               struct.pack('>HHIH', 1, 1, 0, 4) + socket.inet_aton(public), peer)


def configure(source, **more):
    lab.write_configuration(lab.configuration(wans=[{'interface': 'wan0', 'grace': '1s', 'ipv6': 'off',
                                                     'ipv4': source, **more}]))


def wan():
    return (lab.status() or {'wans': [{'ipv4': None}]})['wans'][0]


def has(address):
    return f'ip daddr {address} tcp dport 443' in lab.rules()


def fresh(source):
    """A daemon that knows nothing yet, with rules that name nothing."""
    if lab.daemon:
        lab.stop_daemon()
    shutil.rmtree('/run/lab/state', ignore_errors=True)
    configure(source)
    lab.load_rules('', RULES)


DNS = {'source': 'dns', 'server': '45.11.1.60', 'name': 'whoami.example.org'}


def by_dns():
    """rules, record, hook and status get what the name server says; the interface keeps its private one"""
    global public
    lab.write_hook()
    fresh(DNS)
    lab.start_daemon()
    wait_for('the rule', 15, lambda: has(FIRST))
    wait_for('the record', 30, lambda: lab.dns() == [FIRST])
    found = wan()
    same((found['ipv4']['address'], found['ipv4']['class'], found['ipv4']['source']), (FIRST, 'global', 'dns'))
    same((found['outside'][0]['interface_address'], found['outside'][0]['reason']), (INNER, None))
    assert 'found by dns' in lab.log() and 'is private' not in lab.log(), lab.log()
    wait_for('the hook', 10, lambda: [line for line in lab.hook_lines() if line.startswith('startup')])
    same(whoami.asked, 1)
    # A change outside is seen at the next look; who asks for one gets it no sooner than the server bears.
    public = SECOND
    lab.daemon.send_signal(signal.SIGUSR1)
    time.sleep(3)       # what must not happen has no event
    same((whoami.asked, has(FIRST)), (1, True))


def by_command():
    """a command of the user's: its answer, a change of it, nonsense, a refused file"""
    path = '/etc/hairpind/my-address'
    os.makedirs('/etc/hairpind', exist_ok=True)

    def write(text, mode=0o755):
        with open(path + '.new', 'w') as file:
            file.write(text)
        os.chmod(path + '.new', mode)
        os.rename(path + '.new', path)

    note = f'{lab.folder}/command.env'
    open(note, 'w').close()
    os.chmod(note, 0o666)
    write(f'#!/bin/sh\necho "$HAIRPIN_WAN $HAIRPIN_INTERFACE $HAIRPIN_FAMILY $*" >> {note}\necho to the log >&2\necho {FIRST}\n')
    command = {'source': 'command', 'command': [path, 'a b', '']}
    fresh(command)
    lab.start_daemon()
    wait_for('the rule', 15, lambda: has(FIRST))
    same(wan()['ipv4']['source'], 'command')
    with open(note) as file:
        same(file.read(), 'wan wan0 ipv4 a b \n')
    wait_for('its words in the log', 5, lambda: 'to the log' in lab.log())
    for text, mode, why in ((f'#!/bin/sh\necho {FIRST}; echo {SECOND}\n', 0o755, 'not one address'),
                            ('#!/bin/sh\nyes 81.2.69.7 | head -n 9999\n', 0o755, 'printed more than one address'),
                            (f'#!/bin/sh\necho {SECOND}; exit 3\n', 0o755, 'exit status is not 0'),
                            (f'#!/bin/sh\necho {INNER}\n', 0o755, 'not public (cgnat)'),
                            (f'#!/bin/sh\necho {SECOND}\n', 0o757, 'others may write it')):
        write(text, mode)
        fresh(command)
        lab.start_daemon()
        wait_for(why, 15, lambda why=why: why in (wan()['outside'][0]['reason'] or ''))
        same((wan()['ipv4'], has(SECOND)), (None, False), why)


def once():
    return subprocess.run(['nsenter', '--net=/run/netns/router', f'{lab.build}/hairpind', '--once'], text=True, timeout=70,
                          stderr=subprocess.PIPE, check=True, env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0')).stderr


def once_and_dry_run():
    """--once waits for the answer, and asks no second time; --dry-run says each rule once, with it"""
    fresh(DNS)
    out = subprocess.run(['nsenter', '--net=/run/netns/router', f'{lab.build}/hairpind', '--dry-run'], text=True, timeout=70,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                         env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    same(out.returncode, 0, out.stderr)
    rules = [line for line in out.stdout.splitlines() if 'hairpin web' in line]
    assert len(rules) == 1 and public in rules[0], out.stdout
    assert f'-> {public}' in out.stdout and not has(public), out.stdout
    said = once()
    same((has(public), lab.dns()), (True, [public]), said)
    # The next ones, and a daemon, know it: nobody is asked within the interval.
    before = whoami.asked
    for _ in range(3):
        lab.load_rules('', RULES)
        said = once()
        assert f'IPv4 {public}, found by dns at 20' in said, said
        assert has(public), said
    lab.load_rules('', RULES)
    lab.start_daemon()
    wait_for('the rule again', 15, lambda: has(public))
    same(whoami.asked, before)


def interface_has_its_own():
    """a global address of the interface: nobody is asked"""
    fresh(DNS)
    before = whoami.asked
    run('ip', 'addr', 'add', '81.2.69.9/24', 'dev', 'wan0', ns='router')
    run('ip', 'addr', 'del', f'{INNER}/24', 'dev', 'wan0', ns='router')
    run('ip', 'route', 'replace', 'default', 'via', '81.2.69.254', 'dev', 'wan0', ns='router')
    lab.start_daemon()
    wait_for('the rule', 15, lambda: has('81.2.69.9'))
    same((wan()['ipv4']['source'], wan()['outside'][0]['needed']), ('interface', False))
    time.sleep(2)
    same(whoami.asked, before)
    # It is behind another router again: now it is asked, at once.
    run('ip', 'addr', 'add', f'{INNER}/24', 'dev', 'wan0', ns='router')
    run('ip', 'addr', 'del', '81.2.69.9/24', 'dev', 'wan0', ns='router')
    run('ip', 'route', 'replace', 'default', 'via', MODEM, 'dev', 'wan0', ns='router')
    wait_for('the public one', 15, lambda: has(public))
    same(whoami.asked, before + 1)


def start_modem(address):
    """miniupnpd on the router in front; its external address."""
    run('ip', 'addr', 'flush', 'dev', 'ext0', ns='inet')
    run('ip', 'addr', 'add', f'{address}/32', 'dev', 'ext0', ns='inet')
    conf = f'{lab.folder}/miniupnpd.conf'
    with open(conf, 'w') as file:
        file.write(f'''ext_ifname=ext0
listening_ip=isp0
http_port=5000
enable_natpmp=yes
enable_upnp=yes
secure_mode=yes
system_uptime=yes
notify_interval=60
uuid=00000000-0000-0000-0000-000000000000
lease_file={lab.folder}/upnp.leases
allow 1024-65535 0.0.0.0/0 1024-65535
''')
    log = f'{lab.folder}/miniupnpd.log'
    modem = lab.start('miniupnpd', '-d', '-f', conf, '-P', f'{lab.folder}/miniupnpd.pid', ns='inet', log=log)
    wait_for('miniupnpd serves', 10, lambda: modem.poll() is not None or listens('5351') and listens('1900'))
    with open(log) as said:
        assert modem.poll() is None, said.read()
    return modem


def listens(port):
    return f':{port} ' in run('ss', '-lun', ns='inet')


def asked_again(address):
    """Somebody wants to know it now; the router is asked at most every five seconds."""
    lab.daemon.send_signal(signal.SIGUSR1)
    return has(address)


def by_miniupnpd():
    """a real miniupnpd in front: PCP, NAT-PMP and UPnP tell its external address, and the next one"""
    if not shutil.which('miniupnpd'):
        raise Skip('miniupnpd is not installed')
    run('ip', 'link', 'add', 'ext0', 'type', 'bridge', ns='inet')
    run('ip', 'link', 'set', 'ext0', 'up', ns='inet')
    run('ip', 'addr', 'del', '81.2.69.254/24', 'dev', 'isp0', ns='inet')     # it serves private sides only
    for source in ('pcp', 'upnp'):
        fresh({'source': source})
        modem = start_modem(FIRST)
        lab.start_daemon()
        wait_for(f'the rule by {source}', 30, lambda: has(FIRST))
        same(wan()['ipv4']['source'], source)
        lab.end(modem)
        modem = start_modem(SECOND)
        wait_for(f'the next one by {source}', 30, lambda: asked_again(SECOND), every=1)
        lab.end(modem)


with Lab(build=BUILD) as lab:
    run('ip', 'addr', 'add', f'{MODEM}/24', 'dev', 'isp0', ns='inet')
    run('ip', 'addr', 'add', f'{INNER}/24', 'dev', 'wan0', ns='router')
    run('ip', 'route', 'replace', 'default', 'via', MODEM, ns='router')
    run('sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0', ns='inet')
    whoami = Whoami('45.11.1.60')
    run_tests([by_dns, by_command, once_and_dry_run, interface_has_its_own, by_miniupnpd])
