#include "tests/unit/gateway/store/judging_rig.h"

void look_at_all(struct fixture *f)
{
	unsigned needs[RULE_SUBJECT_COUNT];

	for (size_t i = 0; i < RULE_SUBJECT_COUNT; i++)
		needs[i] = UINT32_MAX;
	store_judge_needs(f->store, needs);
}

struct gf_record session_of(uint64_t seq, int64_t ended_ms, uint64_t token, uint64_t staff)
{
	struct gf_record r = session(seq, seq, ended_ms);

	r.session_ended.start.subject_token = token;
	r.session_ended.start.staff_token = staff;
	return r;
}

size_t waiting(struct fixture *f, int64_t now_ms, struct store_unsettled *rows, size_t max)
{
	size_t count = 0;

	assert_int_equal(store_begin(f->store, NULL), 0);
	while (count < max && store_judge_next(f->store, now_ms, &rows[count], NULL) == 0) {
		assert_int_equal(store_judge_done(f->store, &rows[count].subject, now_ms, INT64_MAX, NULL), 0);
		count++;
	}
	store_rollback(f->store);
	return count;
}

void settle_all(struct fixture *f, int64_t now_ms, int64_t due_ms)
{
	struct store_unsettled u;

	assert_int_equal(store_begin(f->store, NULL), 0);
	while (store_judge_next(f->store, now_ms, &u, NULL) == 0)
		assert_int_equal(store_judge_done(f->store, &u.subject, now_ms, due_ms, NULL), 0);
	assert_int_equal(store_commit(f->store, NULL), 0);
}

struct store_flag flag_of(enum rule_subject kind, int64_t key)
{
	struct store_flag f = {.rule = "D3",
	                       .subject = {kind, key},
	                       .device = ID,
	                       .site = "berlin",
	                       .episode = {.opened_ms = NOON, .last_ms = NOON, .level = RULE_LEVEL_WARN, .times = 1},
	                       .title = "stalls",
	                       .text = "1 stall in 24 h; from 1 on it is too much",
	                       .advice = "Look for what blocks it.",
	                       .metric = "faults",
	                       .due_ms = NOON + DAY};

	f.episode.behind_count = 2;
	f.episode.behind[0] = (struct fact_ref){FACT_FAULT, 1, 1};
	f.episode.behind[1] = (struct fact_ref){FACT_FAULT, 1, 2};
	return f;
}

struct gf_desired desired(struct fixture *f)
{
	return get_device(f, ID, NOON).desired;
}
