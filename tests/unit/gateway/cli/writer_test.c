#include "gateway/cli/writer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/cli/text.h"
#include "proto/base/clock.h"

#define NOW_MS 1795196523000LL /* 2026-11-20T17:42:03Z */

static const struct column columns[] = {
    {"id", "DEVICE", COLUMN_TEXT, 8, false},     {"health", "HEALTH", COLUMN_STATE, 0, false},
    {"today.n", "TODAY", COLUMN_WHOLE, 0, true}, {"temp_c", "°C", COLUMN_ONE, 0, true},
    {"seen", "SEEN", COLUMN_AGO, 0, false},      {"busy", "BUSY", COLUMN_YES, 0, false},
    {"note", "", COLUMN_RAW_ONLY, 0, false},
};

static json_t *sample(void)
{
	return json_loads("[{\"id\":\"chair-1\",\"health\":\"ok\",\"today\":{\"n\":12},\"temp_c\":41.25,"
	                  "\"seen\":\"2026-11-20T17:39:03Z\",\"busy\":true,\"note\":\"a \\\"b\\\", c\"},"
	                  "{\"id\":\"gun\\u001b[2J-very-long\",\"health\":\"critical\",\"today\":{\"n\":3},\"temp_c\":null,"
	                  "\"seen\":\"2026-11-21T17:42:03Z\",\"busy\":false,\"note\":\"line\\nline\"}]",
	                  0, NULL);
}

static char *render_as(struct writer_options options, const struct column *shown, size_t count, const char *items_json)
{
	char *text = NULL;
	size_t size, i;
	json_t *items = items_json != NULL ? json_loads(items_json, 0, NULL) : sample(), *item;
	struct writer *writer = NULL;

	options.out = open_memstream(&text, &size);
	options.now_ms = NOW_MS;
	assert_int_equal(writer_new(&options, shown, count, &writer), 0);
	json_array_foreach(items, i, item) assert_int_equal(writer_item(writer, item), 0);
	assert_int_equal(writer_end(writer), 0);
	writer_free(writer);
	json_decref(items);
	fclose(options.out);
	return text;
}

static char *render(struct writer_options options, const char *items_json)
{
	return render_as(options, columns, sizeof(columns) / sizeof(columns[0]), items_json);
}

static void a_table_is_aligned_and_harmless(void **state)
{
	char *text = render((struct writer_options){.format = WRITER_TABLE}, NULL);

	(void)state;
	assert_string_equal(text, "DEVICE    HEALTH    TODAY    °C  SEEN       BUSY\n"
	                          "chair-1   ok           12  41.2  3 min ago  yes\n"
	                          "gun?[2J…  critical      3     -  in 24 h    \n");
	free(text);
}

static void colours_are_for_states_only_and_take_no_width(void **state)
{
	char *text = render((struct writer_options){.format = WRITER_TABLE, .colour = true}, NULL);

	(void)state;
	assert_non_null(strstr(text, "chair-1   \033[32mok\033[0m           12"));
	assert_non_null(strstr(text, "\033[31mcritical\033[0m      3"));
	free(text);
}

static void a_table_leaves_out_what_does_not_fit(void **state)
{
	char *text = render((struct writer_options){.format = WRITER_TABLE, .width = 46}, NULL);

	(void)state;
	assert_string_equal(text, "DEVICE    HEALTH    TODAY    °C  SEEN\n"
	                          "chair-1   ok           12  41.2  3 min ago\n"
	                          "gun?[2J…  critical      3     -  in 24 h\n"
	                          "no room for BUSY: widen the terminal, or -o csv\n");
	free(text);
	text = render((struct writer_options){.format = WRITER_TABLE, .width = 28}, NULL);
	assert_string_equal(text, "DEVICE    HEALTH    TODAY\n"
	                          "chair-1   ok           12\n"
	                          "gun?[2J…  critical      3\n"
	                          "no room for 3 columns: -o csv has them\n");
	free(text);
	/* A column that says nothing goes first and is not missed; one always stays. */
	text = render((struct writer_options){.format = WRITER_TABLE, .width = 38},
	              "[{\"id\":\"chair-1\",\"today\":{\"n\":12},\"temp_c\":40,\"seen\":\"2026-11-20T17:39:03Z\"}]");
	assert_string_equal(text, "DEVICE   TODAY    °C  SEEN\n"
	                          "chair-1     12  40.0  3 min ago\n");
	free(text);
	text = render((struct writer_options){.format = WRITER_TABLE, .width = 3}, "[{\"id\":\"chair-1\"}]");
	assert_string_equal(text, "DEVICE\nchair-1\n");
	free(text);
	text = render((struct writer_options){.format = WRITER_CSV, .width = 3}, "[{\"id\":\"chair-1\"}]");
	assert_non_null(strstr(text, "busy"));
	free(text);
}

static void a_version_stands_behind_its_name(void **state)
{
	const struct column shown[] = {{"catalog", "CATALOG", COLUMN_VERSION, 9, false}};
	const char *items = "[{\"catalog\":\"gym\",\"catalog_version\":3},{\"catalog\":null,\"catalog_version\":null},"
	                    "{\"catalog\":\"g\\u001bm\"},{\"catalog\":\"percussion\",\"catalog_version\":12}]";
	char *text = render_as((struct writer_options){.format = WRITER_TABLE}, shown, 1, items);

	(void)state;
	assert_string_equal(text, "CATALOG\ngym@3\n-\ng?m\npercussi…\n");
	free(text);
	text = render_as((struct writer_options){.format = WRITER_CSV}, shown, 1,
	                 "[{\"catalog\":\"gym\",\"catalog_version\":3}]");
	assert_non_null(strstr(text, "\ngym\r\n"));
	free(text);
}

/* Two columns each, none for what stands over another; what doesn't fit is cut between characters. */
static void wide_characters_take_two_columns(void **state)
{
	char *text = render((struct writer_options){.format = WRITER_TABLE},
	                    "[{\"id\":\"按摩椅二\",\"health\":\"ok\"},{\"id\":\"按摩椅二号\",\"health\":\"ok\"},"
	                    "{\"id\":\"e\\u0301a\",\"health\":\"ok\"}]");

	(void)state;
	assert_string_equal(text, "DEVICE    HEALTH  TODAY  °C  SEEN  BUSY\n"
	                          "按摩椅二  ok          -   -  -     -\n"
	                          "按摩椅…   ok          -   -  -     -\n"
	                          "e\xcc\x81"
	                          "a        ok          -   -  -     -\n");
	free(text);
}

static void less_than_a_second_ago_is_now(void **state)
{
	const struct column seen[] = {{"seen", "SEEN", COLUMN_AGO, 0, false}};
	struct writer_options options = {.format = WRITER_TABLE};
	char *text =
	    render_as(options, seen, 1, "[{\"seen\":\"2026-11-20T17:42:03Z\"},{\"seen\":\"2026-11-20T17:42:02Z\"}]");

	(void)state;
	assert_string_equal(text, "SEEN\nnow\n1 s ago\n");
	free(text);
}

static void what_it_is_about_is_never_left_out(void **state)
{
	const struct column event[] = {
	    {"at", "TIME", COLUMN_TEXT, 0, false},
	    {"id", "DEVICE", COLUMN_TEXT, 0, false},
	    {"text", "EVENT", COLUMN_PROSE, 0, false},
	};
	char *text = render_as((struct writer_options){.format = WRITER_TABLE, .width = 32}, event, 3,
	                       "[{\"at\":\"17:42\",\"id\":\"chair-1\",\"text\":\"session 12 ended, 340 s, by its user\"}]");

	(void)state;
	assert_string_equal(text, "TIME   EVENT\n"
	                          "17:42  session 12 ended, 340 s,\n"
	                          "       by its user\n"
	                          "no room for DEVICE: widen the terminal, or -o csv\n");
	free(text);
}

static void csv_follows_rfc_4180(void **state)
{
	char *text = render((struct writer_options){.format = WRITER_CSV}, NULL);

	(void)state;
	assert_string_equal(text, "id,health,today.n,temp_c,seen,busy,note\r\n"
	                          "chair-1,ok,12,41.25,2026-11-20T17:39:03Z,true,\"a \"\"b\"\", c\"\r\n"
	                          "gun\033[2J-very-long,critical,3,,2026-11-21T17:42:03Z,false,\"line\nline\"\r\n");
	free(text);
	text = render((struct writer_options){.format = WRITER_CSV, .terminal = true}, NULL);
	assert_null(strchr(text, '\033'));
	free(text);
}

static void csv_has_no_formula(void **state)
{
	char *text = render((struct writer_options){.format = WRITER_CSV, .no_titles = true},
	                    "[{\"id\":\"=1+1\",\"health\":\"+1\",\"temp_c\":-41.25,\"note\":\"-1\"},"
	                    "{\"id\":\"@a\",\"health\":\"\\t=1\",\"note\":\"\\r=\\\"1\\\"\"},"
	                    "{\"id\":\"a=1\",\"health\":\"\",\"temp_c\":41,\"note\":\"'=1\"}]");

	(void)state;
	assert_string_equal(text, "'=1+1,'+1,,-41.25,,,'-1\r\n"
	                          "'@a,'\t=1,,,,,\"'\r=\"\"1\"\"\"\r\n"
	                          "a=1,,,41,,,'=1\r\n");
	free(text);
}

static void json_is_what_the_gateway_gave(void **state)
{
	char *text = render((struct writer_options){.format = WRITER_JSON}, NULL);
	json_t *back = json_loads(text, 0, NULL), *expected = sample();

	(void)state;
	assert_true(json_equal(back, expected));
	json_decref(back);
	json_decref(expected);
	free(text);
}

static void nothing_is_still_valid_in_every_format(void **state)
{
	static const char *const expected[] = {
	    [WRITER_TABLE] = "", [WRITER_JSON] = "[]\n", [WRITER_CSV] = "id,health,today.n,temp_c,seen,busy,note\r\n"};

	(void)state;
	for (int f = 0; f < WRITER_FORMAT_COUNT; f++) {
		char *text = render((struct writer_options){.format = (enum writer_format)f}, "[]");
		assert_string_equal(text, expected[f]);
		free(text);
	}
}

static void a_stream_prints_each_row_at_once(void **state)
{
	char *text =
	    render((struct writer_options){.format = WRITER_JSON, .stream = true}, "[{\"id\":\"a\"},{\"id\":\"b\"}]");

	(void)state;
	assert_string_equal(text, "{\"id\":\"a\"}\n{\"id\":\"b\"}\n");
	free(text);
	text = render((struct writer_options){.format = WRITER_TABLE, .stream = true}, "[{\"id\":\"a\"},{\"id\":\"b\"}]");
	assert_string_equal(text, "DEVICE    HEALTH  TODAY  °C  SEEN  BUSY\n"
	                          "a         -           -   -  -     -\n"
	                          "b         -           -   -  -     -\n");
	free(text);
}

static void a_full_disk_is_noticed(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct writer_options options = {.out = full, .format = WRITER_CSV};
	struct writer *writer = NULL;

	(void)state;
	assert_int_equal(writer_new(&options, columns, 1, &writer), 0);
	assert_int_equal(writer_end(writer), -EIO);
	writer_free(writer);
	fclose(full);
}

static void control_characters_never_reach_a_terminal(void **state)
{
	char text[] = "a\033[31m\x07\x7f\xC2\x9B"
	              "b\xC3\xBC\tc\n";

	(void)state;
	text_clean(text);
	assert_string_equal(text, "a?[31m???b\xC3\xBC?c\n");
	/* Nor does what turns the line's direction: an id must look like itself. */
	char turned[] = "chair\xE2\x80\xAE"
	                "1-\xE2\x81\xA7x\xE2\x80\x93\xE2\x80";
	text_clean(turned);
	assert_string_equal(turned, "chair?1-?x\xE2\x80\x93\xE2\x80");
}

static void bars_and_sparklines_scale(void **state)
{
	const double values[] = {0, 1, 4, 8};
	char buf[64];

	(void)state;
	text_bar(0, 8, buf);
	assert_string_equal(buf, "");
	text_bar(0.0001, 8, buf);
	assert_string_equal(buf, "▏");
	text_bar(0.5, 4, buf);
	assert_string_equal(buf, "██");
	text_bar(7, 4, buf);
	assert_string_equal(buf, "████");
	text_sparkline(values, 4, buf);
	assert_string_equal(buf, " ▁▄█");
}

static void wraps(const char *text, size_t indent, size_t width, const char *expected)
{
	char *got = NULL;
	size_t size;
	FILE *to = open_memstream(&got, &size);

	text_wrap(to, text, indent, width);
	fclose(to);
	assert_string_equal(got, expected);
	free(got);
}

static void sentences_wrap_between_words(void **state)
{
	(void)state;
	wraps("one two  three\nfour", 0, 0, "one two three four");
	wraps("in these twenty columns", 2, 22, "in these twenty\n  columns");
	wraps("\303\274\303\274\303\274\303\274\303\274 \303\274\303\274\303\274\303\274\303\274 123456789", 0, 17,
	      "\303\274\303\274\303\274\303\274\303\274 \303\274\303\274\303\274\303\274\303\274\n123456789");
	wraps("", 4, 20, "");
	/* A number isn't torn from its unit. */
	wraps("it used now 40 % of", 0, 17, "it used now 40 %\nof");
	wraps("it is used now 40 % of", 0, 17, "it is used now\n40 % of");
	wraps("it may be (40 min); then", 0, 17, "it may be\n(40 min); then");
	/* What is longer than the line stands alone; there is always room for some words. */
	wraps("a gymfleet-device-service b", 30, 20,
	      "a\n                              gymfleet-device-service\n"
	      "                              b");
}

static void short_numbers_have_a_decimal_where_it_tells(void **state)
{
	static const struct column shown[] = {{"n", "N", COLUMN_SHORT, 0, true}};
	char *text = render_as((struct writer_options){.format = WRITER_TABLE}, shown, 1,
	                       "[{\"n\":300},{\"n\":2.25},{\"n\":70.01},{\"n\":null}]");

	(void)state;
	assert_string_equal(text, "  N\n300\n2.2\n 70\n  -\n");
	free(text);
}

static void an_export_is_lines_and_may_go_on(void **state)
{
	char *text =
	    render((struct writer_options){.format = WRITER_JSON, .lines = true}, "[{\"id\":\"a\"},{\"id\":\"b\"}]");

	(void)state;
	assert_string_equal(text, "{\"id\":\"a\"}\n{\"id\":\"b\"}\n");
	free(text);
	text = render((struct writer_options){.format = WRITER_JSON, .lines = true}, "[]");
	assert_string_equal(text, "");
	free(text);
	text = render((struct writer_options){.format = WRITER_CSV, .no_titles = true}, "[{\"id\":\"a\"}]");
	assert_string_equal(text, "a,,,,,,\r\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_table_is_aligned_and_harmless),
	    cmocka_unit_test(colours_are_for_states_only_and_take_no_width),
	    cmocka_unit_test(a_table_leaves_out_what_does_not_fit),
	    cmocka_unit_test(a_version_stands_behind_its_name),
	    cmocka_unit_test(wide_characters_take_two_columns),
	    cmocka_unit_test(less_than_a_second_ago_is_now),
	    cmocka_unit_test(what_it_is_about_is_never_left_out),
	    cmocka_unit_test(csv_follows_rfc_4180),
	    cmocka_unit_test(csv_has_no_formula),
	    cmocka_unit_test(json_is_what_the_gateway_gave),
	    cmocka_unit_test(nothing_is_still_valid_in_every_format),
	    cmocka_unit_test(a_stream_prints_each_row_at_once),
	    cmocka_unit_test(a_full_disk_is_noticed),
	    cmocka_unit_test(control_characters_never_reach_a_terminal),
	    cmocka_unit_test(bars_and_sparklines_scale),
	    cmocka_unit_test(sentences_wrap_between_words),
	    cmocka_unit_test(short_numbers_have_a_decimal_where_it_tells),
	    cmocka_unit_test(an_export_is_lines_and_may_go_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
