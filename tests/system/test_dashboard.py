# SPDX-License-Identifier: GPL-2.0-or-later
"""Dashboard and alerts: what they ask for exists, the layout holds, alerts fire when they should."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')]
from tap import Skip, run_tests, same  # noqa: E402

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
RULES = f'{TOP}/packaging/prometheus/hairpind.rules.yml'
ALERTS = '''
rule_files: [%s]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'hairpind_rules{instance="r", wan="fibre", tag="hairpin", state="stale"}'
        values: '0 3 3 3 3 0'
      - series: 'hairpind_rules{instance="r", wan="fibre", tag="hairpin", state="current"}'
        values: '13 10 10 10 10 13'
      - series: 'hairpind_record_current{instance="r", name="a.example.org", type="A", provider="dyn"}'
        values: '1 0x20 1'
      - series: 'hairpind_record_current{instance="r", name="b.example.org", type="A", provider="dyn"}'
        values: '1 0x10 1x20'
    alert_rule_test:
      - {eval_time: 2m, alertname: HairpindRulesStale, exp_alerts: []}
      - eval_time: 3m
        alertname: HairpindRulesStale
        exp_alerts:
          - exp_labels: {severity: critical, instance: r, wan: fibre, tag: hairpin, state: stale}
      - {eval_time: 5m, alertname: HairpindRulesStale, exp_alerts: []}
      - {eval_time: 15m, alertname: HairpindRecordNotCurrent, exp_alerts: []}
      - eval_time: 16m
        alertname: HairpindRecordNotCurrent
        exp_alerts:
          - exp_labels: {severity: warning, instance: r, name: a.example.org, type: A, provider: dyn}
'''


def read(path):
    with open(f'{TOP}/{path}') as file:
        return file.read()


def known():
    """The metrics that hairpind-metrics(7) lists."""
    return set(re.findall(r'^\.It Li (hairpind_\S+)$', read('packaging/man/hairpind-metrics.7'), re.M))


def check_query(query):
    metrics = known()
    names = re.findall(r'\bhairpind_\w+', query)
    assert names, query
    for name in names:
        base = re.sub(r'_(bucket|sum|count)$', '', name)
        assert name in metrics or (base != name and base.endswith('_seconds') and base in metrics), f'{name}: {query}'


def dashboard_asks():
    """The dashboard: known metrics, the data source as a variable everywhere, panels that do not overlap"""
    board = json.loads(read('packaging/grafana/hairpind.json'))
    same([board['id'], board['schemaVersion'] >= 38], [None, True])
    variables = {variable['name']: variable for variable in board['templating']['list']}
    same(variables['datasource']['type'], 'datasource')
    same(len({panel['id'] for panel in board['panels']}), len(board['panels']))
    taken = set()
    for panel in board['panels']:
        place = panel['gridPos']
        assert place['x'] + place['w'] <= 24, panel['title']
        cells = {(x, y) for x in range(place['x'], place['x'] + place['w'])
                 for y in range(place['y'], place['y'] + place['h'])}
        assert not cells & taken, f'{panel["title"]} lies on another'
        taken |= cells
        for target in panel['targets']:
            same(target['datasource'], {'type': 'prometheus', 'uid': '${datasource}'})
            check_query(target['expr'])
            same(target['expr'].count('{instance=~"$instance"'), target['expr'].count('{'), 'the router is chosen')
    same({cell[0] for cell in taken}, set(range(24)))
    assert os.path.getsize(f'{TOP}/packaging/grafana/hairpind.png') < 150000


def alerts_ask():
    """The alerts: known metrics"""
    queries = re.findall(r'^\s+expr: (.*)$', read('packaging/prometheus/hairpind.rules.yml'), re.M)
    same(len(queries), 2)
    for query in queries:
        check_query(query)


def alerts_fire():
    """promtool, where it is installed: the alerts fire when they should, and not before"""
    if not shutil.which('promtool'):
        raise Skip('no promtool')
    with tempfile.TemporaryDirectory() as folder:
        # What people read may change; when they read it, not.
        with open(RULES) as file, open(f'{folder}/rules.yml', 'w') as bare:
            bare.write(re.sub(r'\n        annotations:\n(?:          .*\n)*', '\n', file.read()))
        with open(f'{folder}/test.yml', 'w') as file:
            file.write(ALERTS % f'{folder}/rules.yml')
        for words in (('check', 'rules', RULES), ('test', 'rules', f'{folder}/test.yml')):
            done = subprocess.run(['promtool', *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=60)
            assert done.returncode == 0, done.stdout


run_tests([dashboard_asks, alerts_ask, alerts_fire])
