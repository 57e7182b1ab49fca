/* A look into the gateway's database, for what no command tells and for what is asked too often for one. */
#ifndef TESTS_INTEGRATION_STORE_NUMBER_H
#define TESTS_INTEGRATION_STORE_NUMBER_H

#include "tests/integration/harness.h"

/* The first column of the first row. Fails the test when there is none. */
long long it_store_number(struct it_world *w, const char *sql);

#endif
