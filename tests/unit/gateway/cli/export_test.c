/* `export`: every row once, memory flat, and no half file that passes for a whole one. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/gateway/cli/play.h"

enum { PAGE = 1000 };

/* Sessions numbered from 0; a page begins after the mark "m<N>". */
struct history {
	long count, breaks_after; /* rows; -1 = never */
	char last[640];
	int status; /* of the break; 0 = without an answer */
	int signal; /* that comes with the second page; 0 = none */
};

static long mark_of(const char *query)
{
	const char *mark = strstr(query, "after=m");
	return mark != NULL ? strtol(mark + strlen("after=m"), NULL, 10) : 0;
}

static json_t *rows_from(void *ctx, const struct canned_request *request, int *ret_status)
{
	struct history *h = ctx;
	long from = mark_of(request->query);
	json_t *items = json_array();

	snprintf(h->last, sizeof(h->last), "%s?%s", request->path, request->query);
	if (h->signal != 0 && from == PAGE)
		kill(getpid(), h->signal);
	if (h->breaks_after >= 0 && from >= h->breaks_after) {
		json_decref(items);
		*ret_status = h->status;
		return h->status == 0 ? NULL
		                      : json_pack("{s:{s:s, s:s}}", "error", "code", "x", "message", "the database is busy");
	}
	for (long i = from; i < h->count && i < from + PAGE; i++)
		json_array_append_new(items, json_pack("{s:s, s:I, s:s}", "device", "gun-1", "session_no", (json_int_t)i,
		                                       "started", "2026-11-20T17:42:00Z"));
	bool more = from + PAGE < h->count;
	return json_pack("{s:o, s:o}", "items", items, "next", more ? json_sprintf("m%ld", from + PAGE) : json_null());
}

static struct result export_rows(struct history *h, const char *words)
{
	struct canned server;

	canned_start(&server, rows_from, h);
	struct result r = run(server.socket, words);
	canned_stop(&server);
	return r;
}

static size_t lines_of(const char *text)
{
	size_t n = 0;
	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

static void every_row_comes_once(void **state)
{
	struct history h = {.count = 2500, .breaks_after = -1};
	struct result r = export_rows(&h, "export|jsonl|sessions|--device|gun-1");
	const char *line = r.out;

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_string_equal(r.err, "");
	assert_int_equal(lines_of(r.out), 2500);
	for (long i = 0; i < 2500; i++, line = strchr(line, '\n') + 1) {
		json_t *row = json_loadb(line, strcspn(line, "\n"), 0, NULL);
		assert_int_equal(json_integer_value(json_object_get(row, "session_no")), i);
		json_decref(row);
	}
	forget(&r);
	r = export_rows(&h, "export|csv|sessions");
	assert_int_equal(lines_of(r.out), 2501);
	assert_int_equal(strncmp(r.out, "device,class,site,session_no,", 29), 0);
	assert_non_null(strstr(r.out, "gun-1,,,2499,"));
	forget(&r);
}

static void nothing_is_a_whole_export_too(void **state)
{
	struct history h = {.count = 0, .breaks_after = -1};
	struct result r = export_rows(&h, "export|jsonl|flags");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_string_equal(r.out, "");
	assert_non_null(strstr(h.last, "/v1/flags?"));
	forget(&r);
	r = export_rows(&h, "export|csv|heartbeats");
	assert_int_equal(lines_of(r.out), 1);
	assert_non_null(strstr(r.out, "odometer_motor_h,sessions,motor_temp_c_min,motor_temp_c_mean,"));
	forget(&r);
	r = export_rows(&h, "export|csv|faults");
	assert_non_null(strstr(r.out, "id,device,site,class,code"));
	forget(&r);
}

static void a_break_says_how_to_go_on(void **state)
{
	struct history h = {.count = 2500, .breaks_after = 2000, .status = 500};
	struct result r = export_rows(&h, "export|csv|sessions|--since|2026-01-01T00:00:00Z");

	(void)state;
	assert_int_equal(r.code, CLI_REFUSED);
	assert_int_equal(lines_of(r.out), 2001);
	assert_non_null(strstr(r.err, "the database is busy"));
	assert_non_null(strstr(r.err,
	                       "broke off after 2000 whole rows; go on there with:\n"
	                       "  gymfleet export csv sessions --since 2026-01-01T00:00:00Z --after 'm2000' >> FILE\n"));
	forget(&r);
	/* Without an answer it is no unreachable gateway any more: a part is there. */
	h.status = 0;
	r = export_rows(&h, "export|jsonl|sessions");
	assert_int_equal(r.code, CLI_REFUSED);
	forget(&r);
	h.breaks_after = 0;
	r = export_rows(&h, "export|jsonl|sessions");
	assert_int_equal(r.code, CLI_UNREACHABLE);
	assert_string_equal(r.out, "");
	forget(&r);
	/* A mark that is refused is no place to go on from. */
	h.status = 400;
	r = export_rows(&h, "export|csv|sessions|--after|m1");
	assert_int_equal(r.code, CLI_USAGE);
	assert_null(strstr(r.err, "go on there"));
	assert_string_equal(r.out, "");
	forget(&r);
	r = export_rows(&h, "export|csv|sessions|--since|yesterday");
	assert_int_equal(r.code, CLI_USAGE);
	assert_string_equal(r.out, "");
	forget(&r);
	/* The rest has no titles of its own. */
	h.breaks_after = -1;
	r = export_rows(&h, "export|csv|sessions|--after|m2000");
	assert_int_equal(r.code, CLI_OK);
	assert_int_equal(lines_of(r.out), 500);
	assert_int_equal(strncmp(r.out, "gun-1,,,2000,", 13), 0);
	forget(&r);
}

/* Spans are of now: who goes on later must mean the same rows. */
static void a_span_is_made_a_time_once(void **state)
{
	struct history h = {.count = 1500, .breaks_after = -1};
	struct result r = export_rows(&h, "export|jsonl|sessions|--since|7d|--until|1h");

	(void)state;
	assert_int_equal(r.code, CLI_OK);
	assert_non_null(strstr(h.last, "since=20"));
	assert_non_null(strstr(h.last, "until=20"));
	forget(&r);
	r = export_rows(&h, "export|jsonl|sessions|--since|5000w");
	assert_int_equal(r.code, CLI_OK);
	assert_non_null(strstr(h.last, "since=1970-01-01T00%3"));
	forget(&r);
	/* Of flags the gateway knows no end; they are chosen by it all the same. */
	r = export_rows(&h, "export|jsonl|flags|--until|2026-11-20T00:00:00Z");
	assert_int_equal(r.code, CLI_OK);
	assert_null(strstr(h.last, "until="));
	assert_non_null(strstr(h.last, "where=opened%3"));
	forget(&r);
}

static char *contents(const char *path)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size), *from = fopen(path, "r");
	int c;

	assert_non_null(from);
	while ((c = fgetc(from)) != EOF)
		fputc(c, to);
	fclose(from);
	fclose(to);
	return text;
}

static void write_file(const char *path, const char *text)
{
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	fputs(text, to);
	assert_int_equal(fclose(to), 0);
}

static void expect_contents(const char *path, const char *text)
{
	char *there = contents(path);

	assert_string_equal(there, text);
	free(there);
}

static size_t lines_in(const char *path)
{
	char *text = contents(path);
	size_t n = lines_of(text);

	free(text);
	return n;
}

#define IN_FOLDER                                                                        \
	char dir[] = "/tmp/export.XXXXXX", path[96], part[96 + sizeof(".part")], words[256]; \
	assert_non_null(mkdtemp(dir));                                                       \
	snprintf(path, sizeof(path), "%s/out", dir);                                         \
	snprintf(part, sizeof(part), "%s.part", path);

static void a_file_is_gone_on_with(void **state)
{
	struct history h = {.count = 2500, .breaks_after = 1000, .status = 500};
	IN_FOLDER

	    (void)
	state;
	write_file(path, "the last one");
	snprintf(words, sizeof(words), "export|csv|sessions|-o|%s", path);
	struct result r = export_rows(&h, words);
	assert_int_equal(r.code, CLI_REFUSED);
	assert_non_null(strstr(r.err, "--after 'm1000' -o /tmp/export."));
	forget(&r);
	expect_contents(path, "the last one");
	h.breaks_after = -1;
	snprintf(words, sizeof(words), "export|csv|sessions|--after|m1000|-o|%s", path);
	r = export_rows(&h, words);
	assert_int_equal(r.code, CLI_OK);
	assert_string_equal(r.out, "");
	assert_non_null(strstr(r.err, "1500 sessions in /tmp/export."));
	forget(&r);
	assert_int_equal(lines_in(path), 2501);
	assert_int_equal(access(part, F_OK), -1);
	/* There is nothing left to go on with. */
	r = export_rows(&h, words);
	assert_int_equal(r.code, CLI_REFUSED);
	assert_non_null(strstr(r.err, "out is whole, and there is no "));
	forget(&r);
	assert_int_equal(lines_in(path), 2501);
	assert_int_equal(unlink(path), 0);
	/* The rest alone, where there is nothing at all. */
	r = export_rows(&h, words);
	assert_int_equal(r.code, CLI_OK);
	forget(&r);
	assert_int_equal(lines_in(path), 1500);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* Neither a gateway that refuses nor one that isn't there takes away what was exported before. */
static void what_was_there_stays_until_the_new_is_whole(void **state)
{
	struct history h = {.count = 2500, .breaks_after = 0, .status = 400};
	IN_FOLDER

	    (void)
	state;
	write_file(path, "the last one");
	assert_int_equal(chmod(path, 0640), 0);
	snprintf(words, sizeof(words), "export|csv|sessions|--device|nobody|-o|%s", path);
	for (h.status = 400; h.status >= 0; h.status -= 400) {
		struct result r = export_rows(&h, words);
		assert_int_equal(r.code, h.status == 400 ? CLI_USAGE : CLI_UNREACHABLE);
		forget(&r);
		expect_contents(path, "the last one");
		assert_int_equal(access(part, F_OK), -1);
	}
	/* Nor the part of an export that broke off. */
	write_file(part, "a part");
	h.status = 400;
	struct result r = export_rows(&h, words);
	forget(&r);
	expect_contents(part, "a part");
	h.breaks_after = -1;
	snprintf(words, sizeof(words), "export|jsonl|sessions|-o|%s", path);
	r = export_rows(&h, words);
	assert_int_equal(r.code, CLI_OK);
	forget(&r);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(lines_in(path), 2500);
	assert_int_equal(access(part, F_OK), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void a_link_stays_a_link(void **state)
{
	struct history h = {.count = 3, .breaks_after = -1};
	char link[96];
	struct stat st;
	IN_FOLDER

	    (void)
	state;
	write_file(path, "the last one");
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink("out", link), 0);
	snprintf(words, sizeof(words), "export|jsonl|sessions|-o|%s", link);
	struct result r = export_rows(&h, words);
	assert_int_equal(r.code, CLI_OK);
	forget(&r);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lines_in(path), 3);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void two_do_not_write_one_file(void **state)
{
	struct history h = {.count = 3, .breaks_after = -1};
	IN_FOLDER

	    (void)
	state;
	int other = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(other, LOCK_EX), 0);
	snprintf(words, sizeof(words), "export|jsonl|sessions|-o|%s", path);
	struct result r = export_rows(&h, words);
	assert_int_equal(r.code, CLI_REFUSED);
	assert_non_null(strstr(r.err, "another export writes /tmp/export."));
	forget(&r);
	close(other);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(unlink(part), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* ^C: the page that comes is written, and it is told how to go on. */
static void a_signal_ends_it_after_a_page(void **state)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	IN_FOLDER

	    (void)
	state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct history h = {.count = 4500, .breaks_after = -1, .signal = numbers[i]};
		snprintf(words, sizeof(words), "export|jsonl|sessions|-o|%s", path);
		struct result r = export_rows(&h, words);
		assert_int_equal(r.code, CLI_REFUSED);
		assert_non_null(strstr(r.err, "stopped by a signal"));
		assert_non_null(strstr(r.err, "broke off after 2000 whole rows; go on there with:"));
		assert_non_null(strstr(r.err, "--after 'm2000' -o /tmp/export."));
		assert_non_null(strstr(r.err, "out.part; "));
		forget(&r);
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(lines_in(part), 2000);
	}
	/* What is ignored stays so. */
	struct history h = {.count = 2500, .breaks_after = -1, .signal = SIGHUP};
	assert_ptr_not_equal(signal(SIGHUP, SIG_IGN), SIG_ERR);
	struct result r = export_rows(&h, "export|jsonl|sessions");
	assert_ptr_equal(signal(SIGHUP, SIG_DFL), SIG_IGN);
	assert_int_equal(r.code, CLI_OK);
	forget(&r);
	assert_int_equal(unlink(part), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void what_is_told_is_fit_for_a_shell(void **state)
{
	struct history h = {.count = 2500, .breaks_after = 1000, .status = 500};
	IN_FOLDER

	    (void)
	state;
	snprintf(words, sizeof(words), "export|csv|sessions|-o|%s/anna's list", dir);
	struct result r = export_rows(&h, words);
	assert_non_null(strstr(r.err, "anna'\\''s list'\n"));
	forget(&r);
	snprintf(part, sizeof(part), "%s/anna's list.part", dir);
	assert_int_equal(unlink(part), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void what_cannot_be_written_is_told(void **state)
{
	struct history h = {.count = 2500, .breaks_after = -1};
	struct result r = export_rows(&h, "export|csv|sessions|-o|/dev/full");

	(void)state;
	assert_int_equal(r.code, CLI_REFUSED);
	assert_non_null(strstr(r.err, "can't write /dev/full: No space left"));
	forget(&r);
	r = export_rows(&h, "export|csv|sessions|-o|/nonexistent/x");
	assert_int_equal(r.code, CLI_REFUSED);
	assert_non_null(strstr(r.err, "can't write /nonexistent/x"));
	forget(&r);
}

/* The disk fills up in the middle of a page: the file ends with a whole one, and the mark goes on exactly there. */
static void a_torn_page_is_cut_off(void **state)
{
	struct history h = {.count = 2500, .breaks_after = -1};
	struct rlimit before, small;
	IN_FOLDER

	    (void)
	state;
	write_file(path, "the last one");
	snprintf(words, sizeof(words), "export|jsonl|sessions|-o|%s", path);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){.rlim_cur = 100000, .rlim_max = before.rlim_max}; /* a page has about 71 KB */
	assert_ptr_not_equal(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	struct result r = export_rows(&h, words);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r.code, CLI_REFUSED);
	assert_non_null(strstr(r.err, "can't write /tmp/export."));
	assert_non_null(strstr(r.err, "broke off after 1000 whole rows; go on there with:"));
	assert_non_null(strstr(r.err, "--after 'm1000' -o /tmp/export."));
	forget(&r);
	char *text = contents(part);
	assert_int_equal(lines_of(text), 1000);
	assert_int_equal(text[strlen(text) - 1], '\n');
	free(text);
	expect_contents(path, "the last one");
	snprintf(words, sizeof(words), "export|jsonl|sessions|--after|m1000|-o|%s", path);
	r = export_rows(&h, words);
	assert_int_equal(r.code, CLI_OK);
	forget(&r);
	text = contents(path);
	assert_int_equal(lines_of(text), 2500);
	free(text);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void wrong_words_are_usage(void **state)
{
	(void)state;
	expect("/nonexistent", "export|xml|sessions", CLI_USAGE, "", "'xml' is no format; it may be csv or jsonl");
	expect("/nonexistent", "export|csv|sesions", CLI_USAGE, "", "did you mean 'sessions'?");
	expect("/nonexistent", "export|csv|people", CLI_USAGE, "", "it may be sessions, heartbeats, flags or faults");
	expect("/nonexistent", "export|csv", CLI_USAGE, "", "'export' needs csv|jsonl KIND");
	expect("/nonexistent", "export|csv|flags", CLI_UNREACHABLE, "", "there is no socket");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_comes_once),
	    cmocka_unit_test(nothing_is_a_whole_export_too),
	    cmocka_unit_test(a_break_says_how_to_go_on),
	    cmocka_unit_test(a_span_is_made_a_time_once),
	    cmocka_unit_test(a_file_is_gone_on_with),
	    cmocka_unit_test(what_cannot_be_written_is_told),
	    cmocka_unit_test(a_torn_page_is_cut_off),
	    cmocka_unit_test(wrong_words_are_usage),
	    cmocka_unit_test(what_was_there_stays_until_the_new_is_whole),
	    cmocka_unit_test(a_link_stays_a_link),
	    cmocka_unit_test(two_do_not_write_one_file),
	    cmocka_unit_test(a_signal_ends_it_after_a_page),
	    cmocka_unit_test(what_is_told_is_fit_for_a_shell),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
