/*
 * Runs a libFuzzer target without libFuzzer: over each file of a folder of seeds, and over mutations of each from a fixed seed, so
 * that every build with sanitizers tries what a fuzzer found once and a little of what it might find.
 *
 *     replay CORPUS_DIR [ROUNDS]
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/file.h"
#include "proto/base/rand.h"

enum { INPUT_MAX = 1 << 17, ROUNDS = 300, EDITS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Exactly as large as the input, so that ASan sees a read beyond it. */
static void try_input(const unsigned char *data, size_t len)
{
	unsigned char *copy = malloc(len > 0 ? len : 1);
	if (copy == NULL)
		abort();
	memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static size_t mutate(struct gf_prng *prng, unsigned char *data, size_t len)
{
	size_t at = len > 0 ? gf_prng_below(prng, len) : 0, span;
	switch (gf_prng_below(prng, 5)) {
	case 0: /* flip a bit */
		if (len > 0)
			data[at] ^= (unsigned char)(1U << gf_prng_below(prng, 8));
		return len;
	case 1: /* another byte */
		if (len > 0)
			data[at] = (unsigned char)gf_prng_next(prng);
		return len;
	case 2: /* cut off */
		return at;
	case 3: /* take out */
		span = len > at ? gf_prng_below(prng, len - at) + 1 : 0;
		memmove(data + at, data + at + span, len - at - span);
		return len - span;
	default: /* repeat a part */
		span = len > at ? gf_prng_below(prng, len - at) + 1 : 0;
		if (len + span > INPUT_MAX)
			return len;
		memmove(data + at + span, data + at, len - at);
		return len + span;
	}
}

static void try_mutations(const char *name, const unsigned char *seed, size_t len, unsigned rounds,
                          unsigned char *buffer)
{
	struct gf_prng prng;
	gf_prng_seed(&prng, len + 1);
	/* Said before, not after: a sanitizer that stops the process leaves this as the last line. */
	fprintf(stderr, "%s: %u mutations, seed %zu\n", name, rounds, len + 1);
	for (unsigned round = 0; round < rounds; round++) {
		size_t size = len;
		memcpy(buffer, seed, len);
		for (uint64_t edits = gf_prng_below(&prng, EDITS_MAX) + 1; edits > 0; edits--)
			size = mutate(&prng, buffer, size);
		try_input(buffer, size);
	}
}

int main(int argc, char **argv)
{
	unsigned char *buffer = malloc(INPUT_MAX);
	DIR *dir = argc > 1 ? opendir(argv[1]) : NULL;
	unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : ROUNDS, seeds = 0;

	if (dir == NULL || buffer == NULL) {
		fprintf(stderr, "usage: %s CORPUS_DIR [ROUNDS]: %s\n", argv[0], strerror(errno));
		return EXIT_FAILURE;
	}
	try_input(buffer, 0);
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char path[4096], *data;
		size_t len;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		if (entry->d_name[0] == '.' || gf_file_read(path, INPUT_MAX, &data, &len, NULL) != 0)
			continue;
		try_input((const unsigned char *)data, len);
		try_mutations(entry->d_name, (const unsigned char *)data, len, rounds, buffer);
		free(data);
		seeds++;
	}
	closedir(dir);
	free(buffer);
	if (seeds == 0) {
		fprintf(stderr, "no seeds in %s\n", argv[1]);
		return EXIT_FAILURE;
	}
	printf("[  PASSED  ] 1 test(s).\n");
	return EXIT_SUCCESS;
}
