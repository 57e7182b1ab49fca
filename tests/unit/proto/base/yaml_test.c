#include "proto/base/yaml.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/proto/base/yaml_sample.h"

static struct gf_yaml *loaded(const char *text, const struct sample **ret_sample)
{
	struct gf_yaml *doc = NULL;
	struct gf_diag diag = {{0}};
	void *data = NULL;
	if (gf_yaml_load_text("t.yaml", text, strlen(text), &sample_schema, &doc, &data, &diag) != 0)
		fail_msg("%s", diag.text);
	*ret_sample = data;
	return doc;
}

static void assert_refused_bytes(const char *text, size_t len, const char *sentence)
{
	struct gf_yaml *doc = NULL;
	struct gf_diag diag = {{0}};
	void *data = &diag;
	assert_int_equal(gf_yaml_load_text("t.yaml", text, len, &sample_schema, &doc, &data, &diag), -EINVAL);
	assert_string_equal(diag.text, sentence);
	assert_null(doc);
	assert_ptr_equal(data, &diag);
}

static void assert_refused(const char *text, const char *sentence)
{
	assert_refused_bytes(text, strlen(text), sentence);
}

/* --- what is read --- */

static void every_type_is_read(void **state)
{
	const struct sample *s;
	struct gf_yaml *doc = loaded("# a comment\n"
	                             "name: gun\n"
	                             "level: -128\n"
	                             "seed: 18446744073709551615\n"
	                             "limit: 2.5\n"
	                             "on: yes\n"
	                             "inner: {host: a.example, port: 0x22b3}\n"
	                             "entries:\n"
	                             "  - {colour: green, share: 1e-3}\n"
	                             "  - colour: blue\n",
	                             &s);
	(void)state;
	assert_string_equal(s->name, "gun");
	assert_int_equal(s->level, -128);
	assert_true(s->seed == UINT64_MAX);
	assert_true(s->limit == 2.5F);
	assert_true(s->on);
	assert_string_equal(s->inner.host, "a.example");
	assert_int_equal(s->inner.port, 8883);
	assert_int_equal(s->entries_count, 2);
	assert_int_equal(s->entries[0].colour, 2);
	assert_true(s->entries[0].share == 1e-3);
	assert_int_equal(s->entries[1].colour, 3);
	gf_yaml_free(doc);
}

static void what_is_left_out_is_zero(void **state)
{
	const struct sample *s;
	struct gf_yaml *doc = loaded("name: gun\n", &s);

	(void)state;
	assert_int_equal(s->level, 0);
	assert_false(s->on);
	assert_null(s->inner.host);
	assert_int_equal(s->entries_count, 0);
	gf_yaml_free(doc);
}

static void spellings_of_true_and_false_are_read_alike(void **state)
{
	static const char *const words[] = {"true", "yes", "on", "false", "no", "off"};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		char text[64];
		const struct sample *s;
		snprintf(text, sizeof(text), "name: x\non: %s\n", words[i]);
		struct gf_yaml *doc = loaded(text, &s);
		assert_int_equal(s->on, i < 3);
		gf_yaml_free(doc);
	}
}

static void a_byte_order_mark_and_foreign_line_ends_do_no_harm(void **state)
{
	const struct sample *s;
	struct gf_yaml *doc = loaded("\xef\xbb\xbfname: \"\xc3\xa4\xe2\x82\xac\"\r\nlevel: 3\r\n", &s);

	(void)state;
	assert_string_equal(s->name, "\xc3\xa4\xe2\x82\xac");
	assert_int_equal(s->level, 3);
	gf_yaml_free(doc);
}

static void nothing_is_freed_when_there_is_nothing(void **state)
{
	(void)state;
	gf_yaml_free(NULL);
}

/* --- keys --- */

static void an_unknown_key_names_the_nearest(void **state)
{
	(void)state;
	assert_refused("name: x\nlevl: 3\n", "t.yaml:2:1: unknown key 'levl'; did you mean 'level'?");
	assert_refused("name: x\ninner:\n  hots: a\n", "t.yaml:3:3: unknown key 'hots' in 'inner'; did you mean 'host'?");
	assert_refused("name: x\nentries:\n  - {colour: red, shar: 1}\n",
	               "t.yaml:3:19: unknown key 'shar' in 'entries'; did you mean 'share'?");
	assert_refused("name: x\ntemperature: 3\n", "t.yaml:2:1: unknown key 'temperature'; known are: name, level, seed, "
	                                            "limit, on, inner, entries");
	assert_refused("Name: x\n", "t.yaml:1:1: unknown key 'Name'; did you mean 'name'?");
	assert_refused("name: x\n\"\": 3\n",
	               "t.yaml:2:1: unknown key ''; known are: name, level, seed, limit, on, inner, entries");
}

static void a_missing_key_is_named(void **state)
{
	(void)state;
	assert_refused("level: 3\n", "t.yaml:1:1: missing key 'name'");
	assert_refused("name: x\ninner:\n  port: 1\n", "t.yaml:3:3: missing key 'host' in 'inner'");
	assert_refused("name: x\nentries:\n  - share: 1\n", "t.yaml:3:5: missing key 'colour' in 'entries'");
	assert_refused("{}\n", "t.yaml:1:1: missing key 'name'");
}

static void a_key_stands_once(void **state)
{
	(void)state;
	assert_refused("name: x\nlevel: 1\nname: y\n", "t.yaml:3:1: key 'name' stands twice; the first is in line 1");
	assert_refused("name: x\ninner: {host: a, host: a}\n",
	               "t.yaml:2:18: key 'host' stands twice; the first is in line 2");
}

static void a_key_is_a_word(void **state)
{
	(void)state;
	assert_refused("name: x\n[a, b]: 3\n", "t.yaml:2:1: a key must be a word");
	assert_refused("name: x\n? {a: b}\n: 3\n", "t.yaml:2:3: a key must be a word");
}

/* --- values --- */

static void a_value_of_another_type_is_refused(void **state)
{
	(void)state;
	assert_refused("hello\n", "t.yaml:1:1: the file is 'hello'; expected a mapping (keys with values)");
	assert_refused("- a\n", "t.yaml:1:1: the file is a list; expected a mapping (keys with values)");
	assert_refused("---\n", "t.yaml:2:1: the file has no value; expected a mapping (keys with values)");
	assert_refused("name: x\ninner: 3\n", "t.yaml:2:8: 'inner' is '3'; expected a mapping (keys with values)");
	assert_refused("name: x\ninner:\nlevel: 3\n",
	               "t.yaml:2:7: 'inner' has no value; expected a mapping (keys with values)");
	assert_refused("name: x\nentries: red\n", "t.yaml:2:10: 'entries' is 'red'; expected a list");
	assert_refused("name: x\nentries: {colour: red}\n", "t.yaml:2:10: 'entries' is a mapping; expected a list");
	assert_refused("name: [x]\n", "t.yaml:1:7: 'name' is a list; expected text");
	assert_refused("name: x\nlevel: {}\n", "t.yaml:2:8: 'level' is a mapping; expected a whole number");
	assert_refused("name: x\nlimit: [1]\n", "t.yaml:2:8: 'limit' is a list; expected a number");
	assert_refused("name: x\non: {}\n", "t.yaml:2:5: 'on' is a mapping; expected true or false");
	assert_refused("name: x\nentries:\n  - colour: [red]\n", "t.yaml:3:13: 'colour' is a list; expected a word");
}

static void a_whole_number_keeps_to_its_range(void **state)
{
	static const struct {
		const char *value, *said;
	} bad[] = {
	    {"128", "is '128'"},     {"-129", "is '-129'"}, {"1.5", "is '1.5'"},
	    {"three", "is 'three'"}, {"1e2", "is '1e2'"},   {"99999999999999999999", "is '99999999999999999999'"},
	    {"+3", "is '+3'"},       {"\" 3\"", "is ' 3'"}, {"3 m", "is '3 m'"},
	    {"--3", "is '--3'"},     {"0x", "is '0x'"},     {"~", "is '~'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[96], want[160];
		snprintf(text, sizeof(text), "name: x\nlevel: %s\n", bad[i].value);
		snprintf(want, sizeof(want), "t.yaml:2:8: 'level' %s; expected a whole number from -128 to 127", bad[i].said);
		assert_refused(text, want);
	}
	assert_refused("name: x\nlevel:\n", "t.yaml:2:7: 'level' has no value; expected a whole number from -128 to 127");
	assert_refused("name: x\nseed: -1\n",
	               "t.yaml:2:7: 'seed' is '-1'; expected a whole number from 0 to 18446744073709551615");
	assert_refused("name: x\ninner: {host: a, port: 65536}\n",
	               "t.yaml:2:24: 'port' is '65536'; expected a whole number from 0 to 65535");
	assert_refused("name: x\nlevel: 010\n",
	               "t.yaml:2:8: 'level' is '010'; expected a whole number without leading zeros");
}

static void a_number_is_finite(void **state)
{
	static const char *const bad[] = {"inf",   "nan",  ".inf", ".nan",  "1e39", "-1e39",
	                                  "1e999", "0x10", "1,5",  "1_000", "5 %"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64], want[96];
		snprintf(text, sizeof(text), "name: x\nlimit: %s\n", bad[i]);
		snprintf(want, sizeof(want), "t.yaml:2:8: 'limit' is '%s'; expected a number", bad[i]);
		assert_refused(text, want);
	}
	assert_refused("name: x\nlimit:\n", "t.yaml:2:7: 'limit' has no value; expected a number");
	/* A double takes what a float does not. */
	const struct sample *s;
	struct gf_yaml *doc = loaded("name: x\nlimit: 1e-60\nentries: [{colour: red, share: 1e39}]\n", &s);
	assert_true(s->entries[0].share == 1e39);
	assert_true(s->limit == 0.0F);
	gf_yaml_free(doc);
}

static void true_is_spelt_in_small_letters(void **state)
{
	(void)state;
	assert_refused("name: x\non: True\n", "t.yaml:2:5: 'on' is 'True'; expected true or false");
	assert_refused("name: x\non: 1\n", "t.yaml:2:5: 'on' is '1'; expected true or false");
}

static void a_word_is_one_of_the_known(void **state)
{
	(void)state;
	assert_refused("name: x\nentries: [{colour: gren}]\n",
	               "t.yaml:2:20: 'colour' is 'gren'; did you mean 'green'? Expected one of: red, green, blue");
	assert_refused("name: x\nentries: [{colour: mauve}]\n",
	               "t.yaml:2:20: 'colour' is 'mauve'; expected one of: red, green, blue");
	assert_refused("name: x\nentries: [{colour: Red}]\n",
	               "t.yaml:2:20: 'colour' is 'Red'; did you mean 'red'? Expected one of: red, green, blue");
	assert_refused("name: x\nentries: [{colour: 2}]\n",
	               "t.yaml:2:20: 'colour' is '2'; expected one of: red, green, blue");
}

static void a_text_keeps_to_its_length(void **state)
{
	const struct sample *s;
	struct gf_yaml *doc = loaded("name: seven77\n", &s);

	(void)state;
	assert_string_equal(s->name, "seven77");
	gf_yaml_free(doc);
	assert_refused("name: eight888\n", "t.yaml:1:7: 'name' has 8 bytes; expected 1 to 7");
	assert_refused("name: \"\"\n", "t.yaml:1:7: 'name' has no value; expected some text");
	assert_refused("name: x\ninner: {host: aaaaaaaaaaaaaaaaaaaaa}\n",
	               "t.yaml:2:15: 'host' has 21 bytes; expected 1 to 20");
}

static void a_text_is_one_line_of_printable_characters(void **state)
{
	(void)state;
	assert_refused("name: \"a\\tb\"\n",
	               "t.yaml:1:7: 'name' has a control character, such as a tab or a line break; expected plain text");
	assert_refused("name: |\n  a\n",
	               "t.yaml:1:7: 'name' has a control character, such as a tab or a line break; expected plain text");
	assert_refused("name: \"\\x9b1m\"\n",
	               "t.yaml:1:7: 'name' has a control character, such as a tab or a line break; expected plain text");
}

static void a_list_keeps_to_its_length(void **state)
{
	(void)state;
	assert_refused("name: x\nentries: []\n", "t.yaml:2:10: 'entries' has 0 entries; expected 1 to 3");
	assert_refused("name: x\nentries:\n- {colour: red}\n- {colour: red}\n- {colour: red}\n- {colour: red}\n",
	               "t.yaml:3:1: 'entries' has 4 entries; expected 1 to 3");
}

/* --- syntax --- */

static void an_empty_file_is_said_to_be_empty(void **state)
{
	(void)state;
	assert_refused("", "t.yaml:1:1: the file is empty");
	assert_refused("\n\n# only a comment\n", "t.yaml:1:1: the file is empty");
	assert_refused("\xef\xbb\xbf", "t.yaml:1:1: the file is empty");
	assert_refused("\xef\xbb\xbf\xef\xbb\xbf\xef\xbb\xbf[[",
	               "t.yaml:2:1: did not find expected node content, while parsing a flow node");
}

static void a_tab_is_no_indentation(void **state)
{
	(void)state;
	assert_refused("name: x\ninner:\n\thost: a\n", "t.yaml:3:1: a tab; YAML is indented with spaces");
	assert_refused("# \xc3\xa4\xc3\xb6\nname: \xc3\xa4\ninner:\n\thost: a\n",
	               "t.yaml:4:1: a tab; YAML is indented with spaces");
}

static void bad_syntax_is_placed(void **state)
{
	(void)state;
	assert_refused("name: x\nlevel 3\n", "t.yaml:3:1: could not find expected ':', while scanning a simple key that "
	                                     "begins in line 2; a key is followed by ':' and a space");
	assert_refused("name: \"x\n", "t.yaml:2:1: found unexpected end of stream, while scanning a quoted scalar that "
	                              "begins in line 1; the closing quote is missing");
	assert_refused("name: [a\n", "t.yaml:2:1: did not find expected ',' or ']', while parsing a flow sequence that "
	                             "begins in line 1; entries are parted by ',' and the list ends with ']'");
	assert_refused("name: x\n  level: 3\n",
	               "t.yaml:2:8: mapping values are not allowed in this context; a text that has ': ' in it belongs in "
	               "quotes, and the keys of one block begin in one column");
	assert_refused("name: @x\n", "t.yaml:1:7: found character that cannot start any token, while scanning for the next "
	                             "token; a text that begins with @, ` or % belongs in quotes");
	assert_refused("name: \"\\q\"\n", "t.yaml:1:8: found unknown escape character, while parsing a quoted scalar; "
	                                  "within \"...\" a backslash is written twice, within '...' once");
	assert_refused("name: too hot: x\n", "t.yaml:1:14: mapping values are not allowed in this context; a text that has "
	                                     "': ' in it belongs in quotes, and the keys of one block begin in one column");
	assert_refused("name: \"x\" y\n", "t.yaml:1:11: did not find expected key, while parsing a block mapping; the keys "
	                                  "of one block begin in one column, and nothing follows a closing quote");
	assert_refused("entries:\n  - colour: red\n   name: x\n",
	               "t.yaml:3:4: did not find expected '-' indicator, while parsing a block collection that begins in "
	               "line 2; the entries of one list begin in one column, and so do the keys of each");
	assert_refused("name: x\ninner: {host: a\n",
	               "t.yaml:3:1: did not find expected ',' or '}', while parsing a flow mapping that begins in line 2; "
	               "keys are parted by ',' and the block ends with '}'");
	assert_refused("name: x\n---\nname: y\n", "t.yaml:2:1: a second document begins here; expected one a file");
}

static void anchors_and_aliases_are_refused(void **state)
{
	(void)state;
	assert_refused("name: &a x\n",
	               "t.yaml:1:7: an anchor (&name) is not allowed here; write the value out where it is used");
	assert_refused("name: x\ninner: &i {host: a}\n",
	               "t.yaml:2:8: an anchor (&name) is not allowed here; write the value out where it is used");
	assert_refused("name: x\nentries: &e [{colour: red}]\n",
	               "t.yaml:2:10: an anchor (&name) is not allowed here; write the value out where it is used");
	assert_refused("name: *a\n", "t.yaml:1:7: an alias (*name) is not allowed here; write the value out");
	assert_refused("name: x\ninner:\n  <<: *a\n",
	               "t.yaml:3:7: an alias (*name) is not allowed here; write the value out");
}

static void i8_nesting_is_bounded(void **state)
{
	char *deep = malloc(1 << 19);

	(void)state;
	assert_non_null(deep);
	memcpy(deep, "name: ", 6);
	memset(deep + 6, '[', (1 << 19) - 6);
	assert_refused_bytes(deep, 1 << 19, "t.yaml:1:22: nested deeper than 16 levels");
	free(deep);
}

static void bytes_that_are_no_text_are_placed(void **state)
{
	(void)state;
	assert_refused("name: x\nlevel: \xff\n", "t.yaml:2:8: invalid leading UTF-8 octet (0xFF); expected UTF-8 text");
	/* Columns count characters, not bytes. */
	assert_refused("# \xc3\xa4\nname: \xc3\xa4\xc3(\n",
	               "t.yaml:2:9: invalid trailing UTF-8 octet (0x28); expected UTF-8 text");
	assert_refused("name: x\ninner: \xed\xa0\x80\n",
	               "t.yaml:2:8: invalid Unicode character (0xD800); expected UTF-8 text");
	assert_refused("name: \x1b[31m\n", "t.yaml:1:7: control characters are not allowed (0x1B); expected UTF-8 text");
	assert_refused_bytes("name: a\0b\n", 10,
	                     "t.yaml:1:8: control characters are not allowed (0x00); expected UTF-8 text");
	assert_refused_bytes("\xff\xfen\0a\0m\0e\0", 10,
	                     "t.yaml:1:1: invalid leading UTF-8 octet (0xFF); expected UTF-8 text");
}

static void a_nul_cannot_be_smuggled_in(void **state)
{
	(void)state;
	assert_refused("name: \"a\\0b\"\n", "t.yaml:1:7: a NUL (\\0) in a text");
	assert_refused("\"name\\0\": x\n", "t.yaml:1:1: a NUL (\\0) in a text");
	assert_refused("name: x\nlevel: \"3\\0\"\n", "t.yaml:2:8: a NUL (\\0) in a text");
}

/* --- positions for checks that come later --- */

static void a_later_check_points_at_its_node(void **state)
{
	static const struct {
		const char *at, *sentence;
		bool there;
	} places[] = {
	    {"", "t.yaml:1:1: no", true},
	    {"name", "t.yaml:1:7: no", true},
	    {"inner", "t.yaml:3:3: no", true},
	    {"inner.host", "t.yaml:3:9: no", true},
	    {"inner.port", "t.yaml:3:3: no", false},
	    {"inner.host.deeper", "t.yaml:3:9: no", false},
	    {"entries[0]", "t.yaml:5:3: no", true},
	    {"entries[1].colour", "t.yaml:6:13: no", true},
	    {"entries[1].share", "t.yaml:6:5: no", false},
	    {"entries[2].colour", "t.yaml:5:1: no", false},
	    {"entries[x", "t.yaml:5:3: no", false},
	    {"nowhere[1].at.all", "t.yaml:1:1: no", false},
	};
	const struct sample *s;
	struct gf_yaml *doc = loaded("name: x\ninner:\n  host: a\nentries:\n- {colour: red}\n-   colour: blue\n", &s);

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct gf_diag diag = {{0}};
		assert_int_equal(gf_yaml_fail(doc, places[i].at, &diag, "n%c", 'o'), -EINVAL);
		assert_string_equal(diag.text, places[i].sentence);
		assert_int_equal(gf_yaml_has(doc, places[i].at), places[i].there);
	}
	gf_yaml_free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_type_is_read),
	    cmocka_unit_test(what_is_left_out_is_zero),
	    cmocka_unit_test(spellings_of_true_and_false_are_read_alike),
	    cmocka_unit_test(a_byte_order_mark_and_foreign_line_ends_do_no_harm),
	    cmocka_unit_test(nothing_is_freed_when_there_is_nothing),
	    cmocka_unit_test(an_unknown_key_names_the_nearest),
	    cmocka_unit_test(a_missing_key_is_named),
	    cmocka_unit_test(a_key_stands_once),
	    cmocka_unit_test(a_key_is_a_word),
	    cmocka_unit_test(a_value_of_another_type_is_refused),
	    cmocka_unit_test(a_whole_number_keeps_to_its_range),
	    cmocka_unit_test(a_number_is_finite),
	    cmocka_unit_test(true_is_spelt_in_small_letters),
	    cmocka_unit_test(a_word_is_one_of_the_known),
	    cmocka_unit_test(a_text_keeps_to_its_length),
	    cmocka_unit_test(a_text_is_one_line_of_printable_characters),
	    cmocka_unit_test(a_list_keeps_to_its_length),
	    cmocka_unit_test(an_empty_file_is_said_to_be_empty),
	    cmocka_unit_test(a_tab_is_no_indentation),
	    cmocka_unit_test(bad_syntax_is_placed),
	    cmocka_unit_test(anchors_and_aliases_are_refused),
	    cmocka_unit_test(i8_nesting_is_bounded),
	    cmocka_unit_test(bytes_that_are_no_text_are_placed),
	    cmocka_unit_test(a_nul_cannot_be_smuggled_in),
	    cmocka_unit_test(a_later_check_points_at_its_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
