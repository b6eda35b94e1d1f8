# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs as a user calls them: --rewrite, --once, --dry-run, -n, --print-config, hairpinctl; exit statuses."""

import json
import os
import re
import stat
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from lab import HOST, Lab, run, wait_for  # noqa: E402
from tap import run_tests, same  # noqa: E402

BUILD = os.environ.get('HAIRPIN_BUILD', 'build/asan')
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS='detect_leaks=0')
lab = None

FORMS = '''
table inet fw {
	set lan { type ipv4_addr; flags interval; elements = { 192.168.1.0/24 } }
	set wan4 { type ipv4_addr; comment "hairpin set"; elements = { 81.2.69.1 } }
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		iifname != "wan0" ip daddr 81.2.69.1 tcp dport { 80, 443, 8000-8010 } counter dnat ip to 192.168.1.2 comment "hairpin a"
		ip saddr 10.0.0.0/8 ip daddr 0.0.0.0 tcp dport 22 dnat ip to 192.168.1.2:2222 comment "my hairpin b"
		ip daddr 81.2.69.0/24 tcp dport 81 dnat ip to 192.168.1.2 comment "hairpin prefix"
		ip daddr != 81.2.69.1 tcp dport 82 dnat ip to 192.168.1.2 comment "hairpin not"
		tcp dport 83 dnat ip to 192.168.1.2 comment "hairpin none"
		ip daddr 81.2.69.1 tcp dport 84 dnat ip to 192.168.1.2 comment "Hairpin near miss"
		ip daddr 81.2.69.1 tcp dport 85 dnat ip to 192.168.1.2
		ip6 daddr 2a01:4f8::1 tcp dport 80 dnat ip6 to fd00::2 comment "hairpin six"
		jump more comment "hairpin jump"
	}
	chain more {
		ip daddr 81.2.69.1 udp dport 53 redirect to :5353 comment "hairpin sub"
	}
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 192.168.1.0/24 ip daddr 192.168.1.2 masquerade comment "hairpin masq"
		ip daddr 81.2.69.1 masquerade comment "hairpin masq former"
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		ip daddr 81.2.69.1 accept comment "hairpin filter"
	}
}
'''


def call(program, *words, text=None):
    """(exit status, stdout, stderr) of one of our programs on the router."""
    done = subprocess.run(['nsenter', '--net=/run/netns/router', f'{lab.build}/{program}', *words], input=text,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=90, env=ENVIRONMENT)
    return done.returncode, done.stdout, done.stderr


def load_forms():
    run('nft', '-f', '-', ns='router', input='flush ruleset\n' + FORMS)


def uncounted(text):
    return re.sub(r'packets \d+ bytes \d+', '', text)


def listing():
    return run('nft', '-a', 'list', 'ruleset', ns='router')


def rewrite_json():
    """--rewrite --json: every tagged thing of a mixed ruleset, changed or left alone with a reason; nothing else moves"""
    load_forms()
    before = listing()
    status, out, error = call('hairpind', '--rewrite', '81.2.69.9', '--json')
    same((status, error), (0, ''))
    report = json.loads(out)
    same(report['address'], '81.2.69.9')
    got = {item['comment']: (item['result'], item['old']) for item in report['items'] if item['kind'] == 'rule'}
    same({comment for comment, (result, _) in got.items() if result == 'changed'},
         {'hairpin a', 'my hairpin b', 'hairpin sub', 'hairpin masq former'})
    same(got['my hairpin b'], ('changed', '0.0.0.0'))
    for comment in ('hairpin prefix', 'hairpin not', 'hairpin none', 'hairpin six', 'hairpin masq', 'hairpin jump'):
        same(got[comment][0], 'skipped', comment)
    assert 'Hairpin near miss' not in got and 'hairpin filter' not in got
    assert all(item['reason'] for item in report['items'] if item['result'] == 'skipped'), report
    same(report['tagged'], len(report['items']))
    same([(item['chain'], item['result'], item['old'], item['new']) for item in report['items'] if item['kind'] == 'set'],
         [('wan4', 'changed', '81.2.69.1', '81.2.69.9')])
    same(report['changed'], 5)
    same(report['tagged'], report['changed'] + report['unchanged'] + report['skipped'])
    wanted = before
    for line in before.splitlines():
        if any(f'"{comment}"' in line for comment in ('hairpin a', 'hairpin sub', 'hairpin masq former')):
            wanted = wanted.replace(line, line.replace('81.2.69.1', '81.2.69.9', 1))
        if '"my hairpin b"' in line:
            wanted = wanted.replace(line, line.replace('daddr 0.0.0.0', 'daddr 81.2.69.9'))
    wanted = wanted.replace('elements = { 81.2.69.1 }', 'elements = { 81.2.69.9 }')
    same(listing().splitlines(), wanted.splitlines())


def rewrite_again():
    """--rewrite again: nothing differs, nothing is sent"""
    monitor = subprocess.Popen(['nsenter', '--net=/run/netns/router', 'nft', 'monitor'], stdout=subprocess.PIPE, text=True)
    try:
        report = json.loads(call('hairpind', '--rewrite', '81.2.69.9', '--json')[1])
        same((report['changed'], report['unchanged'], report['commit_us']), (0, 5, 0))
        load_forms()
    finally:
        wait_for('the monitor', 5, lambda: True)
        monitor.terminate()
    seen = monitor.communicate()[0]
    assert 'hairpind' not in seen and 'add rule inet fw pre ip daddr 81.2.69.9' not in seen, seen


def rewrite_dry():
    """--rewrite --dry-run and --table: say, and change only what was asked"""
    load_forms()
    before = listing()
    status, out, _ = call('hairpind', '--rewrite', '81.2.69.9', '--dry-run')
    same(status, 0)
    assert '81.2.69.1' in out and '81.2.69.9' in out and 'hairpin a' in out, out
    same(listing(), before)
    same(json.loads(call('hairpind', '--rewrite', '81.2.69.9', '--table', 'ip:nat', '--json')[1])['tagged'], 0)
    same(listing(), before)


def rewrite_family():
    """--rewrite with an IPv6 address moves the ip6 rules and no other"""
    report = json.loads(call('hairpind', '--rewrite', '2a01:4f8::99', '--json')[1])
    same([item['comment'] for item in report['items'] if item['result'] == 'changed'], ['hairpin six'])
    assert 'ip6 daddr 2a01:4f8::99 tcp dport 80' in listing()


def rewrite_usage():
    """--rewrite of no address is a usage error: 2, and nothing changes"""
    before = listing()
    for word in ('', '1.2.3', '081.2.69.1', '81.2.69.1/24', 'home.example.org', '81.2.69.1:80', '::ffff:81.2.69.1',
                 '0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255', '::', '::1', 'ff02::1'):
        status, _, error = call('hairpind', '--rewrite', word)
        same(status, 2, word)
        assert error.strip(), word
    same(listing(), before)


def rewrite_missing():
    """--add-missing: a port forward without a destination gets one; that is said, and as JSON too"""
    load_forms()
    before = listing()
    status, out, error = call('hairpind', '--rewrite', '81.2.69.9', '--add-missing', '--dry-run')
    same((status, error), (0, ''))
    assert '"hairpin none": added 81.2.69.9 (dry run)\n' in out, out
    same(listing(), before)
    status, out, _ = call('hairpind', '--rewrite', '81.2.69.9', '--add-missing', '--json')
    items = [item for item in json.loads(out)['items'] if item['comment'] == 'hairpin none']
    same([(item['result'], item['old'], item['new']) for item in items], [('changed', None, '81.2.69.9')])
    assert 'ip daddr 81.2.69.9 tcp dport 83 dnat' in listing()


def usage():
    """Usage: help on stdout with 0, mistakes on stderr with 2, versions"""
    for program in ('hairpind', 'hairpinctl'):
        status, out, error = call(program, '--help')
        same((status, error), (0, ''))
        assert program in out
        status, out, error = call(program, '--nonsense')
        same((status, out), (2, ''))
        assert error
        status, out, _ = call(program, '--version')
        same(status, 0)
        assert '0.1' in out, out
        same(call(program, '-V'), (status, out, ''))
    for words in (['--state-dir', ''], ['--state-dir', 'x' * 5000], ['--socket', 'relative'],
                  ['--socket', '/' + 'x' * 200]):
        status, _, error = call('hairpind', *words)
        same(status, 2)
        assert 'usage' in error and len(error.splitlines()) == 1, error
    status, _, error = call('hairpin-publish')
    same(status, 2)
    assert 'hairpind' in error


def no_daemon():
    """hairpinctl without a daemon: 4 and what to do; rules and version need none"""
    status, _, error = call('hairpinctl', 'status')
    same(status, 4)
    assert 'hairpind' in error
    status, out, _ = call('hairpinctl', '--json', 'rules')
    same(status, 0)
    assert any(item['comment'] == 'hairpin a' for item in json.loads(out)['items'])
    same(call('hairpinctl', 'version')[0], 0)
    same(call('hairpinctl', 'frobnicate')[0], 2)


def plan_alone():
    """hairpinctl plan without a daemon: what --rewrite would do to the rules, records by name; 3; nothing is changed"""
    load_forms()
    before = run('nft', '-a', 'list', 'ruleset', ns='router')
    status, out, error = call('hairpinctl', '--json', 'plan', '--address', '81.2.69.9')
    same(status, 3, error)
    plan = json.loads(out)
    changed = {item['comment']: (item['old'], item['new']) for item in plan['rules'] if item['result'] == 'changed'}
    same(changed['hairpin a'], ('81.2.69.1', '81.2.69.9'))
    same(plan['pending'], len(changed))
    assert all(item['reason'] for item in plan['rules'] if item['result'] == 'skipped'), plan
    same([(r['hostname'], r['action']) for r in plan['records'] if r['family'] == 'ipv4'], [(HOST, 'unknown')])
    status, out, _ = call('hairpinctl', 'plan', '--address', '81.2.69.9')
    same(status, 3)
    assert 'ip to' not in out and '"hairpin a": 81.2.69.1 -> 81.2.69.9' in out and '--dry-run' in out, out
    same(call('hairpinctl', 'plan', '--address', '81.2.69')[0], 2)
    same(run('nft', '-a', 'list', 'ruleset', ns='router'), before)


def check():
    """-n: every mistake in one run with file:line:column and caret, exit 2; a good file 0"""
    lab.write_configuration()
    status, out, _ = call('hairpind', '-n')
    same((status, out), (0, '1 WAN, 1 provider: no mistakes, 0 warnings\n'))
    with open('/run/lab/bad.json', 'w') as file:
        file.write('{\n  "wans": [ { "interface": "wan0", "grace": "2 parsecs" } ],\n  "provider": [],\n'
                   '  "dns": { "check_evry": "10m" }\n}\n')
    status, _, error = call('hairpind', '-n', '-c', '/run/lab/bad.json')
    same(status, 2)
    for part in ('bad.json:2:', 'bad.json:3:', 'bad.json:4:', 'providers', 'check_every', '^'):
        assert part in error, error
    status, _, error = call('hairpind', '-c', '/run/lab/bad.json')
    same(status, 2)
    status, _, error = call('hairpind', '-n', '-c', '/run/lab/absent.json')
    same(status, 2)
    assert 'absent.json' in error


def secrets():
    """Literal secrets readable by others: a warning, with --strict an error; writable by others: refused"""
    config = lab.configuration()
    config['providers'][0]['password'] = 'literal secret'
    with open('/run/lab/literal.json', 'w') as file:
        json.dump(config, file)
    for mode, strict, wanted in ((0o600, True, 0), (0o644, False, 0), (0o644, True, 2), (0o666, False, 2)):
        os.chmod('/run/lab/literal.json', mode)
        status, out, error = call('hairpind', '-n', *(['--strict'] if strict else []), '-c', '/run/lab/literal.json')
        same(status, wanted, f'{mode:o} strict={strict}: {error}')
        assert 'literal secret' not in out + error
        assert bool(error) == (mode != 0o600), error
    os.chmod('/run/lab/literal.json', 0o600)


def print_config():
    """--print-config: the effective configuration as strict JSON, secrets hidden"""
    status, out, _ = call('hairpind', '--print-config', '-c', '/run/lab/literal.json')
    same(status, 0)
    config = json.loads(out)
    assert 'literal secret' not in out and '(hidden)' in out
    same(config['wans'][0]['tag'], 'hairpin')
    same(config['dns']['check_every'], '10m')


def dry_run():
    """--dry-run: rule by rule and record by record; nothing is changed, sent or written"""
    lab.load_rules('81.2.69.1')
    status, out, error = call('hairpind', '--dry-run')
    same(status, 0, error)
    assert f'{HOST} (IPv4, dyndns2): left alone: no IPv4 address' in out, out
    lab.set_address('81.2.69.7')
    lab.set_dns('81.2.69.1')
    lab.write_hook()
    before = uncounted(lab.rules())
    status, out, error = call('hairpind', '--dry-run')
    same(status, 0, error)
    for part in ('hairpin web', '81.2.69.1', '81.2.69.7', HOST):
        assert part in out, out
    same(uncounted(lab.rules()), before)
    same((lab.requests(), lab.hook_lines(), os.path.exists('/run/lab/state/state.json')), ([], [], False))


def once():
    """--once: rules, records and hooks in step, then leave with 0; again: nothing to do"""
    status, _, error = call('hairpind', '--once')
    same(status, 0, error)
    assert 'ip daddr 81.2.69.7 tcp' in lab.rules()
    same(lab.dns(), ['81.2.69.7'])
    same(len(lab.requests()), 1)
    assert any(line.startswith('record') for line in lab.hook_lines())
    same(call('hairpind', '--once')[0], 0)
    same(len(lab.requests()), 1)


def once_failing():
    """--once with a refused update: 1, and names what is left"""
    lab.provider_says(body='badauth')
    lab.set_address('81.2.69.8')
    status, _, error = call('hairpind', '--once')
    same(status, 1)
    assert HOST in error, error
    lab.provider_says()
    run('rm', '-rf', '/run/lab/state')


def without_file():
    """Without a file: the interface of the default route, tag hairpin, no providers"""
    os.rename('/etc/hairpind/hairpind.json', '/etc/hairpind/away.json')
    os.makedirs('/run/lab/state2', exist_ok=True)
    status, _, error = call('hairpind', '--once', '--state-dir', '/run/lab/state2')
    os.rename('/etc/hairpind/away.json', '/etc/hairpind/hairpind.json')
    same(status, 0, error)
    assert 'ip daddr 81.2.69.8 tcp' in lab.rules()


def control():
    """hairpinctl status, rules, sync, update, reload, version against the daemon, text and JSON"""
    lab.start_daemon()
    wait_for('current', 20, lambda: (lab.record() or {}).get('state') == 'current')
    status = lab.status()
    same(set(status) >= {'version', 'pid', 'uptime_s', 'publisher', 'wans', 'records'}, True)
    wan = status['wans'][0]
    same(set(wan) >= {'name', 'interface', 'up', 'ipv4', 'ipv6', 'rules'}, True)
    same(set(wan['rules']) >= {'tagged', 'in_step', 'skipped', 'last_sync', 'last_commit_us', 'error'}, True)
    same((wan['ipv4']['address'], wan['ipv4']['class'], wan['ipv4']['source']), ('81.2.69.8', 'global', 'interface'))
    same(set(status['records'][0]), {'hostname', 'family', 'provider', 'wan', 'state', 'wanted', 'published', 'verified',
                                     'last_answer', 'attempts', 'next_try', 'reason'})
    text = lab.ctl('status', json_out=False)
    assert '81.2.69.8' in text and HOST in text and '\033' not in text
    assert max(map(len, text.splitlines())) <= 80, text
    assert lab.ctl(json_out=False).splitlines()[0] == text.splitlines()[0], 'status is not the default'
    items = lab.ctl('rules')['items']
    same(len(items), 3)
    same({item['wan'] for item in items}, {'wan'})
    same(lab.ctl('sync')['changed'], 0)
    assert lab.ctl('update')['records'] == 1
    assert lab.ctl('reload').get('reloaded') is True
    assert lab.ctl('version')['version'].startswith('0.')
    same(call('hairpinctl', 'update', 'other.example.org')[0], 1)


def plan():
    """hairpinctl plan with the daemon: 0 when nothing is pending, 3 with --address; nothing is changed, nobody asked"""
    wait_for('current', 20, lambda: (lab.record() or {}).get('state') == 'current')
    rules, requests = uncounted(lab.rules()), len(lab.requests())
    status, out, error = call('hairpinctl', '--json', 'plan')
    same((status, json.loads(out)['pending']), (0, 0), error)
    status, out, _ = call('hairpinctl', '--json', 'plan', '--address', '81.2.69.99')
    same(status, 3)
    plan = json.loads(out)
    news = {item['new'] for item in plan['rules'] if item['result'] == 'changed'}
    same(news, {'81.2.69.99'})
    same([(r['published'], r['wanted'], r['action']) for r in plan['records'] if r['family'] == 'ipv4'],
         [('81.2.69.8', '81.2.69.99', 'update')])
    text = lab.ctl('plan', '--address', '81.2.69.99', json_out=False)
    assert f'{HOST} A: 81.2.69.8 -> 81.2.69.99 by dyndns2' in text and 'nothing else' in text, text
    same((uncounted(lab.rules()), len(lab.requests())), (rules, requests))
    same(call('hairpinctl', 'plan', '--address', '::')[0], 2)


def broken_description():
    """A mistake in a description of one's own: -n fails and names it, the daemon goes on with all else; mended, it serves"""
    path = '/etc/hairpind/providers/mine.json'
    good = {'id': 'mine', 'name': 'Mine', 'status': 'alive', 'requests': [{'url': 'https://127.0.0.1/?h={hostname}&a={ip}'}],
            'answers': [{'http': 200, 'means': 'good'}]}
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as file:
        file.write('{\n "id": "mine",\n "nam": "Mine" }')
    config = lab.configuration()
    config['providers'].append({'type': 'mine', 'hostnames': ['mine.example.org']})
    lab.write_configuration(config)
    status, _, error = call('hairpind', '-n')
    same(status, 2)
    assert 'mine.json:3:2: unknown key "nam"' in error and '1 error in descriptions' in error, error
    assert lab.ctl('reload').get('reloaded') is True
    record = lab.record(hostname='mine.example.org')
    same(record['state'], 'disabled')
    assert 'mine.json:3:2: unknown key' in record['reason'], record
    lab.ctl('update', '--force', 'mine.example.org')
    same(lab.record(hostname='mine.example.org')['state'], 'disabled')
    wait_for('the other one', 20, lambda: lab.record()['state'] == 'current')
    with open(path, 'w') as file:
        json.dump(good, file)
    same(call('hairpind', '-n')[0], 0)
    assert lab.ctl('reload').get('reloaded') is True
    wait_for('mended', 20, lambda: lab.record(hostname='mine.example.org')['state'] != 'disabled')
    os.remove(path)
    lab.write_configuration()
    assert lab.ctl('reload').get('reloaded') is True


def socket_rights():
    """The socket is not for others; garbage and silence hurt nobody"""
    import socket
    mode = os.stat('/run/hairpind/control.sock').st_mode
    assert stat.S_ISSOCK(mode) and not mode & 0o007, oct(mode)
    for garbage in (b'\0\0\0\n', b'{' * 5000, b'x' * 100000, b'{"command": "status"', b'[]\n', b'\n', b'{"command": 7}\n'):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(3)
        client.connect('/run/hairpind/control.sock')
        try:
            client.sendall(garbage)
            client.shutdown(socket.SHUT_WR)
            client.recv(65536)
        except OSError:
            pass
        client.close()
    many = []
    for _ in range(30):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(1)
        try:
            client.connect('/run/hairpind/control.sock')
            many.append(client)
        except OSError:
            pass
    for client in many:
        client.close()
    assert wait_for('status', 5, lab.status)
    same(lab.stop_daemon(), 0)


def tag():
    load_forms()
    line = next(line for line in listing().splitlines() if 'dport 85' in line)
    handle = line.split('# handle ')[1]
    same(call('hairpinctl', 'tag', 'inet', 'fw', 'pre', 'x')[0], 2)
    same(call('hairpinctl', 'tag', 'bridge', 'fw', 'pre', handle)[0], 2)
    same(call('hairpinctl', 'tag', 'inet', 'fw', 'pre', handle, 'home')[0], 2)     # no tag is found in that word
    status, _, error = call('hairpinctl', 'tag', 'inet', 'fw', 'pre', '99999')
    same(status, 1)
    assert 'no such rule' in error, error
    before = listing()
    status, out, error = call('hairpinctl', '--json', 'tag', 'inet', 'fw', 'pre', handle)
    same((status, error), (0, ''))
    same(json.loads(out), {'family': 'inet', 'table': 'fw', 'chain': 'pre', 'handle': int(handle), 'changed': True, 'old': '',
                           'comment': 'hairpin'})
    same(uncounted(listing()), uncounted(before.replace(line, line.replace(' # handle', ' comment "hairpin" # handle'))))
    status, out, _ = call('hairpinctl', 'tag', 'inet', 'fw', 'pre', handle)
    same(status, 0)
    assert 'tagged already' in out, out
    same(json.loads(call('hairpind', '--rewrite', '81.2.69.9', '--dry-run', '--json')[1])['tagged'], 12)


def importing():
    """What comes out is a configuration; what is missing in it was said."""
    same(call('hairpinctl', 'import', 'ddns', '/dev/null')[0], 2)
    same(call('hairpinctl', 'import', 'inadyn', '/nonexistent')[0], 1)
    same(call('hairpinctl', 'import', 'inadyn', '/dev/null')[0], 1)
    for program, mistakes in (('ddclient', 3), ('inadyn', 9)):
        status, document, lost = call('hairpinctl', 'import', program, f'tests/unit/golden/import-{program}.conf')
        same(status, 0)
        path = '/run/imported.json'
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), 'w') as file:
            file.write(document)
        status, _, error = call('hairpind', '--check', '-c', path)
        found = [line for line in error.splitlines() if ': error: ' in line]
        # Two files that are not here, and what had to be left to the user.
        assert all('is empty' in line or 'own.pem' in line or '"password" is missing' in line for line in found), error
        same(len(found), mistakes, error)
        answer = json.loads(call('hairpinctl', '--json', 'import', program, f'tests/unit/golden/import-{program}.conf')[1])
        same((answer['document'], answer['lost']), (document, len(lost.splitlines()) - 1))


def main():
    global lab
    with Lab(build=BUILD) as lab:
        lab.write_configuration()
        run_tests([rewrite_json, rewrite_again, rewrite_dry, rewrite_family, rewrite_usage, rewrite_missing, usage, no_daemon,
                   plan_alone, check, secrets, print_config, dry_run, once, once_failing, without_file, control, plan, broken_description,
                   socket_rights, tag, importing])


main()
