# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes away and comes back, with the pauses that it has in the field: the plain daemon in virtual time. ROUNDS is for
each; SEED for what is random."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
import returns  # noqa: E402
import states  # noqa: E402
import storms  # noqa: E402

ROUNDS = int(os.environ.get('ROUNDS', 0))

storms.play(
    (returns.gone_and_back, ROUNDS or 1000, 30),
    (storms.flapping, 60, 10, False),
    (returns.reloads, ROUNDS or 500, (0, 0.2, 0.2, 5), True),
    (returns.overrun, ROUNDS or 100, True),
    (returns.made_again, ROUNDS or 100, True),
    (states.boots, ROUNDS or 50, 20),
    virtual=True)
