#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random rulesets over nft's grammar, rewritten: exactly what the model says differs, in the listing, in nft's JSON
and in the raw dump; then again, and back.

    SEED=1 ROUNDS=1000 tests/run property/test_nft"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import journey
import rules
from tap import run_tests


def make(dice, values):
    keeps = dice.choice(((0,), (0,), (64, 56, 48, 128)))
    # What a prefix of its own says to one that is kept is asked in test_nft_forms_keep.
    forms = [form for form in rules.FORMS if form is not rules.Maker.unchanged] if keeps[0] else rules.FORMS
    made = rules.Maker(dice, values, forms).make()
    return journey.Made(made.setup, made.sets + made.rules, settle=made.settle, keeps=keeps, filters=True)


def test_fixed():
    """random rulesets of a fixed seed are rewritten and back, and nothing else changes"""
    journey.run_quick(make)


def test_random():
    """random rulesets of a new seed too"""
    journey.run_random(make)


if __name__ == '__main__':
    run_tests([test_random] if os.environ.get('SEED') or os.environ.get('ROUNDS') else [test_fixed, test_random])
