/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands around the forwards, part by part; each adds its checks to the report. */
#ifndef DOCTOR_SURROUNDINGS_H
#define DOCTOR_SURROUNDINGS_H

#include "patient.h"

void surroundings_wans(struct patient *patient);	/* links, addresses, double NAT */
void surroundings_kernel(struct patient *patient);	/* switches, the old iptables */
void surroundings_tables(struct patient *patient);	/* rules of other programs */
void surroundings_files(struct patient *patient);	/* what the next reload brings */
void surroundings_dns(struct patient *patient);		/* names, asked as the LAN asks */
void surroundings_daemon(struct patient *patient);	/* what it says, and if it runs */
void surroundings_hooks(struct patient *patient);
void surroundings_clock(struct patient *patient);

/* Does the comment carry a WAN's tag? NULL: none of them. */
const struct patient_wan *surroundings_tagged(const struct patient *patient,
					      const char *comment);
/* Are there forwards of IPv4? The faults of the uplink's address matter to them. */
bool surroundings_has_forwards(const struct patient *patient);

#endif
