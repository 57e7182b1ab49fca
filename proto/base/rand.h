/* Randomness: the kernel's for identities and jitter, a seeded generator (xoshiro256**) for simulation and tests. */
#ifndef GF_BASE_RAND_H
#define GF_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/* Fills `out` from getrandom(2); aborts the process if the kernel has none (it can't fail on Linux >= 3.17). */
void gf_rand_bytes(void *out, size_t len);

struct gf_prng {
	uint64_t s[4];
};
void gf_prng_seed(struct gf_prng *p, uint64_t seed);
uint64_t gf_prng_next(struct gf_prng *p);
uint64_t gf_prng_below(struct gf_prng *p, uint64_t bound); /* 0..bound-1, unbiased; 0 when bound is 0 */
double gf_prng_unit(struct gf_prng *p);                    /* [0, 1) */
double gf_prng_normal(struct gf_prng *p, double mean, double sd);

#endif
