# SPDX-License-Identifier: GPL-2.0-or-later
"""A router, its LAN and an internet, each a network namespace, for demo and whole-system tests.

              inet                              router                        LAN
   45.11.1.80  provider, HTTPS       wan0 81.2.69.x | 192.168.1.1 br0 -- server 192.168.1.2 (web)
   45.11.1.53  knot, the authority      default via    (hairpind runs     -- client 192.168.1.10
   45.11.1.1   dnsmasq, resolver        81.2.69.254     here)

Only what lies on the internet is played by servers of ours; kernel, DNS servers, TLS and
HTTP are real. Must run inside tests/lab/enter. Everything started is remembered and ended by its
own process id.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

import guard

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from tap import figure  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.dirname(os.path.abspath(__file__))
GATEWAY, RESOLVER, AUTHORITY, PROVIDER = '81.2.69.254', '45.11.1.1', '45.11.1.53', '45.11.1.80'
GATEWAY6, AUTHORITY6 = '2a01:4f8:1::254', '2a01:4f8:9::53'
# A character of each kind that some encoding changes.
PASSWORD = 'Horse+"bättery"/%<correct staple>'
ZONE, HOST, PROVIDER_NAME = 'example.org', 'home.example.org', 'dyn.example.net'

# The service's users, as packages make them.
DAEMON_USER, HOOKS_USER = ('hairpind', 990), ('hairpind-hooks', 991)

RULES = '''
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr %(address)s tcp dport { 80, 443 } counter dnat to 192.168.1.2 comment "hairpin web"
		ip daddr %(address)s udp dport 5000 counter dnat to 192.168.1.2 comment "hairpin voip"
		iifname "lo" tcp dport 1 counter comment "not tagged"
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan0" counter masquerade
		iifname "br0" oifname "br0" ct status dnat counter masquerade comment "hairpin return path"
	}
}
'''


def run(*argv, ns=None, check=True, **more):
    """A command in a namespace; its standard output."""
    argv = [str(word) for word in argv]
    if ns:
        argv = ['nsenter', f'--net=/run/netns/{ns}', *argv]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=more.pop('timeout', 120), **more)
    if guard.REPORT.search(done.stderr.encode()):
        raise AssertionError(f'{" ".join(argv)}: {done.stderr}')
    if check and done.returncode != 0:
        raise RuntimeError(f'{" ".join(argv)}: exit {done.returncode}: {done.stderr.strip()}')
    return done.stdout


def wait_for(what, seconds, test, every=0.02):
    """Waits until test() is true and returns what it gave; fails with `what` after `seconds`, in which it was looked
    often: where looking or sleeping itself takes long, all the others of this machine need longer, too."""
    end, least, looks = time.monotonic() + seconds, seconds * min(10, 0.5 / every), 0
    while True:
        got = test()
        if got:
            return got
        looks += 1
        if time.monotonic() > end and looks > least:
            raise TimeoutError(f'{what}: not within {seconds} s, {looks} looks')
        time.sleep(every)


def make_room(sock, size):
    """In a socket, for what comes; an ordinary user's root gets what it may have."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, 33, size)    # SO_RCVBUFFORCE
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def real_root():
    """Are there other users? In a namespace that an ordinary user made there is but one."""
    with open('/proc/self/uid_map') as file:
        return int(file.read().split()[2]) > 1000


def add_user(name, number):
    """A user and a group of that name, in this laboratory's /etc."""
    for path, line in (('/etc/passwd', f'{name}:x:{number}:{number}::/:/bin/false'), ('/etc/group', f'{name}:x:{number}:')):
        with open(path) as file:
            kept = [other for other in file.read().splitlines() if not other.startswith(f'{name}:')]
        with open(path, 'w') as file:
            file.write('\n'.join([*kept, line, '']))


@contextlib.contextmanager
def inside(ns):
    """This thread's sockets belong to `ns` meanwhile."""
    mine = os.open('/proc/self/ns/net', os.O_RDONLY)
    there = os.open(f'/run/netns/{ns}', os.O_RDONLY)
    libc_setns(there)
    try:
        yield
    finally:
        libc_setns(mine)
        os.close(mine)
        os.close(there)


def libc_setns(descriptor):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0) != 0:
        raise OSError(ctypes.get_errno(), 'setns')


class Lab:
    """The four namespaces. Use as a context manager."""

    def __init__(self, folder='/run/lab', build='build'):
        self.folder = folder
        self.build = os.path.join(TOP, build)
        self.children = []
        self.daemon = None
        self.address = None
        self.clock = None       # virtual time, see warp.py
        self.logs = set()
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
        self.guard = guard.Guard(self)

    def __enter__(self):
        guard.watch(self.guard)
        self.make_networks()
        self.make_internet()
        self.make_lan()
        return self

    def __exit__(self, kind=None, value=None, _=None):
        for child in reversed(self.children):
            self.end(child)
        guard.leave(self.guard)
        if kind is None or kind is SystemExit and not value.code:
            self.guard.last()
        self.see_no_trap()

    def see_no_trap(self):
        """Under HAIRPIND_SECCOMP=trap whatever the filter of system calls refuses ends the process that did it."""
        if os.environ.get('HAIRPIND_SECCOMP') != 'trap':
            return
        traps = []
        for path in self.logs:
            with contextlib.suppress(FileNotFoundError), open(path, errors='replace') as log:   # its disk may be gone
                traps += [line for line in log if 'Bad system call' in line]
        figure('S38', f'{os.path.basename(sys.argv[0])}: traps', len(traps), '== 0')

    # --- processes

    def start(self, *argv, ns, log=None, **more):
        out = open(log, 'ab', buffering=0) if log else subprocess.DEVNULL
        words = [str(word) for word in argv]
        if ns:
            words = ['nsenter', f'--net=/run/netns/{ns}', *words]
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.STDOUT if log else subprocess.DEVNULL, **more)
        if log:
            out.close()
        self.children.append(child)
        return child

    def end(self, child, how=signal.SIGTERM, seconds=6):
        """Ends a child by its id; its exit status."""
        if child is not self.daemon:
            return self.end_child(child, how, seconds)
        family = self.guard.ends()
        self.end_child(child, how, seconds)
        self.daemon = None
        self.guard.ended(family)
        return child.returncode

    def end_child(self, child, how, seconds):
        if child.poll() is None:
            child.send_signal(how)
            try:
                child.wait(seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if child in self.children:
            self.children.remove(child)
        return child.returncode

    # --- networks

    def make_networks(self):
        for ns in ('inet', 'router', 'client', 'server'):
            run('ip', 'netns', 'add', ns)
            run('ip', 'link', 'set', 'lo', 'up', ns=ns)
        # Where bridged packets pass the IP hooks, they come back right without a return path.
        run('sysctl', '-qew', 'net.bridge.bridge-nf-call-iptables=0', 'net.bridge.bridge-nf-call-ip6tables=0',
            ns='router')
        run('ip', 'link', 'add', 'br0', 'type', 'bridge', ns='router')
        run('ip', 'addr', 'add', '192.168.1.1/24', 'dev', 'br0', ns='router')
        run('ip', 'link', 'set', 'br0', 'up', ns='router')
        for ns, address in (('client', '192.168.1.10'), ('server', '192.168.1.2')):
            run('ip', 'link', 'add', f'lan-{ns}', 'netns', 'router', 'type', 'veth',
                'peer', 'name', 'eth0', 'netns', ns)
            run('ip', 'link', 'set', f'lan-{ns}', 'master', 'br0', 'up', ns='router')
            run('ip', 'addr', 'add', f'{address}/24', 'dev', 'eth0', ns=ns)
            run('ip', 'link', 'set', 'eth0', 'up', ns=ns)
            run('ip', 'route', 'add', 'default', 'via', '192.168.1.1', ns=ns)
        for address in (RESOLVER, AUTHORITY, PROVIDER):
            run('ip', 'addr', 'add', f'{address}/32', 'dev', 'lo', ns='inet')
        run('ip', 'addr', 'add', f'{AUTHORITY6}/128', 'dev', 'lo', 'nodad', ns='inet')
        for ns in ('router', 'inet'):
            run('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1',
                'net.ipv4.conf.all.promote_secondaries=1', ns=ns)
        self.make_wan()

    def make_wan(self):
        """The WAN's link, as a PPPoE session makes one: new each time."""
        run('ip', 'link', 'add', 'wan0', 'netns', 'router', 'type', 'veth',
            'peer', 'name', 'isp0', 'netns', 'inet')
        run('ip', 'addr', 'add', f'{GATEWAY}/24', 'dev', 'isp0', ns='inet')
        run('ip', 'addr', 'add', f'{GATEWAY6}/64', 'dev', 'isp0', 'nodad', ns='inet')
        run('ip', 'link', 'set', 'isp0', 'up', ns='inet')
        run('ip', 'link', 'set', 'wan0', 'up', ns='router')

    def remove_wan(self):
        run('ip', 'link', 'del', 'wan0', ns='router')
        self.address = None

    def set_address(self, address, before=False):
        """A DHCP lease: the old address goes, the new one comes, with the default route."""
        if self.address and not before:
            run('ip', 'addr', 'del', f'{self.address}/24', 'dev', 'wan0', ns='router')
        run('ip', 'addr', 'add', f'{address}/24', 'dev', 'wan0', ns='router')
        run('ip', 'route', 'replace', 'default', 'via', GATEWAY, ns='router')
        if self.address and before:
            run('ip', 'addr', 'del', f'{self.address}/24', 'dev', 'wan0', ns='router')
        self.address = address

    # --- the internet

    def make_internet(self):
        self.make_certificates()
        self.start_knot()
        self.start_resolver()
        self.start_provider()
        with open('/etc/resolv.conf', 'w') as conf:
            conf.write(f'nameserver {RESOLVER}\n')

    def make_certificates(self):
        folder = self.folder
        run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
            '-nodes', '-keyout', f'{folder}/ca.key', '-out', f'{folder}/ca.pem', '-days', '3650',
            '-subj', '/CN=Test CA', '-addext', 'basicConstraints=critical,CA:TRUE',
            '-addext', 'keyUsage=critical,keyCertSign')
        run('openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
            '-keyout', f'{folder}/tls.key', '-out', f'{folder}/tls.csr',
            '-subj', f'/CN={PROVIDER_NAME}')
        with open(f'{folder}/tls.ext', 'w') as ext:
            ext.write(f'subjectAltName=DNS:{PROVIDER_NAME},DNS:*.{PROVIDER_NAME}\n')
        run('openssl', 'x509', '-req', '-in', f'{folder}/tls.csr', '-CA', f'{folder}/ca.pem',
            '-CAkey', f'{folder}/ca.key', '-CAcreateserial', '-days', '3650',
            '-extfile', f'{folder}/tls.ext', '-out', f'{folder}/tls.pem')
        for name in os.listdir(folder):
            os.chmod(f'{folder}/{name}', 0o644)

    def start_knot(self):
        folder = f'{self.folder}/knot'
        os.makedirs(folder, exist_ok=True)
        with open(f'{folder}/{ZONE}.zone', 'w') as zone:
            zone.write(f'''$ORIGIN {ZONE}.
$TTL 60
@ SOA ns1 hostmaster 1 3600 600 86400 60
@ NS ns1
ns1 A {AUTHORITY}
''')
        with open(f'{folder}/knot.conf', 'w') as conf:
            conf.write(f'''server:
    rundir: {folder}
    listen: [{AUTHORITY}@53, {AUTHORITY6}@53]
    background-workers: 1
    udp-workers: 1
    tcp-workers: 1
database:
    storage: {folder}
acl:
  - id: provider
    address: [{AUTHORITY}]
    action: update
zone:
  - domain: {ZONE}
    storage: {folder}
    file: {ZONE}.zone
    acl: provider
    zonefile-sync: -1
    journal-content: none
''')
        self.knot_conf = f'{folder}/knot.conf'
        self.knot = self.start('knotd', '-c', self.knot_conf, ns='inet', log=f'{self.folder}/knot.log')
        wait_for('knot answers', 15, lambda: self.dns('SOA', ZONE))

    def start_resolver(self, *more):
        self.resolver = self.start(
            'dnsmasq', '-d', '-C', '/dev/null', '--no-resolv', '--no-hosts', f'--listen-address={RESOLVER}',
            '--bind-interfaces', '--pid-file=', '--cache-size=0',
            f'--server=/{ZONE}/{AUTHORITY}', f'--address=/{PROVIDER_NAME}/{PROVIDER}', '--local=//', *more,
            ns='inet', log=f'{self.folder}/dnsmasq.log')
        wait_for('the resolver answers', 10, lambda: run(
            'kdig', f'@{RESOLVER}', '+short', '+timeout=1', '+retry=0', PROVIDER_NAME, 'A', ns='inet', check=False))

    def start_provider(self):
        self.provider = self.start(sys.executable, f'{HERE}/provider.py', self.folder,
                                   PROVIDER, AUTHORITY, ZONE, ns='inet', log=f'{self.folder}/provider.log')
        wait_for('the provider listens', 15, lambda: os.path.exists(f'{self.folder}/provider.ready'))

    def provider_says(self, **how):
        """The provider's next behaviour, see provider.py; no arguments: honest again."""
        temporary = f'{self.folder}/behaviour.new'
        with open(temporary, 'w') as file:
            json.dump(how, file)
        os.rename(temporary, f'{self.folder}/behaviour.json')

    def requests(self):
        """What the provider was asked so far."""
        try:
            with open(f'{self.folder}/requests.jsonl') as log:
                return [json.loads(line) for line in log]
        except FileNotFoundError:
            return []

    def dns(self, kind='A', name=HOST):
        """The authority's answer."""
        out = run('kdig', f'@{AUTHORITY}', '+short', '+timeout=1', '+retry=0', name, kind, ns='inet', check=False)
        return [line for line in out.split('\n') if line and not line.startswith(';')]

    def set_dns(self, address, kind='A', name=HOST, ttl=60):
        set_record(AUTHORITY, ZONE, name, kind, address, ns='inet', ttl=ttl)

    # --- the LAN

    def make_lan(self):
        self.start_web('server', '192.168.1.2', 'hello from the LAN server')
        self.start_web('router', '0.0.0.0', "the router's own page")

    def start_web(self, ns, address, text):
        ready = f'{self.folder}/web-{ns}.ready'
        self.start(sys.executable, f'{HERE}/web.py', address, text, ready, ns=ns)
        wait_for(f'web server of {ns}', 10, lambda: os.path.exists(ready))

    def fetch(self, address, ns='client', timeout=2.0):
        """A real HTTP fetch; the body, or why not in angle brackets."""
        with inside(ns):
            connection = http.client.HTTPConnection(address, 80, timeout=timeout)
            try:
                connection.request('GET', '/')
                return connection.getresponse().read().decode().strip()
            except (OSError, http.client.HTTPException) as problem:
                return f'<{type(problem).__name__}>'
            finally:
                connection.close()

    # --- the router

    def load_rules(self, address, text=RULES):
        run('nft', '-f', '-', ns='router', input='flush ruleset\n' + text % {'address': address})

    def rules(self, table='ip nat'):
        return run('nft', '-a', 'list', 'table', *table.split(), ns='router')

    def configuration(self, **changes):
        """A configuration with one provider; `changes` replace top-level keys."""
        config = {
            'wans': [{'interface': 'wan0', 'grace': '1s'}],
            'providers': [{
                'type': 'dyndns2', 'server': PROVIDER_NAME, 'ca_file': f'{self.folder}/ca.pem',
                'username': 'me', 'password': {'file': '/etc/hairpind/password'},
                'hostnames': [HOST]}],
            'hooks': {'directory': '/etc/hairpind/hooks.d'},
            'log': {'level': 'info'},
            'state': {'directory': '/run/lab/state'},
            'control': {'socket': '/run/hairpind/control.sock'},
        }
        config.update(changes)
        return {key: value for key, value in config.items() if value is not None}

    def write_configuration(self, config=None):
        os.makedirs('/etc/hairpind/hooks.d', exist_ok=True)
        for path, text in (('/etc/hairpind/password', PASSWORD + '\n'),
                           ('/etc/hairpind/hairpind.json', json.dumps(config or self.configuration(), indent=1))):
            with open(os.open(path + '.new', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
                file.write(text)
            os.rename(path + '.new', path)

    def write_hook(self, name='10-note', text=None):
        os.makedirs('/etc/hairpind/hooks.d', exist_ok=True)
        text = text or f'''#!/bin/sh
echo "$HAIRPIN_EVENT $HAIRPIN_FAMILY $HAIRPIN_OLD $HAIRPIN_NEW $HAIRPIN_HOSTNAME" >> {self.folder}/hooks.log
{{ echo "$@"; export -p; cat; }} >> {self.folder}/hooks.got	# for the guard
'''
        path = f'/etc/hairpind/hooks.d/{name}'
        with open(path, 'w') as file:
            file.write(text)
        os.chmod(path, 0o755)
        for log in (f'{self.folder}/hooks.log', f'{self.folder}/hooks.got'):
            if not os.path.exists(log):
                open(log, 'w').close()
            os.chmod(log, 0o666)

    def hook_lines(self):
        with open(f'{self.folder}/hooks.log') as log:
            return log.read().splitlines()

    def start_daemon(self, *more, wait=True, log=None):
        self.log_path = log or f'{self.folder}/hairpind.log'
        self.logs.add(self.log_path)
        environment = dict(os.environ, ASAN_OPTIONS='detect_leaks=0:abort_on_error=0:verify_asan_link_order=0',
                           UBSAN_OPTIONS='print_stacktrace=1', **(self.clock.environment() if self.clock else {}))
        self.daemon = self.start(f'{self.build}/hairpind', *more, ns='router', log=self.log_path, env=environment)
        if wait:
            wait_for('the daemon answers', 10, lambda: self.status() or self.daemon.poll() is not None)
        self.guard.started()
        return self.daemon

    def stop_daemon(self, how=signal.SIGTERM):
        return self.end(self.daemon, how)

    def kill(self, name):
        """kill -9 of one of the daemon's processes; its id."""
        pid = self.processes()[name]
        self.guard.expects(dies=name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def ctl(self, *words, json_out=True, check=False):
        argv = [f'{self.build}/hairpinctl', *(['--json'] if json_out else []), *words]
        environment = dict(os.environ, ASAN_OPTIONS='detect_leaks=0')
        out = run(*argv, ns='router', check=check, env=environment)
        self.guard.saw(f'hairpinctl {" ".join(words)}', out)
        return json.loads(out) if json_out and out.strip() else out

    def status(self):
        with contextlib.suppress(RuntimeError, ValueError, subprocess.TimeoutExpired):
            return self.ctl('status', check=True)
        return None

    def record(self, family='ipv4', hostname=HOST):
        status = self.status() or {}
        for record in status.get('records', []):
            if (record['hostname'], record['family']) == (hostname, family):
                return record
        return None

    def log(self):
        with open(self.log_path, errors='replace') as log:
            return log.read()

    def processes(self):
        """{'supervisor': pid, 'core': pid, 'publisher': pid or None} of the daemon."""
        found = {'supervisor': self.daemon.pid, 'core': None, 'publisher': None}
        with open(f'/proc/{self.daemon.pid}/task/{self.daemon.pid}/children') as children:
            pids = [int(word) for word in children.read().split()]
        for pid in pids:
            with contextlib.suppress(OSError):
                with open(f'/proc/{pid}/cmdline', 'rb') as file:
                    name = file.read().replace(b'\0', b' ').decode(errors='replace')
                if 'hairpin-publish' in name:
                    found['publisher'] = pid
                elif 'hairpind: core' in name:
                    found['core'] = pid
        return found


def set_record(server, zone, name, kind, address, ns=None, ttl=60):
    """Dynamic update (RFC 2136) of one record set; address None removes it."""
    script = f'server {server}\nzone {zone}.\nupdate delete {name}. {kind}\n'
    if address:
        script += f'update add {name}. {ttl} {kind} {address}\n'
    run('knsupdate', ns=ns, input=script + 'send\nquit\n')
