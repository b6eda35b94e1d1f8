# SPDX-License-Identifier: GPL-2.0-or-later
"""Healthy routers of different make: packets arrive from everywhere, and `hairpinctl doctor` finds nothing."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from doctor_healthy import HEALTHY  # noqa: E402
from doctor_try import try_all  # noqa: E402

try_all(HEALTHY)
