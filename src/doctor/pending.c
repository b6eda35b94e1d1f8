/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Weak: what is written elsewhere just now takes their place, and then this file goes. */
#include "patient.h"

#define PENDING __attribute__((weak))

PENDING int patient_find_forwards(struct patient *patient, struct err *ret_err)
{
	(void)patient;
	(void)ret_err;
	return 0;
}

PENDING void patient_judge_forwards(struct patient *patient)
{
	(void)patient;
}
