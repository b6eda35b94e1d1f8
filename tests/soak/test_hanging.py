# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/system/test_hanging.py with the plain programs and the figures that a quiet machine keeps."""

import os
import runpy

os.environ['HAIRPIN_WHOLE'] = '1'
os.environ.setdefault('HAIRPIN_BUILD', 'build')
runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../system/test_hanging.py'), run_name='__main__')
