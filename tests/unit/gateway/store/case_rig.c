#include "tests/unit/gateway/store/case_rig.h"

#include <stdlib.h>
#include <string.h>

static int take_case(void *ctx, const struct store_case *row)
{
	struct cases *list = ctx;

	assert_true(list->count < CASES_MAX);
	list->rows[list->count++] = *row;
	return 0;
}

struct cases get_cases(struct fixture *f, const struct store_case_query *query)
{
	struct gf_diag diag = {""};
	struct cases list;

	memset(&list, 0, sizeof(list));
	assert_int_equal(store_read_cases(f->reader, query, take_case, &list, &diag), 0);
	return list;
}

struct gf_record cleared(uint64_t seq, uint64_t no, enum gf_fault code, int64_t at_ms, uint64_t lasted_ms)
{
	struct gf_record r = record(seq, GF_RECORD_FAULT_CLEARED, at_ms);

	r.fault_cleared = (struct gf_fault_cleared){no, code, GF_CLEARED_BY_RECOVERED, lasted_ms};
	return r;
}

/* ---- the model ---- */

struct faults {
	size_t count;
	struct store_fault rows[4096];
};

static int take_fault(void *ctx, const struct store_fault *fault)
{
	struct faults *list = ctx;

	assert_true(list->count < sizeof(list->rows) / sizeof(list->rows[0]));
	list->rows[list->count++] = *fault;
	return 0;
}

static int by_code_and_time(const void *a, const void *b)
{
	const struct store_fault *x = a, *y = b;

	if (x->code != y->code)
		return x->code < y->code ? -1 : 1;
	if (x->raised_ms != y->raised_ms)
		return x->raised_ms < y->raised_ms ? -1 : 1;
	return x->fault_no < y->fault_no ? -1 : 1;
}

static int64_t end_of(const struct store_fault *x)
{
	return x->cleared_ms > x->raised_ms ? x->cleared_ms : x->raised_ms;
}

static const struct store_case *find_case(const struct cases *list, enum gf_fault code, int64_t first_ms)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i].code == code && list->rows[i].first_ms == first_ms)
			return &list->rows[i];
	return NULL;
}

/* The faults `from` to `to` are one case, and the store knows it. */
static void assert_case(const struct cases *list, const struct store_fault *from, const struct store_fault *to)
{
	const struct store_case *c = find_case(list, from->code, from->raised_ms);
	int64_t cleared_ms = 0;
	uint64_t lasted_ms = 0;
	enum gf_severity severity = GF_SEVERITY_UNSPECIFIED;
	bool open = false;

	assert_non_null(c);
	for (const struct store_fault *x = from; x <= to; x++) {
		open = open || !x->cleared_ms;
		lasted_ms += x->lasted_ms;
		severity = x->severity > severity ? x->severity : severity;
		if (x->cleared_ms && end_of(x) > cleared_ms)
			cleared_ms = end_of(x);
	}
	assert_int_equal(c->times, to - from + 1);
	assert_int_equal(c->last_ms, to->raised_ms);
	assert_int_equal(c->fault_no, to->fault_no);
	assert_int_equal(c->lasted_ms, lasted_ms);
	assert_int_equal(c->severity, severity);
	assert_int_equal(c->cleared_ms, open ? 0 : cleared_ms);
	assert_int_equal(c->state == STORE_CASE_CLEARED, !open);
}

void assert_cases_as_modelled(struct fixture *f, const char *device)
{
	struct cases list = get_cases(f, &(struct store_case_query){.device = device});
	struct faults *faults = calloc(1, sizeof(*faults));
	struct store_fault_query query = {.device = device};
	size_t from = 0, count = 0;
	int64_t end = 0;

	assert_non_null(faults);
	assert_int_equal(store_read_faults(f->reader, &query, take_fault, faults, NULL), 0);
	qsort(faults->rows, faults->count, sizeof(faults->rows[0]), by_code_and_time);
	for (size_t i = 0; i < faults->count; i++) {
		const struct store_fault *x = &faults->rows[i];

		if (i > 0 && (x->code != faults->rows[from].code || x->raised_ms > end + STORE_CASE_AGAIN_MS)) {
			assert_case(&list, &faults->rows[from], x - 1);
			from = i;
			count++;
		}
		end = i == from || end_of(x) > end ? end_of(x) : end;
	}
	if (faults->count) {
		assert_case(&list, &faults->rows[from], &faults->rows[faults->count - 1]);
		count++;
	}
	assert_int_equal(list.count, count);
	free(faults);
}
