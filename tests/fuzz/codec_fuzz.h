/* What the codec's fuzz targets share. */
#ifndef GF_CODEC_FUZZ_H
#define GF_CODEC_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that was broken: the fuzzer takes an abort for a crash. */
static inline void must(bool holds)
{
	if (!holds)
		abort();
}

/* Refused means: by one of the codec's own codes, and with a sentence. */
static inline void must_refuse_well(int result, const struct gf_diag *diag)
{
	must(result >= GF_CODEC_E_MALFORMED && result <= GF_CODEC_E_INVALID && diag->text[0] != '\0');
}

#endif
