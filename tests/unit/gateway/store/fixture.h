/* What the store's tests share: a store in a temporary folder, and makers of records. */
#ifndef TEST_STORE_FIXTURE_H
#define TEST_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/store/store.h"

/* 2026-11-20T12:00:00Z: when the tests play. */
#define NOON INT64_C(1795176000000)
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

struct fixture {
	char dir[64], path[96];
	struct store *store;
	struct store_reader *reader;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);
/* Closes reader and store, for a test that opens them by itself or in a child. */
void fixture_close(struct fixture *f);
/* Closes reader and store and opens them again. */
void fixture_reopen(struct fixture *f);

/* What a child does for ever: it opens the store, commits, and tells each commit by a number through the pipe. */
typedef void (*fixture_work)(struct fixture *f, uint64_t from, int pipe_fd);
/* Kills one after at least so many numbers, at a moment nobody chose, and opens the store again. Returns the last number that it told. */
uint64_t fixture_kill(struct fixture *f, fixture_work work, uint64_t from, int numbers);
/* No file grows beyond `bytes`, as on a full disk; 0: no limit any more. */
void fixture_room(uint64_t bytes);

struct gf_stream_id stream_id(uint8_t n);
struct gf_status birth(uint64_t boot, uint64_t connection, uint8_t stream);
struct gf_status gone(enum gf_presence presence, uint64_t boot, uint64_t connection);

/* Records at `at_ms` by a synchronised clock, boot 1. */
struct gf_record record(uint64_t seq, enum gf_record_kind kind, int64_t at_ms);
struct gf_record heartbeat(uint64_t seq, int64_t at_ms, float motor_temp_c);
/* Session `no` with 60 s of motor time, as the odometer of a machine has it that ran nothing else. */
struct gf_record session(uint64_t seq, uint64_t no, int64_t ended_ms);
struct gf_record started(uint64_t seq, uint64_t no, int64_t at_ms);
struct gf_record fault(uint64_t seq, uint64_t no, enum gf_fault code, enum gf_severity severity, int64_t at_ms);

/* Applies and commits; fails the test when the store does. */
struct gf_ack send_report(struct fixture *f, const char *device, uint8_t stream, struct gf_record *records,
                          size_t count, int64_t recv_ms);
void send_status(struct fixture *f, const char *device, struct gf_status status, bool retained, int64_t recv_ms);

struct store_device get_device(struct fixture *f, const char *id, int64_t now_ms);
size_t count_sessions(struct fixture *f, const char *device);
struct store_audit get_audit(struct fixture *f, struct store_finding *findings, size_t max, size_t *ret_count);

/* The value that a statement gives; -1 = no row, or null. */
int64_t number_of(struct fixture *f, const char *sql);

/* All that the store says of sessions, hours, faults, cases and findings as one text, to compare two stores; freed by the caller. */
char *fingerprint(struct fixture *f);

#endif
