#include "proto/base/text.h"

#include <errno.h>
#include <string.h>

bool gf_strcpy(char *dst, size_t size, const char *src)
{
	size_t len = strnlen(src, size);
	bool fits = len < size;
	if (!fits)
		len = size - 1;
	memmove(dst, src, len);
	dst[len] = '\0';
	return fits;
}

bool gf_strcpy_utf8(char *dst, size_t size, const char *src)
{
	size_t len = strnlen(src, size);
	if (len < size)
		return gf_strcpy(dst, size, src);
	/* src[len] is the first byte that has no room: not the middle of a character. */
	len = size - 1;
	while (len > 0 && ((unsigned char)src[len] & 0xc0) == 0x80)
		len--;
	memmove(dst, src, len);
	dst[len] = '\0';
	return false;
}

/* The length of the sequence a lead byte begins and the least code point it may carry; 0 for no lead byte. */
static size_t sequence(unsigned char lead, uint32_t *ret_least, uint32_t *ret_bits)
{
	if (lead < 0x80)
		return *ret_least = 0, *ret_bits = lead, 1;
	if (lead >= 0xc2 && lead < 0xe0)
		return *ret_least = 0x80, *ret_bits = lead & 0x1fU, 2;
	if (lead >= 0xe0 && lead < 0xf0)
		return *ret_least = 0x800, *ret_bits = lead & 0x0fU, 3;
	if (lead >= 0xf0 && lead < 0xf5)
		return *ret_least = 0x10000, *ret_bits = lead & 0x07U, 4;
	return 0;
}

bool gf_utf8_valid(const void *data, size_t len)
{
	const unsigned char *at = data;
	while (len > 0) {
		uint32_t least, code;
		size_t n = sequence(*at, &least, &code);
		if (n == 0 || n > len || *at == 0)
			return false;
		for (size_t i = 1; i < n; i++) {
			if ((at[i] & 0xc0) != 0x80)
				return false;
			code = code << 6 | (at[i] & 0x3fU);
		}
		if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return false;
		at += n;
		len -= n;
	}
	return true;
}

bool gf_has_controls(const void *data, size_t len)
{
	const unsigned char *text = data;
	for (size_t i = 0; i < len; i++) {
		bool c1 = text[i] == 0xc2 && i + 1 < len && text[i + 1] < 0xa0;
		if (text[i] < 0x20 || text[i] == 0x7f || c1)
			return true;
	}
	return false;
}

enum { NEAREST_WORD_MAX = 63 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, substitutions, swapped neighbours. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][NEAREST_WORD_MAX + 1];
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *higher = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
			row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], higher[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

const char *gf_nearest(const char *word, const char *const *candidates, size_t count)
{
	const char *best = NULL;
	size_t word_len = strlen(word), best_distance = SIZE_MAX;
	if (word_len == 0 || word_len > NEAREST_WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(candidates[i]);
		if (len > NEAREST_WORD_MAX)
			continue;
		size_t d = distance(word, word_len, candidates[i], len);
		/* A third of the longer word may be wrong; more is another word. */
		size_t longer = len > word_len ? len : word_len;
		if (d < best_distance && d <= 1 + longer / 3 && d < longer) {
			best = candidates[i];
			best_distance = d;
		}
	}
	return best;
}

bool gf_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;
	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*pattern != '\0' && (*pattern == '?' || *pattern == *text)) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

void gf_hex(const void *data, size_t len, char *dst)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *at = data;
	for (size_t i = 0; i < len; i++) {
		*dst++ = digits[at[i] >> 4];
		*dst++ = digits[at[i] & 15];
	}
	*dst = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int gf_unhex(const char *hex, void *ret_data, size_t len)
{
	unsigned char *out = ret_data;
	if (strlen(hex) != 2 * len)
		return -EINVAL;
	for (size_t i = 0; i < 2 * len; i++) {
		if (hex_value(hex[i]) < 0)
			return -EINVAL;
	}
	for (size_t i = 0; i < len; i++)
		out[i] = (unsigned char)(hex_value(hex[2 * i]) * 16 + hex_value(hex[2 * i + 1]));
	return 0;
}

bool gf_id_valid(const char *id, size_t len)
{
	if (len == 0 || len >= GF_ID_MAX || id[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!((id[i] >= 'a' && id[i] <= 'z') || (id[i] >= '0' && id[i] <= '9') || id[i] == '-'))
			return false;
	}
	return true;
}
