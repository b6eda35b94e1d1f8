# SPDX-License-Identifier: GPL-2.0-or-later
"""Port forwards as people write them, right and wrong: real packets, `hairpinctl doctor`, and its remedies given to sh."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from doctor_forwards import FORWARDS  # noqa: E402
from doctor_try import try_all  # noqa: E402

try_all(FORWARDS)
