/* Small text helpers that C lacks. */
#ifndef GF_BASE_TEXT_H
#define GF_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"

/* Copies at most size - 1 bytes and always ends with NUL; false when it had to cut. */
bool gf_strcpy(char *dst, size_t size, const char *src);

/* The same, but never cuts within a character of UTF-8: a sentence for a person, which may end in somebody else's words. */
bool gf_strcpy_utf8(char *dst, size_t size, const char *src);

/* True for well-formed UTF-8 without NUL (RFC 3629: no surrogates, no overlong forms, <= U+10FFFF). */
bool gf_utf8_valid(const void *data, size_t len);

/* C0, DEL and C1 of valid UTF-8: a text from elsewhere must not be able to steer the terminal it is shown on. */
bool gf_has_controls(const void *data, size_t len);

/* The candidate nearest to `word` by edit distance, or NULL when none is near enough to be a likely slip. */
const char *gf_nearest(const char *word, const char *const *candidates, size_t count);

/* Shell-style glob with '*' and '?' over the whole text; linear time in practice (no recursion). */
bool gf_glob(const char *pattern, const char *text);

/* Lower-case hex; dst has room for 2 * len + 1. */
void gf_hex(const void *data, size_t len, char *dst);
/* Returns 0, or -EINVAL when `hex` isn't exactly 2 * len hex digits. */
GF_MUST_CHECK int gf_unhex(const char *hex, void *ret_data, size_t len);

/* A device's id: [a-z0-9][a-z0-9-]{0,62}. */
enum { GF_ID_MAX = 64 };
bool gf_id_valid(const char *id, size_t len);

#endif
