# SPDX-License-Identifier: GPL-2.0-or-later
"""Many power cuts: tests/system/test_power_cut.py with more rounds."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
os.environ.setdefault('ROUNDS', '200')
os.execv(sys.executable, [sys.executable, '-B', f'{HERE}/../system/test_power_cut.py'])
