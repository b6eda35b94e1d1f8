# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/system/test_hostile.py with all it can do, then at random: SEED and ROUNDS as there."""

import os
import runpy

os.environ['HAIRPIN_SOAK'] = '1'
runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../system/test_hostile.py'))
