#include "proto/base/text.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void a_copy_ends_and_says_when_it_was_cut(void **state)
{
	char dst[6] = "xxxxx";

	(void)state;
	assert_true(gf_strcpy(dst, sizeof(dst), "hello"));
	assert_string_equal(dst, "hello");
	assert_false(gf_strcpy(dst, sizeof(dst), "hello!"));
	assert_string_equal(dst, "hello");
	assert_true(gf_strcpy(dst, sizeof(dst), ""));
	assert_string_equal(dst, "");
	assert_false(gf_strcpy(dst, 1, "a"));
	assert_string_equal(dst, "");
}

static void a_sentence_is_not_cut_within_a_character(void **state)
{
	char dst[6];
	(void)state;
	assert_true(gf_strcpy_utf8(dst, sizeof(dst), "h\xc3\xa4ng"));
	assert_string_equal(dst, "h\xc3\xa4ng");
	assert_false(gf_strcpy_utf8(dst, sizeof(dst), "laut\xc3\xa4"));
	assert_string_equal(dst, "laut");
	assert_false(gf_strcpy_utf8(dst, sizeof(dst), "abc\xe2\x82\xac"));
	assert_string_equal(dst, "abc");
	assert_false(gf_strcpy_utf8(dst, sizeof(dst), "abcd\xf0\x9f\x92\x86"));
	assert_string_equal(dst, "abcd");
	assert_false(gf_strcpy_utf8(dst, sizeof(dst), "abc\xc3\xa4xyz"));
	assert_string_equal(dst, "abc\xc3\xa4");
	/* What isn't UTF-8 ends all the same. */
	assert_false(gf_strcpy_utf8(dst, sizeof(dst), "\x80\x80\x80\x80\x80\x80\x80"));
	assert_string_equal(dst, "");
}

static size_t encode(uint32_t code, unsigned char out[static 4])
{
	if (code < 0x80)
		return out[0] = (unsigned char)code, 1;
	if (code < 0x800) {
		out[0] = (unsigned char)(0xc0 | code >> 6);
		out[1] = (unsigned char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (unsigned char)(0xe0 | code >> 12);
		out[1] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (unsigned char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (unsigned char)(0xf0 | code >> 18);
	out[1] = (unsigned char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (unsigned char)(0x80 | (code & 0x3f));
	return 4;
}

static void every_code_point_is_utf8_and_no_surrogate_is(void **state)
{
	unsigned char bytes[4];

	(void)state;
	for (uint32_t code = 1; code <= 0x1fffff; code++) {
		size_t len = encode(code, bytes);
		bool want = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
		if (gf_utf8_valid(bytes, len) != want)
			fail_msg("U+%06X", (unsigned)code);
		if (len > 1 && gf_utf8_valid(bytes, len - 1))
			fail_msg("U+%06X cut off is taken", (unsigned)code);
	}
	assert_true(gf_utf8_valid("", 0));
	assert_false(gf_utf8_valid("a\0b", 3));
}

static void what_is_not_utf8_is_refused(void **state)
{
	static const char *const bad[] = {
	    "\x80",
	    "\xbf",
	    "a\xff",
	    "\xfe",
	    "\xc0\x80",
	    "\xc1\xbf",
	    "\xe0\x9f\xbf",
	    "\xe0\x80\x80",
	    "\xf0\x8f\xbf\xbf",
	    "\xf4\x90\x80\x80",
	    "\xc3(",
	    "\xe2\x82(",
	    "\xc3\xa4\xa4",
	    "\xf8\x88\x80\x80\x80",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(gf_utf8_valid(bad[i], strlen(bad[i])));
}

static void every_control_character_is_found(void **state)
{
	(void)state;
	assert_false(gf_has_controls("", 0));
	for (uint32_t code = 1; code <= 0x2100; code++) {
		unsigned char text[8] = {'a'};
		size_t len = 1 + encode(code, text + 1);
		text[len++] = 'z';
		bool want = code < 0x20 || (code >= 0x7f && code < 0xa0);
		if (gf_has_controls(text, len) != want)
			fail_msg("U+%04X", (unsigned)code);
	}
}

static void a_slip_finds_its_word(void **state)
{
	static const char *const words[] = {"broker", "location", "state_dir", "class", "port", "no"};
	static const struct {
		const char *word, *nearest;
	} slips[] = {
	    {"brokr", "broker"}, {"borker", "broker"},    {"brokerr", "broker"},
	    {"boker", "broker"}, {"locaton", "location"}, {"state-dir", "state_dir"},
	    {"calss", "class"},  {"prot", "port"},        {"on", "no"},
	    {"class", "class"},  {"temperature", NULL},   {"x", NULL},
	    {"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(slips); i++) {
		const char *nearest = gf_nearest(slips[i].word, words, COUNT(words));
		if (slips[i].nearest == NULL)
			assert_null(nearest);
		else if (nearest == NULL)
			fail_msg("'%s' finds nothing", slips[i].word);
		else
			assert_string_equal(nearest, slips[i].nearest);
	}
	assert_null(gf_nearest("broker", words, 0));
}

static void a_word_of_any_length_is_compared_safely(void **state)
{
	char longest[64], longer[65];
	const char *candidates[] = {longest, longer};

	(void)state;
	memset(longest, 'a', 63);
	longest[63] = '\0';
	memset(longer, 'a', 64);
	longer[64] = '\0';
	assert_ptr_equal(gf_nearest(longest, candidates, 2), longest);
	assert_null(gf_nearest(longer, candidates, 2));
}

static void a_glob_matches_the_whole_text(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} globs[] = {
	    {"", "", true},
	    {"", "a", false},
	    {"*", "", true},
	    {"*", "gun-1", true},
	    {"gun-*", "gun-1", true},
	    {"gun-*", "gun-", true},
	    {"gun-*", "a-gun-1", false},
	    {"*-1", "gun-1", true},
	    {"*-1", "gun-11", false},
	    {"*-1", "gun-1-1", true},
	    {"g?n", "gun", true},
	    {"g?n", "gn", false},
	    {"?", "", false},
	    {"a*b*c", "axxbyyc", true},
	    {"a*b*c", "axxbyy", false},
	    {"**", "x", true},
	    {"a", "A", false},
	    {"[a]", "a", false},
	    {"a*", "b", false},
	    {"*a*a*", "ba", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(globs); i++) {
		if (gf_glob(globs[i].pattern, globs[i].text) != globs[i].matches)
			fail_msg("'%s' and '%s'", globs[i].pattern, globs[i].text);
	}
}

/* With recursion at each star this would take longer than the machine lives. */
static void i10_a_hostile_glob_ends(void **state)
{
	char pattern[2 * 64 + 2], text[4096];

	(void)state;
	for (size_t i = 0; i < 64; i++)
		memcpy(pattern + 2 * i, "*a", 2);
	memcpy(pattern + 2 * 64, "b", 2);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(gf_glob(pattern, text));
}

static void hex_goes_there_and_back(void **state)
{
	unsigned char bytes[256], again[256];
	char hex[2 * 256 + 1];

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		bytes[i] = (unsigned char)i;
	gf_hex(bytes, 256, hex);
	assert_memory_equal(hex, "000102030405060708090a0b", 24);
	assert_int_equal(strlen(hex), 512);
	assert_int_equal(gf_unhex(hex, again, 256), 0);
	assert_memory_equal(bytes, again, 256);
	assert_int_equal(gf_unhex("AbCd", again, 2), 0);
	assert_memory_equal(again, "\xab\xcd", 2);
	gf_hex("", 0, hex);
	assert_string_equal(hex, "");
}

static void bad_hex_leaves_the_output_alone(void **state)
{
	static const char *const bad[] = {"", "ab", "abc", "abcde", "abcdef", "abcg", "ab d", "0xab", "ab\xc3\xa4", "-1-2"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		unsigned char out[2] = {7, 7};
		assert_int_equal(gf_unhex(bad[i], out, 2), -EINVAL);
		assert_memory_equal(out, "\7\7", 2);
	}
}

static void i7_an_id_is_a_safe_topic_segment(void **state)
{
	char longest[GF_ID_MAX + 1];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	assert_true(gf_id_valid(longest, GF_ID_MAX - 1));
	assert_false(gf_id_valid(longest, GF_ID_MAX));
	assert_false(gf_id_valid("", 0));
	assert_true(gf_id_valid("0-", 2));
	/* Every byte, first and later. */
	for (unsigned c = 0; c < 256; c++) {
		bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		const char first[2] = {(char)c, 'a'}, later[2] = {'a', (char)c};
		assert_int_equal(gf_id_valid(first, 2), alnum);
		assert_int_equal(gf_id_valid(later, 2), alnum || c == '-');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_copy_ends_and_says_when_it_was_cut),
	    cmocka_unit_test(a_sentence_is_not_cut_within_a_character),
	    cmocka_unit_test(every_code_point_is_utf8_and_no_surrogate_is),
	    cmocka_unit_test(what_is_not_utf8_is_refused),
	    cmocka_unit_test(every_control_character_is_found),
	    cmocka_unit_test(a_slip_finds_its_word),
	    cmocka_unit_test(a_word_of_any_length_is_compared_safely),
	    cmocka_unit_test(a_glob_matches_the_whole_text),
	    cmocka_unit_test(i10_a_hostile_glob_ends),
	    cmocka_unit_test(hex_goes_there_and_back),
	    cmocka_unit_test(bad_hex_leaves_the_output_alone),
	    cmocka_unit_test(i7_an_id_is_a_safe_topic_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
