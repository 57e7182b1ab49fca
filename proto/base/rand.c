#include "proto/base/rand.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/random.h>

void gf_rand_bytes(void *out, size_t len)
{
	unsigned char *at = out;
	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			abort();
		at += n;
		len -= (size_t)n;
	}
}

/* splitmix64, as its authors recommend for seeding xoshiro. */
static uint64_t split(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void gf_prng_seed(struct gf_prng *p, uint64_t seed)
{
	for (size_t i = 0; i < 4; i++)
		p->s[i] = split(&seed);
}

static uint64_t rotate(uint64_t x, unsigned k)
{
	return (x << k) | (x >> (64 - k));
}

/* xoshiro256** by Blackman and Vigna. */
uint64_t gf_prng_next(struct gf_prng *p)
{
	uint64_t *s = p->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t gf_prng_below(struct gf_prng *p, uint64_t bound)
{
	if (bound == 0)
		return 0;
	/* Values below this would make the low remainders likelier. */
	uint64_t threshold = -bound % bound, value;
	do
		value = gf_prng_next(p);
	while (value < threshold);
	return value % bound;
}

double gf_prng_unit(struct gf_prng *p)
{
	return (double)(gf_prng_next(p) >> 11) * 0x1.0p-53;
}

/* Box and Muller's transform; the second value is not kept, so that one call is always two draws. */
double gf_prng_normal(struct gf_prng *p, double mean, double sd)
{
	double u = 1.0 - gf_prng_unit(p), v = gf_prng_unit(p);
	return mean + sd * sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}
