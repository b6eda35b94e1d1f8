# SPDX-License-Identifier: GPL-2.0-or-later
"""Random changes of healthy routers: `hairpinctl doctor` and real packets are of one mind. SEED=1 ROUNDS=40."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from doctor_random import make, play_random  # noqa: E402
from doctor_try import try_all  # noqa: E402

SEED, ROUNDS = int(os.environ.get('SEED', 1)), int(os.environ.get('ROUNDS', 40))
try_all([make(number, SEED) for number in range(ROUNDS)], play_random)
