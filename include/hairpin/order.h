/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: base */
/*
 * The smaller and the larger of two. Constants and mixed integer types may be given; an
 * argument may be evaluated twice, so none that is costly or has an effect.
 */
#ifndef HAIRPIN_ORDER_H
#define HAIRPIN_ORDER_H

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
