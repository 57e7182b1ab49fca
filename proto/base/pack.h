/*
 * Numbers and bytes into a buffer and out of it, little-endian: for formats of our own, whose documents give every byte. Neither side needs a
 * check after each step: what doesn't fit, or isn't there, is remembered to the end.
 */
#ifndef GF_BASE_PACK_H
#define GF_BASE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gf_pack {
	unsigned char *at, *end; /* the caller's buffer */
	bool full;               /* something found no room: what was written is worth nothing */
};

/* The `width` (at most 8) lowest bytes of `value`. */
void gf_pack_int(struct gf_pack *pack, uint64_t value, size_t width);
void gf_pack_bytes(struct gf_pack *pack, const void *data, size_t len);

struct gf_unpack {
	const unsigned char *at, *end; /* the caller's bytes */
	bool bad;                      /* something was missing, or the caller found it wrong: nothing of it counts */
};

/* 0 once it is bad. */
uint64_t gf_unpack_int(struct gf_unpack *unpack, size_t width);
/* The next `len` bytes where they lie, or NULL once it is bad. */
const unsigned char *gf_unpack_bytes(struct gf_unpack *unpack, size_t len);

#endif
