# SPDX-License-Identifier: GPL-2.0-or-later
"""A strict reader of Prometheus' text format, version 0.0.4, and of the rules for names."""

import re

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')
SAMPLE = re.compile(rf'({NAME})(?:\{{(.*)\}})? (\S+)$')
VALUE = re.compile(r'(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$')
UNITS = ('milliseconds', 'ms', 'us', 'minutes', 'hours', 'days', 'kilobytes')


class Broken(AssertionError):
    """The text is not what the format wants."""


def need(held, line, why):
    if not held:
        raise Broken(f'{why}: {line!r}')


def read_labels(text, line):
    labels, at = {}, 0
    while at < len(text):
        found = LABEL.match(text, at)
        need(found, line, 'labels')
        need(found[1] not in labels, line, 'a label twice')
        need(found[3] or found.end() == len(text), line, 'no comma')
        need(not found[1].startswith('__'), line, 'a reserved label')
        labels[found[1]] = re.sub(r'\\(.)', lambda m: '\n' if m[1] == 'n' else m[1], found[2])
        at = found.end()
    return labels


def check_name(name, kind, line):
    need(re.fullmatch(r'hairpind_[a-z0-9]+(?:_[a-z0-9]+)*', name), line, 'the form of a name')
    need(name.endswith('_total') == (kind == 'counter'), line, '_total is for counters, all of them')
    need(name.split('_')[-1] not in UNITS, line, 'no base unit')
    need(kind != 'histogram' or name.endswith('_seconds'), line, 'a histogram without a unit')
    need('timestamp' not in name or name.endswith('_timestamp_seconds'), line, 'a time without its unit')
    need('_info' not in name or name.endswith('_info'), line, '_info stands at the end')


def check_histogram(name, samples):
    """Without further labels, as ours are."""
    buckets = [(labels['le'], value) for suffix, labels, value in samples if suffix == '_bucket']
    sums = [value for suffix, _, value in samples if suffix == '_sum']
    counts = [value for suffix, _, value in samples if suffix == '_count']
    need(len(sums) == len(counts) == 1, name, 'one sum, one count')
    edges = [float(edge.replace('+Inf', 'inf')) for edge, _ in buckets]
    need(edges == sorted(set(edges)) and edges[-1] == float('inf'), name, 'the edges of buckets')
    need([count for _, count in buckets] == sorted(count for _, count in buckets), name, 'buckets are cumulative')
    need(buckets[-1][1] == counts[0], name, '+Inf is the count')


def parse(text):
    """{name: (kind, [(labels, value)])}; of histograms the series with their suffixes. Raises Broken."""
    families, series, name, kind = {}, set(), None, None
    need(text.endswith('\n') and '\r' not in text, text[-80:], 'the end of the last line')
    for line in text[:-1].split('\n'):
        words = line.split(' ', 3)
        if words[:2] == ['#', 'HELP']:
            need(len(words) == 4 and words[3].strip(), line, 'HELP says nothing')
            need(words[2] not in families, line, 'a family twice, or in pieces')
            name, kind = words[2], None
            families[name] = None
            continue
        if words[:2] == ['#', 'TYPE']:
            need(len(words) == 4 and words[2] == name and kind is None, line, 'TYPE follows its HELP')
            need(words[3] in ('counter', 'gauge', 'histogram'), line, 'the type')
            kind = words[3]
            check_name(name, kind, line)
            families[name] = (kind, [])
            continue
        found = SAMPLE.match(line)
        need(found and VALUE.match(found[3]), line, 'a sample')
        need(kind, line, 'a sample before its TYPE')
        suffix = found[1][len(name):]
        need(found[1].startswith(name) and
             suffix in (('_bucket', '_sum', '_count') if kind == 'histogram' else ('',)), line, 'of another family')
        labels = read_labels(found[2] or '', line)
        need((found[1], *sorted(labels.items())) not in series, line, 'a series twice')
        need(kind != 'counter' or float(found[3]) >= 0, line, 'a counter below 0')
        series.add((found[1], *sorted(labels.items())))
        families[name][1].append((suffix, labels, float(found[3])))
    for name, family in families.items():
        need(family and family[1], name, 'a family without samples')
        if family[0] == 'histogram':
            check_histogram(name, family[1])
    return {name: (kind, samples) for name, (kind, samples) in families.items()}


def value(families, name, suffix='', /, **labels):
    """The one value of a series with these labels (others do not matter); None: there is none."""
    found = [value for end, has, value in families.get(name, ('', []))[1]
             if end == suffix and all(has.get(key) == wanted for key, wanted in labels.items())]
    if len(found) > 1:
        raise AssertionError(f'{name}{labels}: {len(found)} series')
    return found[0] if found else None
