#include "tests/integration/lab.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LISTENS_MS = 20000 };

struct it_lab *it_lab_open(void **state, const char *test)
{
	struct it_lab *lab = calloc(1, sizeof *lab);

	assert_non_null(lab);
	*state = lab;
	lab->w = it_open(test);
	it_broker_start(lab->w);
	lab->gateway = it_gateway_start(lab->w);
	IT_UNTIL(LISTENS_MS, it_gateway_listens(lab->w));
	lab->m = it_machine_open(lab->w, IT_CHAIR);
	return lab;
}

int it_lab_teardown(void **state)
{
	struct it_lab *lab = *state;

	it_machine_close(lab->m);
	it_close(lab->w);
	free(lab);
	return 0;
}
