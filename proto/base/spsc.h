/*
 * A bounded lock-free queue between exactly one writing and one reading thread: fixed-size elements, no allocation
 * after gf_spsc_init, never blocks. It ties the agent's control thread to its main loop.
 */
#ifndef GF_BASE_SPSC_H
#define GF_BASE_SPSC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/base/err.h"

/* Each side's counter has a cache line of its own: the padding is meant. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct gf_spsc {
	unsigned char *slots;
	size_t element;
	size_t mask;
	_Alignas(64) atomic_size_t head; /* next to read */
	_Alignas(64) atomic_size_t tail; /* next to write */
};

/* `capacity` is a power of two. Returns 0, -EINVAL, -ENOMEM. */
GF_MUST_CHECK int gf_spsc_init(struct gf_spsc *q, size_t element, size_t capacity);
void gf_spsc_deinit(struct gf_spsc *q);

/* Copies *element in; false when full. Writer's thread only. */
bool gf_spsc_push(struct gf_spsc *q, const void *element);
/* Copies the oldest out; false when empty. Reader's thread only. */
bool gf_spsc_pop(struct gf_spsc *q, void *ret_element);
size_t gf_spsc_free_slots(const struct gf_spsc *q);

#endif
