/*
 * Memory that runs out when a test says so. For programs made by gf_add_alloc_test (config.cmake); only
 * what our own code asks for is concerned, not what the libraries under it do.
 */
#ifndef TESTS_ALLOC_FAIL_H
#define TESTS_ALLOC_FAIL_H

/* After `count` more allocations one fails; negative: none does. */
void alloc_fail_after(int count);

#endif
