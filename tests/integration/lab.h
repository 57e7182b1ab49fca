/* A broker, a gateway that listens, and one machine made by hand, connected: where a test may say what it likes and see what comes of it. */
#ifndef TESTS_INTEGRATION_LAB_H
#define TESTS_INTEGRATION_LAB_H

#include "tests/integration/fleet.h"
#include "tests/integration/machine.h"

#define IT_CHAIR "chair-1"

struct it_lab {
	struct it_world *w;
	struct it_proc *gateway;
	struct it_machine *m; /* IT_CHAIR */
	uint64_t seq;         /* of its last record, for a test that counts on */
};

/*
 * For cmocka's setup: makes the lab the test's state at once, so that the teardown ends what there is should the rest fail. `test` names
 * the folder. The machine has said nothing yet.
 */
struct it_lab *it_lab_open(void **state, const char *test);
/* cmocka's teardown. */
int it_lab_teardown(void **state);

#endif
