# SPDX-License-Identifier: GPL-2.0-or-later
"""The plain daemon in states that it meets rarely, short; tests/soak/test_states.py takes longer."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import states  # noqa: E402
import storms  # noqa: E402

storms.play(
    (states.hostnames,),
    (states.clients, 25, 0.15),
    (states.strange_interfaces,),
    (states.many_records, False),
    (states.answers_and_stops, 20, False))
