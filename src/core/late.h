/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of what is asked in a minute or an hour are kept when a job is given out; those
 * who are asked count when it reaches them. What a publisher must be started for reaches
 * them later than the next job, so the minute and the hour are longer by this.
 */
#ifndef CORE_LATE_H
#define CORE_LATE_H

enum { LATE_MS = 2000 };

#endif
