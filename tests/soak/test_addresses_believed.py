# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/system/test_addresses_believed.py with every page, every special address, and for days."""

import os
import runpy

os.environ['HAIRPIN_WHOLE'] = '1'
runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../system/test_addresses_believed.py'), run_name='__main__')
