# SPDX-License-Identifier: GPL-2.0-or-later
"""The plain daemon in states that it meets rarely, long, with the figures that a quiet machine keeps.
ROUNDS for each; SEED for what is random."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import states  # noqa: E402
import storms  # noqa: E402

ROUNDS = int(os.environ.get('ROUNDS', 0))

storms.play(
    (states.clients, ROUNDS or 100, 0.25),
    (states.many_records, True),
    (states.answers_and_stops, ROUNDS or 1000, True),
    (states.asked_soon, ROUNDS or 3))
