# SPDX-License-Identifier: GPL-2.0-or-later
"""Storms of addresses, rules and routes around the plain daemon, long, with the figures that a quiet machine keeps.
ROUNDS is for each."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import returns  # noqa: E402
import storms  # noqa: E402

ROUNDS = int(os.environ.get('ROUNDS', 0))

storms.play(
    (storms.flapping, ROUNDS or 1000, 0.06, True),
    (returns.churn, ROUNDS or 200),
    (storms.nothing_new, ROUNDS or 3600, 10000),
    (storms.several_addresses, 3),
    (storms.scope, ROUNDS or 10000),
    (storms.flood, 10000, 60),
    (storms.elsewhere, 60, 50000),
    (storms.big, 50000, 500, 20, True))
