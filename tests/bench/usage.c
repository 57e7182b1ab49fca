/*
 * bench_usage FOLDER: what it takes to read the usage of a million hours of 1,000 machines, by device, site and class, beside that by outcome, for
 * which the same rows are only added up; all by turns, the best of each.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/store/sqlite/writer.h"
#include "proto/base/now.h"

enum { ROUNDS = 5 };

static void must(int r, const struct gf_diag *diag, const char *what)
{
	if (r == 0)
		return;
	fprintf(stderr, "bench_usage: %s: %d %s\n", what, r, diag->text);
	exit(EXIT_FAILURE);
}

static void fill(const char *path)
{
	static const char *const texts[] = {
	    "WITH RECURSIVE d(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM d WHERE n < 1000) INSERT INTO devices (device, "
	    "id,"
	    " first_seen_ms, last_seen_ms, born, class, site) SELECT n, printf('m-%06d', n), 1, 1, 1, 1 + n % 4,"
	    " 'site-' || (n % 20) FROM d",
	    "WITH RECURSIVE h(n) AS (VALUES (500000) UNION ALL SELECT n + 1 FROM h WHERE n < 500999) INSERT INTO hours"
	    " SELECT n * 3600000, device, 1 + (n + device) % 6, 1, 300000, 280000, 300000, 280000 FROM h CROSS JOIN "
	    "devices",
	};
	struct gf_diag diag = {""};
	struct store *store;

	must(store_open(&(struct store_options){.path = path}, &store, &diag), &diag, path);
	must(store_begin(store, &diag), &diag, "filling");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		must(db_exec(&store->db, texts[i], &diag), &diag, "filling");
	must(store_commit(store, &diag), &diag, "filling");
	store_close(store);
}

static int add(void *ctx, const struct store_usage *usage)
{
	*(uint64_t *)ctx += usage->sessions;
	return 0;
}

static int64_t read_by(struct store_reader *reader, enum store_usage_key key)
{
	struct gf_diag diag = {""};
	uint64_t sessions = 0;
	int64_t began_ns = gf_now_ns(CLOCK_THREAD_CPUTIME_ID);

	must(store_read_usage(reader, key, 0, 0, 0, add, &sessions, &diag), &diag, "reading");
	must(sessions != 1000000, &diag, "it isn't all of it");
	return gf_now_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns;
}

int main(int argc, char **argv)
{
	static const enum store_usage_key keys[] = {STORE_USAGE_OUTCOME, STORE_USAGE_DEVICE, STORE_USAGE_SITE,
	                                            STORE_USAGE_CLASS};
	enum { KEYS = sizeof(keys) / sizeof(keys[0]) };
	int64_t best_ns[KEYS] = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
	struct store_reader *reader;
	struct gf_diag diag = {""};
	char path[4096];

	if (argc != 2) {
		fprintf(stderr, "usage: bench_usage FOLDER\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/usage.db", argv[1]);
	fill(path);
	must(store_reader_open(path, &reader, &diag), &diag, path);
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < KEYS; i++) {
			int64_t ns = read_by(reader, keys[i]);

			best_ns[i] = ns < best_ns[i] ? ns : best_ns[i];
		}
	store_reader_close(reader);
	for (size_t i = 1; i < KEYS; i++)
		printf("usage of a million hours by %-6s  %" PRId64 " ms   by outcome %" PRId64 " ms   ratio %.2f\n",
		       store_usage_key_name(keys[i]), best_ns[i] / 1000000, best_ns[0] / 1000000,
		       (double)best_ns[i] / (double)best_ns[0]);
	return EXIT_SUCCESS;
}
