# SPDX-License-Identifier: GPL-2.0-or-later
"""Real name servers that take DNS UPDATE with TSIG: knot, BIND, PowerDNS. Each on an address of the loopback."""

import os
import shutil
import sqlite3
import subprocess
import time

FOLDER = '/run/dns'
KEYS = {    # name: algorithm, secret
    'home.key': ('hmac-sha256', 'bm90LWEtc2VjcmV0LWJ1dC1hLXRlc3Qta2V5LTEyMw=='),
    'long.key': ('hmac-sha512', 'YW5vdGhlci1ub3Qtc28tc2VjcmV0LWtleS1mb3ItdGVzdHMtb2YtNTEyLWJpdHMtYW5kLW1vcmU='),
    'old.key': ('hmac-md5', 'b2xkLW5vdC1zZWNyZXQ='),
    'guest.key': ('hmac-sha256', 'Z3Vlc3RzLW1heS1ub3QtdXBkYXRl'),
}
ZONE = 'example.org'
RECORDS = [('@', 'SOA', 'ns.example.org. admin.example.org. 100 3600 600 86400 60'), ('@', 'NS', 'ns.example.org.'),
           ('ns', 'A', '203.0.113.53'), ('home', 'A', '192.0.2.1'), ('home', 'AAAA', '2001:db8::1'),
           ('home', 'TXT', '"stays"'), ('home', 'MX', '10 mail.example.org.'), ('mail', 'A', '192.0.2.25'),
           ('alias', 'CNAME', 'home.example.org.'), ('away', 'CNAME', 'elsewhere.example.net.')]


def zone_file(path):
    with open(path, 'w') as zone:
        zone.write(f'$ORIGIN {ZONE}.\n$TTL 60\n')
        zone.writelines(f'{name} {kind} {value}\n' for name, kind, value in RECORDS)


class Server:
    """One of them, running; dig() asks it."""

    def __init__(self, address, folder):
        self.address, self.folder = address, f'{FOLDER}/{folder}'
        os.makedirs(self.folder)
        self.argv = self.prepare()
        self.start()

    def start(self):
        """Also after stop(): on what it held."""
        with open(f'{self.folder}/log', 'a') as log:
            self.child = subprocess.Popen(self.argv, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 120
        while self.serial() is None:
            if time.monotonic() > end or self.child.poll() is not None:
                with open(f'{self.folder}/log') as log:
                    raise RuntimeError(f'{type(self).__name__} does not answer: {log.read()[-2000:]}')
            time.sleep(0.05)

    def stop(self):
        self.child.terminate()
        self.child.wait(60)

    def dig(self, name, kind):
        """The values, sorted, with their TTL."""
        answer = subprocess.run(['kdig', '+noall', '+answer', '+timeout=1', '+retry=0', f'@{self.address}', name, kind],
                                capture_output=True, text=True).stdout
        rows = [line.split(None, 4) for line in answer.splitlines() if line and not line.startswith(';')]
        return sorted((row[4], int(row[1])) for row in rows if row[3] == kind)

    def values(self, name, kind):
        return [value for value, _ in self.dig(name, kind)]

    def serial(self):
        soa = self.values(ZONE, 'SOA')
        return int(soa[0].split()[2]) if soa else None


class Knot(Server):
    program = 'knotd'

    def prepare(self):
        zone_file(f'{self.folder}/{ZONE}.zone')
        keys = ''.join(f'  - id: {name}\n    algorithm: {algorithm}\n    secret: {secret}\n'
                       for name, (algorithm, secret) in KEYS.items())
        with open(f'{self.folder}/knot.conf', 'w') as conf:
            conf.write(f'''server:
    rundir: {self.folder}
    listen: [{self.address}@53, ::1@53]
    background-workers: 1
    udp-workers: 1
    tcp-workers: 1
database:
    storage: {self.folder}
key:
{keys}
acl:
  - id: up
    key: [home.key, long.key, old.key]
    action: update
zone:
  - domain: {ZONE}
    storage: {self.folder}
    file: {ZONE}.zone
    acl: up
    zonefile-sync: -1
    journal-content: none
''')
        return ['knotd', '-c', f'{self.folder}/knot.conf']


class Bind(Server):
    program = 'named'

    def prepare(self):
        zone_file(f'{self.folder}/{ZONE}.zone')
        keys = ''.join(f'key "{name}" {{ algorithm {algorithm}; secret "{secret}"; }};\n'
                       for name, (algorithm, secret) in KEYS.items())
        with open(f'{self.folder}/named.conf', 'w') as conf:
            conf.write(f'''{keys}
options {{ directory "{self.folder}"; listen-on {{ {self.address}; }}; listen-on-v6 {{ none; }}; recursion no;
    pid-file "{self.folder}/pid"; session-keyfile "{self.folder}/session.key"; dnssec-validation no; }};
controls {{ }};
zone "{ZONE}" {{ type primary; file "{ZONE}.zone";
    update-policy {{ grant home.key zonesub ANY; grant long.key zonesub ANY; grant old.key zonesub ANY;
                     grant guest.key name guest.{ZONE}. A; }}; }};
''')
        return ['named', '-g', '-n', '1', '-c', f'{self.folder}/named.conf']


class PowerDns(Server):
    program = 'pdns_server'

    def prepare(self):
        base = f'{self.folder}/base.sqlite3'
        database = sqlite3.connect(base)
        with open(self.schema()) as schema:
            database.executescript(schema.read())
        database.execute("INSERT INTO domains (id, name, type) VALUES (1, ?, 'NATIVE')", (ZONE,))
        for name, kind, value in RECORDS:
            owner = ZONE if name == '@' else f'{name}.{ZONE}'
            words = value.split()
            priority, value = (int(words[0]), words[1]) if kind == 'MX' else (0, value)
            if kind != 'SOA':
                value = value.rstrip('.')
            database.execute('INSERT INTO records (domain_id, name, type, content, ttl, prio, auth) VALUES '
                             '(1, ?, ?, ?, 60, ?, 1)', (owner, kind, value, priority))
        for name, (algorithm, secret) in KEYS.items():
            database.execute('INSERT INTO tsigkeys (name, algorithm, secret) VALUES (?, ?, ?)', (name, algorithm, secret))
            if name != 'guest.key':
                database.execute("INSERT INTO domainmetadata (domain_id, kind, content) VALUES (1, 'TSIG-ALLOW-DNSUPDATE', ?)",
                                 (name,))
        database.execute("INSERT INTO domainmetadata (domain_id, kind, content) VALUES "
                         "(1, 'ALLOW-DNSUPDATE-FROM', '0.0.0.0/0')")
        database.execute("INSERT INTO domainmetadata (domain_id, kind, content) VALUES "
                         "(1, 'SOA-EDIT-DNSUPDATE', 'INCREASE')")
        database.commit()
        database.close()
        os.makedirs(f'{self.folder}/empty')
        return ['pdns_server', f'--config-dir={self.folder}/empty', '--launch=gsqlite3', f'--gsqlite3-database={base}',
                f'--local-address={self.address}', '--dnsupdate=yes', '--allow-dnsupdate-from=', '--daemon=no',
                '--guardian=no', f'--socket-dir={self.folder}', '--cache-ttl=0', '--negquery-cache-ttl=0',
                '--query-cache-ttl=0', '--zone-cache-refresh-interval=0', '--setuid=', '--setgid=', '--disable-syslog=yes']

    @staticmethod
    def schema():
        places = ('/usr/share/pdns-backend-sqlite3/schema', '/usr/share/doc/pdns', '/usr/share/doc/pdns-backend-sqlite',
                  '/usr/share/doc/powerdns', '/usr/share/pdns')
        for place in places:
            path = f'{place}/schema.sqlite3.sql'
            if os.path.exists(path):
                return path
        raise FileNotFoundError('schema.sqlite3.sql of PowerDNS')


def start_servers(addresses):
    """Those that are installed: {name: server}."""
    os.makedirs(FOLDER, exist_ok=True)
    servers = {}
    for kind, address in zip((Knot, Bind, PowerDns), addresses):
        subprocess.run(['ip', 'addr', 'add', f'{address}/32', 'dev', 'lo'], check=True)
        if shutil.which(kind.program):
            servers[kind.__name__] = kind(address, kind.program)
        else:
            print(f'# {kind.program} is not installed: not asked', flush=True)
    return servers
