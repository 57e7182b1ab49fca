/* What stall.c and the preloaded stall_disk.c share: a small mapped file. */
#ifndef TESTS_INTEGRATION_STALL_CONTROL_H
#define TESTS_INTEGRATION_STALL_CONTROL_H

#include <stdatomic.h>
#include <stdint.h>

#define STALL_CONTROL_ENV "GF_STALL_CONTROL" /* the mapped file's path */
#define STALL_FOLDER_ENV "GF_STALL_FOLDER"

struct stall_control {
	_Atomic int64_t stall_ms; /* how long a call takes from now on; 0: as long as it does */
	_Atomic uint64_t stalls;  /* calls that were held up so far */
};

#endif
