/* The same number for the same content, to notice that something changed: FNV-1a, 64 bits. Whoever wants to can make two alike. */
#ifndef GF_BASE_FNV_H
#define GF_BASE_FNV_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct gf_fnv {
	uint64_t value;
};
#define GF_FNV_EMPTY UINT64_C(0xcbf29ce484222325)

static inline void gf_fnv_bytes(struct gf_fnv *d, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		d->value = (d->value ^ bytes[i]) * UINT64_C(0x100000001b3);
}

static inline void gf_fnv_text(struct gf_fnv *d, const char *text)
{
	gf_fnv_bytes(d, text, strlen(text) + 1);
}

static inline void gf_fnv_int(struct gf_fnv *d, int64_t value)
{
	gf_fnv_bytes(d, &value, sizeof(value));
}

static inline void gf_fnv_real(struct gf_fnv *d, double value)
{
	gf_fnv_bytes(d, &value, sizeof(value));
}

#endif
