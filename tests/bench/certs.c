/*
 * Certificates for the machines of a rollout's benchmark.
 *
 *     bench_certs PKI_DIR PREFIX COUNT
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/integration/many_certs.h"

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: bench_certs PKI_DIR PREFIX COUNT\n");
		return 2;
	}
	return many_certs_make(argv[1], argv[2], (unsigned)strtoul(argv[3], NULL, 10)) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
