# SPDX-License-Identifier: GPL-2.0-or-later
"""Storms of addresses, rules and routes around the plain daemon, short; tests/soak/test_storms.py has them long.
Times are compared with what nft needs in the same run: a busy machine is no fault."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import storms  # noqa: E402
from tap import same  # noqa: E402


def stop(lab):
    """It ends well"""
    same(lab.stop_daemon(), 0)


storms.play(
    (storms.flapping, 100, 0.06, False),
    (storms.nothing_new, 200, 10000),
    (storms.several_addresses, 0.5),
    (storms.scope, 200),
    (storms.flood, 10000, 2),
    (storms.elsewhere, 3, 50000),
    (storms.big, 50000, 500, 5, False),
    (stop,))
