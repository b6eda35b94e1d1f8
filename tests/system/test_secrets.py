# SPDX-License-Identifier: GPL-2.0-or-later
"""No secret shows: whatever a provider answers, at the highest log level, and though it says the secret back. Nor is one in a
crash's core, in the memory after another one came, or within a hook's reach. On the plain build."""

import base64
import json
import os
import resource
import signal
import stat
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, part) for part in ('../lab', '..', '.')]
import guard  # noqa: E402
import publish_side as side  # noqa: E402
from hidden import guises  # noqa: E402
from lab import PASSWORD, PROVIDER_NAME, Lab, inside, real_root, run, wait_for  # noqa: E402
from publish_side import Web, http  # noqa: E402
from tap import Skip, figure, holds, run_tests, same  # noqa: E402

OWN, NEXT = '/etc/hairpind/providers', 'Another+"gehëim"/%<word>'
ANSWERS = [{'http': 200, 'token': 'good', 'means': 'good'}, {'http': 200, 'token': 'badauth', 'means': 'badauth'}]
BASIC = {'basic': {'user': '{username}', 'password': '{password}'}, 'requests': [{'url': 'https://{server}/update?ip={ip}'}]}
FORMS = {
    'in-header': BASIC,
    'in-url': {'requests': [{'url': 'https://{server}/u/{password}?user={username}&password={password}&ip={ip}'}]},
    'in-body': {'requests': [{'method': 'POST', 'url': 'https://{server}/update',
                              'body': {'name': '{username}', 'key': '{password}', 'ip': '{ip}'}}]},
}
lab = None


def echo(request):
    """What a careless service says: the request, and the secret in each guise."""
    account = base64.b64encode(f'me:{PASSWORD}'.encode()).decode()
    return (f'wrong: {PASSWORD} {urllib.parse.quote(PASSWORD, safe="")} {urllib.parse.quote_plus(PASSWORD)} {account} '
            f'{json.dumps(PASSWORD)} {PASSWORD[:12]} {request}')


# A port's certificate and answer; None: nobody listens.
FAULTS = {
    5001: ('good', lambda request, _: http(echo(request))),
    5002: ('good', lambda request, _: http(echo(request), 500)),
    5003: ('good', lambda request, _: http(json.dumps({'error': PASSWORD, 'of': echo(request)}), 401)),
    5004: ('good', lambda request, _: http('', 302, Location=request.split()[1] + '&and=' + urllib.parse.quote(PASSWORD))),
    5005: ('good', lambda request, _: http(f'badauth {PASSWORD}')),
    5006: ('good', lambda request, _: http('no', 403, WWW_Authenticate=f'Basic realm="{PASSWORD[:8]}"')),
    5007: ('good', lambda request, stream: stream.sendall(http(echo(request))[:-20])),
    5008: ('good', http('x' * 200000)),
    5009: ('good', None), 5010: ('wrong', b''), 5011: ('self', b''), 5012: None,
}


def descriptions():
    os.makedirs(OWN, exist_ok=True)
    for name, form in FORMS.items():
        with open(f'{OWN}/{name}.json', 'w') as file:
            json.dump({'id': name, 'name': name, 'status': 'alive', 'settings': {
                'server': {'kind': 'server', 'required': True, 'help': 'where'},
                'username': {'required': True, 'help': 'who'},
                'password': {'required': True, 'secret': True, 'help': 'what'}}, 'answers': ANSWERS, **form}, file)


def entry(form, port, secret=None):
    return {'type': form, 'name': f'{form}-{port}', 'server': f'{PROVIDER_NAME}:{port}', 'username': 'me', 'check': False,
            'password': secret or {'file': '/etc/hairpind/password'}, 'ca_file': f'{side.FOLDER}/ca.pem', 'timeout': '5s',
            'hostnames': [f'{form}-{port}.example.org']}


def configure(*entries, level='debug'):
    lab.write_configuration(lab.configuration(providers=list(entries), log={'level': level}))


def hits(text, secret=PASSWORD):
    return sum(text.count(guise) for guise in guises(secret))


def environments():
    """Arguments and environments of all processes of the daemon, and what a hook got."""
    family = guard.tree(lab.daemon.pid, guard.everybody())
    same(len(family) >= 3, True, 'supervisor, core, publisher')
    return b'\n'.join(process.arguments + process.environment for process in family.values())


def read(path):
    return guard.read(path, 1 << 30)


def told():
    """All that hairpinctl and hairpind show."""
    environment = dict(os.environ, ASAN_OPTIONS='detect_leaks=0')
    shown = [run(f'{lab.build}/hairpind', '--print-config', env=environment)]
    for words in (['status'], ['--json', 'status'], ['plan'], ['--json', 'plan'], ['metrics'], ['providers', 'in-url'],
                  ['hook', 'list'], ['rules']):
        shown.append(run(f'{lab.build}/hairpinctl', *words, ns='router', check=False, env=environment))
    return '\n'.join(shown).encode()


def faults():
    """Twelve faults with the secret in header, URL and body, said back in each guise: nowhere a hit"""
    servers = [(form, port) for port in FAULTS for form in FORMS]
    configure(*(entry(form, port) for form, port in servers))
    lab.start_daemon()
    lab.set_address('81.2.69.7')
    wait_for('each has failed', 60, lambda: sum(bool(record['reason']) and record['attempts'] + (record['state'] == 'disabled') > 0
                                                for record in lab.status()['records']) == len(servers))
    places = {'argument lists and environments': environments(), 'status and other output': told()}
    log = lab.log().encode()
    assert b'wrong: ' in log and b'in-url-5001' in log, 'the answers are not in the log'
    wait_for('hooks were run', 10, lambda: b'failed' in read(f'{lab.folder}/hooks.got'))
    for what, text in (('the log at level debug', log), ('what hooks get', read(f'{lab.folder}/hooks.got'))):
        assert len(text) > 1000, what
        figure('S5', f'hits of the secret in {len(guises(PASSWORD))} guises in {what}, {len(servers)} faults', hits(text), '== 0')
    for what, text in places.items():
        assert len(text) > 1000, what
        figure('S6', f'hits of the secret in {what}', hits(text), '== 0')


def state_file():
    """The state file is the daemon's alone and holds no secret"""
    wait_for('it is written', 20, lambda: b'in-url-5001' in read('/run/lab/state/state.json'))
    figure('S32', 'hits of the secret in the state file', hits(read('/run/lab/state/state.json')), '== 0')
    holds('S32', 'the state file is mode 0600', stat.S_IMODE(os.stat('/run/lab/state/state.json').st_mode) == 0o600)


REACH = '''#!/bin/sh
# Everything of the daemon's processes that says more than that they are there.
for pid in $PPID $(cat /proc/$PPID/task/$PPID/children); do
	[ "$pid" = $$ ] && continue
	for part in mem environ maps fd/0 auxv stack; do
		if head -c 1 /proc/$pid/$part >/dev/null 2>&1; then echo "reads $part of $pid"; fi
	done
done > /run/lab/reached.new
head -c 1 /proc/$$/environ >/dev/null && echo "and its own" >> /run/lab/reached.new
mv /run/lab/reached.new /run/lab/reached
'''


def out_of_reach():
    """A hook reads neither memory nor environment of the daemon's processes"""
    if not real_root():
        raise Skip('the only user there is may read all')
    lab.write_hook('20-reach', REACH)
    lab.set_address('81.2.69.8')
    wait_for('the hook', 20, lambda: os.path.exists('/run/lab/reached'))
    os.unlink('/etc/hairpind/hooks.d/20-reach')
    with open('/run/lab/reached') as file:
        holds('S6', 'a hook reads neither memory nor environment of the daemon', file.read() == 'and its own\n')


def memory_of(pid):
    """What gcore would write: every region that can be read."""
    with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', buffering=0) as memory:
        for line in maps:
            if line.split()[1][0] != 'r' or '[v' in line:
                continue
            first, end = (int(word, 16) for word in line.split()[0].split('-'))
            memory.seek(first)
            try:
                yield memory.read(end - first)
            except OSError:
                pass


def wiped():
    """After a reload with another secret the former one is in nobody's memory"""
    same(lab.stop_daemon(), 0)
    run('rm', '-rf', '/run/lab/state')
    configure(*(entry(form, 5020) for form in FORMS), level='info')
    lab.start_daemon()
    current(PASSWORD)
    before = {name: hits(b''.join(memory_of(pid))) for name, pid in lab.processes().items() if pid}
    assert before['core'] > 0 and before['publisher'] > 0, f'nothing is found where it must be: {before}'
    configure(*(entry(form, 5020, NEXT) for form in FORMS), level='info')
    lab.ctl('reload', check=True)
    lab.set_address('81.2.69.9')
    current(NEXT)
    for name, pid in lab.processes().items():
        text = b''.join(memory_of(pid))
        assert name == 'supervisor' or hits(text, NEXT) > 0, f'nothing is found in {name}'
        figure('S31', f'hits of the former secret in the memory of {name}, as root', hits(text), '== 0')


def current(secret):
    def all_current():
        return all(record['state'] == 'current' for record in lab.status()['records']) and asked[secret] >= len(FORMS)
    wait_for(f'published with {secret}', 60, all_current)


asked = {PASSWORD: 0, NEXT: 0}


def well(request, _):
    """Counts who came with which secret."""
    for secret in asked:
        asked[secret] += any(guise in request.encode() for guise in guises(secret) if len(guise) > 12)
    return http('good')


def crash():
    """A crash on purpose writes no core"""
    lab.guard.expects(dies=('core', 'publisher'))
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    lab.stop_daemon()
    lab.set_address('81.2.69.10')
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        lab.start_daemon()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (min(limits[0], limits[1]), resource.RLIM_INFINITY))
    wait_for('it has published', 60, lambda: all(record['published'] == lab.address for record in lab.status()['records']))
    for name in ('publisher', 'core'):
        pid = lab.processes()[name]
        wait_for('no cores of it', 10, lambda: '0                    0' in core_limit(pid))
        os.kill(pid, signal.SIGSEGV)
        wait_for(f'{name} is gone', 10, lambda: f'{name}: ended by signal 11' in lab.log())
    wait_for('a core again', 10, lambda: lab.processes()['core'])
    lab.guard.expects(dies='supervisor')
    os.kill(lab.daemon.pid, signal.SIGSEGV)
    end = os.waitid(os.P_PID, lab.daemon.pid, os.WEXITED | os.WNOWAIT)
    holds('S31', 'a crash writes no core: supervisor, core and publisher', end.si_code == os.CLD_KILLED and not cores())
    lab.stop_daemon()


def core_limit(pid):
    return next(line for line in read(f'/proc/{pid}/limits').decode().splitlines() if 'core' in line)


def cores():
    folders = ('.', '/', '/run/lab', '/run/lab/state', '/tmp', '/var/tmp')
    return [name for folder in folders if os.path.isdir(folder) for name in os.listdir(folder)
            if name == 'core' or name.startswith('core.') and os.path.isfile(f'{folder}/{name}')]


with Lab(build='build') as lab:
    os.makedirs(side.FOLDER, exist_ok=True)
    side.make_certificates()
    with inside('inet'):
        for number, how in FAULTS.items():
            if how:
                Web(number, *how)
        Web(5020, say=well)
    lab.load_rules('81.2.69.1')
    lab.write_hook()
    descriptions()
    run_tests([faults, state_file, out_of_reach, wiped, crash])
