/*
 * The simulated hardware's hour meter: one page-sized mapped file that the kernel keeps when the process is killed at any point.
 * 40 bytes, the numbers little-endian: magic "GFHOURS1", then u64 starts, motor_ms, cycles, and 0. All zero: new.
 */
#ifndef AGENT_SIM_JOURNAL_H
#define AGENT_SIM_JOURNAL_H

#include "agent/sim/sim_driver.h"

struct journal;

/* Opens or makes it. 0, -EINVAL (not a journal), or another negative errno; diag set. */
GF_MUST_CHECK int journal_open(const char *path, struct journal **ret_journal, struct gf_diag *diag);
void journal_close(struct journal *journal);

struct sim_journal journal_get(const struct journal *journal);
/* Counts on; each number is stored whole, so that a kill between two of them leaves both believable. */
void journal_add(struct journal *journal, uint64_t starts, uint64_t motor_ms, uint64_t cycles);

#endif
