# SPDX-License-Identifier: GPL-2.0-or-later
"""A thousand reloads of the plain daemon while requests are slow. ROUNDS, SEED."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import busy  # noqa: E402
from lab import Lab  # noqa: E402
from tap import run_tests, same  # noqa: E402

ROUNDS = int(os.environ.get('ROUNDS', 1000))
lab = None


def reloads():
    """Reloads while requests are slow: no crash, no leak, no update for records that are gone, none twice"""
    busy.reloads_at_work(lab, ROUNDS)


def stop():
    """It ends well"""
    same(lab.stop_daemon(), 0)


with Lab(build='build') as lab:
    busy.begin(lab)
    run_tests([reloads, stop])
