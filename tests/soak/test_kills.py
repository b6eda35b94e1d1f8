# SPDX-License-Identifier: GPL-2.0-or-later
"""The core is killed at every system call from a change to the saved result: tests/system/test_limits.py with all rounds."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
os.environ.setdefault('ROUNDS', '159')
os.environ.setdefault('TEST_ONLY', 'killed_at_a_call')
os.execv(sys.executable, [sys.executable, '-B', f'{HERE}/../system/test_limits.py'])
