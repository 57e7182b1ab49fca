/* The spool's files against their document: its example byte by byte, and files that were built from it without the spool's code. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "tests/unit/agent/spool/model.h"

enum { ROOMY = 16 << 20, FILE_MAX = 4096 };

/* ---- bytes, as sections 2 and 3 say ---- */

struct file {
	unsigned char bytes[FILE_MAX];
	size_t len;
};

static void u(struct file *f, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		f->bytes[f->len++] = (unsigned char)(value >> (8 * i));
}

static void raw(struct file *f, const void *data, size_t len)
{
	memcpy(f->bytes + f->len, data, len);
	f->len += len;
}

/* Bit by bit: another implementation than the one under test. */
static uint32_t crc32c(const unsigned char *data, size_t len)
{
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
	}
	return crc ^ 0xffffffff;
}

static void header(struct file *f, char version)
{
	size_t start = f->len;
	raw(f, "GFSPOOL", 7);
	u(f, (unsigned char)version, 1);
	for (unsigned i = 0; i < 16; i++)
		u(f, 0xa0 + i, 1);
	u(f, crc32c(f->bytes + start, 24), 4);
	u(f, 0, 4);
}

/* A frame around the body that `body` holds. */
static void frame(struct file *f, uint32_t type, const struct file *body)
{
	u(f, body->len, 4);
	size_t crc_at = f->len;
	u(f, 0, 4);
	u(f, type, 4);
	raw(f, body->bytes, body->len);
	struct file crc = {.len = 0};
	u(&crc, crc32c(f->bytes + crc_at + 4, body->len + 4), 4);
	memcpy(f->bytes + crc_at, crc.bytes, 4);
}

static void snapshot(struct file *f, uint64_t seq, uint64_t acked, uint64_t dropped, const char *state)
{
	struct file body = {.len = 0};
	u(&body, seq, 8);
	u(&body, acked, 8);
	u(&body, dropped, 8);
	raw(&body, state, strlen(state));
	frame(f, 1, &body);
}

static void ack(struct file *f, uint64_t through)
{
	struct file body = {.len = 0};
	u(&body, through, 8);
	frame(f, 3, &body);
}

/* The body of an append; records are added to it, then the state. */
static struct file append(unsigned records, const char *state, uint32_t synced)
{
	struct file body = {.len = 0};
	u(&body, records, 2);
	u(&body, state != NULL ? 1 : 0, 2);
	u(&body, synced, 4);
	return body;
}

static void record(struct file *body, const struct gf_record *r)
{
	unsigned char buf[GF_RECORD_MAX];
	size_t len;
	assert_int_equal(gf_record_encode(r, buf, sizeof(buf), &len), 0);
	u(body, r->seq, 8);
	u(body, gf_record_through(r), 8);
	u(body, len, 2);
	u(body, r->kind, 2);
	raw(body, buf, len);
}

static struct gf_record fault(uint64_t seq)
{
	struct gf_record r = model_fault(seq);
	r.seq = seq;
	return r;
}

static void save(const struct trap *t, const char *name, const struct file *f)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	FILE *out = fopen(path, "wb");
	assert_non_null(out);
	assert_int_equal(fwrite(f->bytes, 1, f->len, out), f->len);
	fclose(out);
}

static void load(const struct trap *t, const char *name, struct file *f)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	FILE *in = fopen(path, "rb");
	assert_non_null(in);
	f->len = fread(f->bytes, 1, sizeof(f->bytes), in);
	fclose(in);
}

static int setup(void **state)
{
	struct trap *t = malloc(sizeof(*t));
	trap_init(t);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	trap_deinit(*state);
	free(*state);
	return 0;
}

/* ---- the example of section 9 ---- */

static void read_example(struct file *f)
{
	char line[256];
	bool inside = false;
	FILE *in = fopen(GF_SOURCE_DIR "/agent/spool/FORMAT.md", "r");
	assert_non_null(in);
	while (fgets(line, sizeof(line), in) != NULL) {
		if (strncmp(line, "```", 3) == 0)
			inside = !inside;
		else if (inside)
			for (char *at = line, *end; (void)strtoul(at, &end, 16), end != at; at = end)
				u(f, strtoul(at, NULL, 16), 1);
	}
	fclose(in);
}

static void example_id(void *ctx, void *out, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++)
		((unsigned char *)out)[i] = (unsigned char)(0xa0 + i);
}

static void the_document_s_example_is_what_is_written(void **state)
{
	struct trap *t = *state;
	struct file example = {.len = 0}, written = {.len = 0};
	struct gf_record first = model_fault(1), second = model_beat(2);
	struct spool *spool = NULL;
	struct gf_diag diag;
	const struct spool_config config = {
	    .dir = t->dir, .bytes_max = ROOMY, .io = &t->io, .sync = true, .random = example_id};
	assert_int_equal(spool_open(&config, &spool, &diag), 0);
	assert_int_equal(spool_append(spool, &first, 1, "abc", 3), 0);
	assert_int_equal(spool_append(spool, &second, 1, NULL, 0), 0);
	assert_int_equal(spool_ack(spool, 1), 0);
	spool_close(spool);
	load(t, "0000000001.seg", &written);
	read_example(&example);
	if (written.len != example.len || memcmp(written.bytes, example.bytes, written.len) != 0) {
		for (size_t i = 0; i < written.len; i++)
			print_message("%02x%s", written.bytes[i], i % 16 == 15 || i + 1 == written.len ? "\n" : " ");
		fail_msg("the example in FORMAT.md is not what the spool writes (above)");
	}
}

/* ---- files built by hand ---- */

static void files_built_as_the_document_says_are_read(void **state)
{
	struct trap *t = *state;
	struct file one = {.len = 0}, two = {.len = 0}, body;
	struct gf_record lost = {.seq = 40,
	                         .boot = 1,
	                         .kind = GF_RECORD_LOST,
	                         .lost = {.through_seq = 44, .counts = {[GF_RECORD_HEARTBEAT] = 5}}};
	struct gf_record r39 = fault(39), r45 = fault(45), r46 = fault(46);

	header(&one, '1');
	snapshot(&one, 39, 37, 2, "old");
	body = append(2, "new", (uint32_t)one.len);
	record(&body, &r39);
	record(&body, &lost);
	raw(&body, "new", 3);
	frame(&one, 2, &body);
	ack(&one, 39);
	save(t, "0000000007.seg", &one);

	header(&two, '1');
	snapshot(&two, 45, 38, 7, "");
	body = append(1, NULL, (uint32_t)two.len);
	record(&body, &r45);
	frame(&two, 2, &body);
	body = append(1, "newest", (uint32_t)two.len);
	record(&body, &r46);
	raw(&body, "newest", 6);
	frame(&two, 2, &body);
	size_t whole = two.len;
	raw(&two, "\x40\0\0\0torn", 8);
	save(t, "0000000009.seg", &two);
	save(t, "0000000010.new", &one);

	struct spool *spool = model_open(t, ROOMY);
	assert_non_null(spool);
	struct gf_stream_id id;
	example_id(NULL, id.bytes, sizeof(id.bytes));
	assert_memory_equal(spool_stream(spool).bytes, id.bytes, sizeof(id.bytes));
	assert_int_equal(spool_next_seq(spool), 47);
	assert_int_equal(spool_acked(spool), 39);
	assert_int_equal(spool_stats(spool).dropped, 7);
	assert_int_equal(spool_stats(spool).torn_bytes, two.len - whole);
	size_t len;
	assert_memory_equal(spool_state(spool, &len), "newest", 6);
	assert_int_equal(len, 6);
	uint64_t through;
	const void *data;
	struct gf_record read;
	assert_int_equal(spool_read(spool, 42, &data, &len, &through), 0);
	assert_int_equal(through, 44);
	assert_int_equal(gf_record_decode(data, len, &read, NULL), 0);
	assert_int_equal(read.lost.counts[GF_RECORD_HEARTBEAT], 5);
	assert_int_equal(spool_read(spool, 46, &data, &len, &through), 0);
	assert_int_equal(gf_record_decode(data, len, &read, NULL), 0);
	assert_int_equal(read.fault_raised.fault_no, 46);
	spool_close(spool);

	/* Opening cut the tail and removed the half-made file; nothing else changed. */
	struct file after = {.len = 0};
	load(t, "0000000009.seg", &after);
	assert_int_equal(after.len, whole);
	assert_memory_equal(after.bytes, two.bytes, whole);
	assert_int_equal(trap_count(t, ".new"), 0);
}

static void an_ack_that_was_lost_is_told_by_the_segments_it_removed(void **state)
{
	struct trap *t = *state;
	struct file f = {.len = 0};
	header(&f, '1');
	snapshot(&f, 100, 20, 0, "");
	save(t, "0000000003.seg", &f);
	struct spool *spool = model_open(t, ROOMY);
	assert_int_equal(spool_acked(spool), 99);
	assert_int_equal(spool_next_seq(spool), 100);
	spool_close(spool);
}

static void a_merged_segment_replaces_the_one_before(void **state)
{
	struct trap *t = *state;
	struct file one = {.len = 0}, two = {.len = 0}, body;
	struct gf_record r1 = fault(1), r2 = fault(2);
	header(&one, '1');
	snapshot(&one, 1, 0, 0, "");
	body = append(1, NULL, 0);
	record(&body, &r1);
	frame(&one, 2, &body);
	save(t, "0000000001.seg", &one);
	header(&two, '1');
	snapshot(&two, 1, 0, 0, "");
	body = append(2, NULL, 0);
	record(&body, &r1);
	record(&body, &r2);
	frame(&two, 2, &body);
	save(t, "0000000002.seg", &two);
	struct spool *spool = model_open(t, ROOMY);
	assert_false(spool_stats(spool).recreated);
	assert_int_equal(spool_next_seq(spool), 3);
	assert_int_equal(trap_count(t, ".seg"), 1);
	spool_close(spool);
}

static void another_version_is_refused_and_left_alone(void **state)
{
	struct trap *t = *state;
	struct file f = {.len = 0}, after = {.len = 0};
	struct spool *spool = NULL;
	struct gf_diag diag = {{0}};
	const struct spool_config config = {.dir = t->dir, .bytes_max = ROOMY, .io = &t->io, .sync = true};
	header(&f, '2');
	raw(&f, "whatever comes then", 19);
	save(t, "0000000001.seg", &f);
	assert_int_equal(spool_open(&config, &spool, &diag), -ENOTSUP);
	assert_non_null(strstr(diag.text, "install"));
	load(t, "0000000001.seg", &after);
	assert_int_equal(after.len, f.len);
	assert_memory_equal(after.bytes, f.bytes, f.len);
	assert_int_equal(trap_count(t, ".seg"), 1);

	/* One flipped bit of the version is damage: the checksum is that of version 1. */
	f.len = 0;
	header(&f, '1');
	snapshot(&f, 1, 0, 0, "state");
	f.bytes[7] = '3';
	save(t, "0000000001.seg", &f);
	spool = model_open(t, ROOMY);
	assert_non_null(spool);
	assert_true(spool_stats(spool).recreated);
	size_t len;
	assert_memory_equal(spool_state(spool, &len), "state", 5);
	spool_close(spool);
}

/* ---- damage with a right checksum ---- */

static void second_snapshot(struct file *f)
{
	snapshot(f, 2, 0, 0, "");
}

static void a_hole(struct file *f)
{
	struct gf_record r = fault(3);
	struct file body = append(1, NULL, 0);
	record(&body, &r);
	frame(f, 2, &body);
}

static void a_record_again(struct file *f)
{
	struct gf_record r = fault(1);
	struct file body = append(1, NULL, 0);
	record(&body, &r);
	frame(f, 2, &body);
}

static void more_records_than_there_are(struct file *f)
{
	struct gf_record r = fault(2);
	struct file body = append(2, NULL, 0);
	record(&body, &r);
	frame(f, 2, &body);
}

static void a_record_that_is_too_long(struct file *f)
{
	struct gf_record r = fault(2);
	struct file body = append(1, NULL, 0);
	record(&body, &r);
	body.bytes[8 + 16]++;
	frame(f, 2, &body);
}

static void a_through_below_the_seq(struct file *f)
{
	struct gf_record r = fault(2);
	struct file body = append(1, NULL, 0);
	record(&body, &r);
	body.bytes[8 + 8] = 1;
	frame(f, 2, &body);
}

static void an_ack_of_another_length(struct file *f)
{
	struct file body = {.len = 0};
	u(&body, 1, 4);
	frame(f, 3, &body);
}

static void an_ack_of_what_is_not_there(struct file *f)
{
	ack(f, 2);
}

static void an_append_without_a_head(struct file *f)
{
	struct file body = {.len = 0};
	u(&body, 0, 4);
	frame(f, 2, &body);
}

static void what_no_writer_writes_is_damage_and_costs_no_state(void **state)
{
	struct trap *t = *state;
	static void (*const wrongs[])(struct file *) = {
	    second_snapshot,          a_hole,
	    a_record_again,           more_records_than_there_are,
	    a_through_below_the_seq,  a_record_that_is_too_long,
	    an_ack_of_another_length, an_ack_of_what_is_not_there,
	    an_append_without_a_head,
	};
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct file f = {.len = 0}, body = append(1, "abc", 0);
		struct gf_record r = fault(1);
		header(&f, '1');
		snapshot(&f, 1, 0, 0, "");
		record(&body, &r);
		raw(&body, "abc", 3);
		frame(&f, 2, &body);
		wrongs[i](&f);
		save(t, "0000000001.seg", &f);
		struct spool *spool = model_open(t, ROOMY);
		assert_non_null(spool);
		size_t len;
		if (!spool_stats(spool).recreated)
			fail_msg("wrong %zu is taken", i);
		assert_memory_equal(spool_state(spool, &len), "abc", 3);
		spool_close(spool);
		trap_deinit(t);
		trap_init(t);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(the_document_s_example_is_what_is_written),
	    TEST(files_built_as_the_document_says_are_read),
	    TEST(an_ack_that_was_lost_is_told_by_the_segments_it_removed),
	    TEST(a_merged_segment_replaces_the_one_before),
	    TEST(another_version_is_refused_and_left_alone),
	    TEST(what_no_writer_writes_is_damage_and_costs_no_state),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
