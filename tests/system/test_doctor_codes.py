# SPDX-License-Identifier: GPL-2.0-or-later
"""Every code that doctor may say is explained in hairpind-doctor(7), and nothing else is."""

import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from tap import run_tests, same  # noqa: E402

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
PAGE = 'packaging/man/hairpind-doctor.7'
# Words with a hyphen in src/doctor that are no codes.
OTHERS = {'docker-bridges', 'ip6tables-legacy', 'ip6tables-nft', 'iptables-legacy', 'iptables-nft'}


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as file:
        return file.read()


def literals(text, pattern):
    return set(re.findall(pattern, text, re.S))


def sources():
    text = ''.join(read(path) for path in sorted(glob.glob(os.path.join(TOP, 'src/doctor/*.c'))))
    return re.sub(r'^\s*#include.*$', '', text, flags=re.M)


def explained():
    return literals(read(PAGE), r'(?m)^\.It Sy ([a-z0-9-]+)$')


def said():
    """What stands where a code does, and every word that looks like one."""
    text = sources()
    first = literals(text, r'report_add\([^;"]*"([a-z0-9-]+)"')
    hyphened = literals(text, r'"([a-z][a-z0-9]*(?:-[a-z0-9]+)+)"')
    return first | hyphened - OTHERS


def each_code_is_explained():
    """each code that the source has is in the manual"""
    assert len(said()) > 40, said()
    same(sorted(said() - explained()), [])


def nothing_else_is_explained():
    """each code of the manual is in the source"""
    same(sorted(explained() - said()), [])


def questions_lead_to_codes():
    """what the questions of the manual point to is explained there"""
    questions = read(PAGE).split('.Sh QUESTIONS')[1].split('.Sh FORWARDS')[0]
    named = {word for line in re.findall(r'(?m)^\.Sy (.*)$', questions) for word in re.findall('[a-z0-9-]{3,}', line)}
    assert named, questions
    same(sorted(named - explained()), [])


run_tests([each_code_is_explained, nothing_else_is_explained, questions_lead_to_codes])
