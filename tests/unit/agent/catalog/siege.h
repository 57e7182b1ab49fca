/*
 * A machine under attack: whatever is tried is refused with its own code, the active catalog (version 5) stays and plays, and at the end of
 * each test the next good one is still welcome.
 */
#ifndef TESTS_CATALOG_SIEGE_H
#define TESTS_CATALOG_SIEGE_H

#include "tests/unit/agent/catalog/rig.h"

struct siege {
	struct rig rig;
	struct made good; /* version 9 */
	uint64_t revision;
};

int siege_setup(void **state);
/* Whatever was tried: it stands, plays, and takes a good one. */
int siege_teardown(void **state);

/* Announced and delivered; the answer is this refusal. */
void siege_refused(struct siege *sg, const struct made *made, enum gf_refusal refusal);
void siege_recipe_refused(struct siege *sg, const struct recipe *recipe, enum gf_refusal refusal);
/* The digest of what somebody has made of it. */
void siege_announce(struct made *made);

#define ATTACK(name) cmocka_unit_test_setup_teardown(name, siege_setup, siege_teardown)

#endif
