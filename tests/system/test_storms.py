# SPDX-License-Identifier: GPL-2.0-or-later
"""Storms of addresses, rules and routes around the plain daemon, short; tests/soak/test_storms.py has them long.
Times are compared with what nft needs in the same run: a busy machine is no fault."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import storms  # noqa: E402
from tap import run_tests, same  # noqa: E402

lab = None


def stop():
    """It ends well"""
    same(lab.stop_daemon(), 0)


def main():
    global lab
    with storms.StormLab() as lab:
        run_tests([
            storms.named(lab, storms.flapping, 100, 0.06, False),
            storms.named(lab, storms.nothing_new, 200, 10000),
            storms.named(lab, storms.several_addresses, 0.5),
            storms.named(lab, storms.scope, 200),
            storms.named(lab, storms.flood, 10000, 2),
            storms.named(lab, storms.elsewhere, 3, 50000),
            storms.named(lab, storms.big, 50000, 500, 5, False),
            stop])


main()
