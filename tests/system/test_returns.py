# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes away and comes back, and a boot where nothing is ready, with the pauses of the field: the plain daemon in virtual
time, short; tests/soak/test_returns.py takes longer."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import returns  # noqa: E402
import states  # noqa: E402
import storms  # noqa: E402

storms.play(
    (returns.gone_and_back, 30, 30),
    (storms.flapping, 60, 10, False),
    (returns.reloads, 10, (0, 0.2, 5), False),
    (returns.overrun, 3, False),
    (returns.made_again, 3, False),
    (states.boots, 6, 20),
    virtual=True)
