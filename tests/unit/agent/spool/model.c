#include "tests/unit/agent/spool/model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/codec.h"

struct spool *model_open(struct trap *t, uint64_t bytes_max)
{
	const struct spool_config config = {.dir = t->dir, .bytes_max = bytes_max, .io = &t->io, .sync = true};
	struct spool *spool = NULL;
	struct gf_diag diag;
	return spool_open(&config, &spool, &diag) == 0 ? spool : NULL;
}

struct gf_record model_fault(uint64_t seq)
{
	return (struct gf_record){
	    .boot = 1,
	    .kind = GF_RECORD_FAULT_RAISED,
	    .fault_raised = {.fault_no = seq, .code = GF_FAULT_ESTOP, .severity = GF_SEVERITY_STOP},
	};
}

struct gf_record model_beat(uint64_t seq)
{
	return (struct gf_record){
	    .boot = 1,
	    .wall_ms = 1000 + seq,
	    .kind = GF_RECORD_HEARTBEAT,
	    .heartbeat = {.interval_ms = (uint32_t)seq},
	};
}

int model_append(struct model *m, struct spool *spool, size_t faults)
{
	struct gf_record records[SPOOL_BATCH_MAX];
	size_t count = faults > 0 ? faults : 1;
	uint64_t next = spool_next_seq(spool), state = next + count;
	for (size_t i = 0; i < count; i++)
		records[i] = faults > 0 ? model_fault(next + i) : model_beat(next + i);
	if (m->attempted < next + count - 1)
		m->attempted = next + count - 1;
	if (faults > 0 && m->state_attempted < state)
		m->state_attempted = state;
	int r = spool_append(spool, records, count, faults > 0 ? &state : NULL, faults > 0 ? sizeof(state) : 0);
	if (r == 0) {
		m->written = m->attempted;
		m->state_written = m->state_attempted;
	} else if (r == -ENOSPC) {
		/* Refused means: not there, also not after a crash. */
		m->attempted = m->written;
		m->state_attempted = m->state_written;
	}
	return r;
}

int model_ack(struct model *m, struct spool *spool, uint64_t through)
{
	if (through > m->acked)
		m->acked = through;
	return spool_ack(spool, through);
}

void model_run(struct model *m, struct spool *spool, size_t steps)
{
	static const size_t faults[] = {1, 0, 3, 0, 0, 2, SPOOL_BATCH_MAX, 0};
	for (size_t i = 0; i < steps; i++) {
		int r = model_append(m, spool, faults[i % 8]);
		if (r == 0 && i % 5 == 4)
			r = model_ack(m, spool, m->written - 1);
		m->last_error = r;
		if (r != 0 && r != -ENOSPC)
			return;
	}
}

static void check_record(const struct gf_record *record, uint64_t seq)
{
	assert_int_equal(record->seq, seq);
	if (record->kind == GF_RECORD_FAULT_RAISED)
		assert_int_equal(record->fault_raised.fault_no, seq);
	else if (record->kind == GF_RECORD_HEARTBEAT)
		assert_int_equal(record->heartbeat.interval_ms, seq);
	else
		assert_int_equal(record->kind, GF_RECORD_LOST);
}

void model_check(const struct model *m, struct spool *spool)
{
	uint64_t next = spool_next_seq(spool), state = 1, through;
	size_t len;
	const void *data = spool_state(spool, &len);

	assert_in_range(next - 1, m->written, m->attempted);
	assert_true(spool_acked(spool) <= m->acked);
	if (len > 0) {
		assert_int_equal(len, sizeof(state));
		memcpy(&state, data, len);
	}
	if (m->state_written > 0)
		assert_in_range(state, m->state_written, m->state_attempted);
	for (uint64_t seq = spool_acked(spool) + 1; seq < next; seq = through + 1) {
		struct gf_record record;
		assert_int_equal(spool_read(spool, seq, &data, &len, &through), 0);
		assert_int_equal(gf_record_decode(data, len, &record, NULL), 0);
		check_record(&record, seq);
		assert_int_equal(through, gf_record_through(&record));
		/* Record and state come together or not at all. */
		if (record.kind == GF_RECORD_FAULT_RAISED)
			assert_true(seq < state);
	}
	assert_int_equal(spool_read(spool, next, &data, &len, &through), -ENOENT);
}

int model_setup(void **state)
{
	struct trap *t = malloc(sizeof(*t));
	trap_init(t);
	*state = t;
	return 0;
}

int model_teardown(void **state)
{
	trap_deinit(*state);
	free(*state);
	return 0;
}

struct gf_record model_read(struct spool *spool, uint64_t seq)
{
	struct gf_record record;
	const void *data;
	uint64_t through;
	size_t len;
	assert_int_equal(spool_read(spool, seq, &data, &len, &through), 0);
	assert_int_equal(gf_record_decode(data, len, &record, NULL), 0);
	assert_int_equal(gf_record_through(&record), through);
	return record;
}
