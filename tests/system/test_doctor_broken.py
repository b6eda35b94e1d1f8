# SPDX-License-Identifier: GPL-2.0-or-later
"""Routers with a fault or two in their rules: real packets show it, `hairpinctl doctor` names it and nothing else, and the
commands that it prints mend it."""

import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part) for part in ('../lab', '..')]
from doctor_broken import BROKEN  # noqa: E402
from doctor_broken_unseen import UNSEEN  # noqa: E402
from doctor_try import try_all  # noqa: E402

try_all(BROKEN + UNSEEN)
