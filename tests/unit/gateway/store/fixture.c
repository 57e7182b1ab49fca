#include "tests/unit/gateway/store/fixture.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/store/cases.h"
#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/writer.h"

static void open_both(struct fixture *f)
{
	struct store_options options = {.path = f->path, .busy_timeout_ms = 1};
	struct query q;
	int64_t level = -1;
	struct gf_diag diag = {""};

	assert_int_equal(store_open(&options, &f->store, &diag), 0);
	query_begin(&q, &f->store->db, "PRAGMA synchronous");
	assert_int_equal(query_value(&q, -1, &level, NULL), 0);
	assert_int_equal(level, 2); /* FULL: what was acked outlives a power cut */
	/* Processes are killed here, power never fails: what the kernel has is kept. Thousands of commits needn't wait for the disk. */
	assert_int_equal(db_exec(&f->store->db, "PRAGMA synchronous = OFF", NULL), 0);
	assert_int_equal(store_reader_open(f->path, &f->reader, &diag), 0);
}

void fixture_close(struct fixture *f)
{
	store_reader_close(f->reader);
	store_close(f->store);
	f->reader = NULL;
	f->store = NULL;
}

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/gymfleet-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/fleet.db", f->dir);
	open_both(f);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	struct fixture *f = *state;

	fixture_close(f);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

void fixture_reopen(struct fixture *f)
{
	fixture_close(f);
	open_both(f);
}

uint64_t fixture_kill(struct fixture *f, fixture_work work, uint64_t from, int numbers)
{
	uint64_t last = 0, told;
	int fds[2], status;
	pid_t pid;

	fixture_close(f);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		work(f, from, fds[1]);
		_exit(1);
	}
	close(fds[1]);
	for (int i = 0; i < numbers; i++)
		assert_int_equal(read(fds[0], &last, sizeof(last)), sizeof(last));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	while (read(fds[0], &told, sizeof(told)) == sizeof(told))
		last = told;
	close(fds[0]);
	fixture_reopen(f);
	return last;
}

void fixture_room(uint64_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes ? bytes : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

struct gf_stream_id stream_id(uint8_t n)
{
	struct gf_stream_id id = {{0}};

	id.bytes[0] = n;
	return id;
}

struct gf_status birth(uint64_t boot, uint64_t connection, uint8_t stream)
{
	struct gf_status st = {.presence = GF_PRESENCE_BIRTH,
	                       .boot = boot,
	                       .connection = connection,
	                       .uptime_ms = 1000,
	                       .clock_synced = true,
	                       .class = GF_CLASS_CHAIR,
	                       .model = "recliner-4",
	                       .location = {.site = "berlin", .zone = "lounge", .bay = "1"},
	                       .stream = stream_id(stream),
	                       .next_seq = 1,
	                       .rated_motor_h = 2000,
	                       .motor_temp_stop_c = 70};

	return st;
}

struct gf_status gone(enum gf_presence presence, uint64_t boot, uint64_t connection)
{
	return (struct gf_status){.presence = presence, .boot = boot, .connection = connection};
}

struct gf_record record(uint64_t seq, enum gf_record_kind kind, int64_t at_ms)
{
	return (struct gf_record){
	    .seq = seq, .boot = 1, .uptime_ms = seq * 1000, .wall_ms = (uint64_t)at_ms, .clock_synced = true, .kind = kind};
}

struct gf_record heartbeat(uint64_t seq, int64_t at_ms, float motor_temp_c)
{
	struct gf_record r = record(seq, GF_RECORD_HEARTBEAT, at_ms);

	r.heartbeat.interval_ms = 60000;
	r.heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C] =
	    (struct gf_stat){true, motor_temp_c - 1, motor_temp_c, motor_temp_c + 1, motor_temp_c};
	return r;
}

struct gf_record session(uint64_t seq, uint64_t no, int64_t ended_ms)
{
	struct gf_record r = record(seq, GF_RECORD_SESSION_ENDED, ended_ms);
	struct gf_session_ended *e = &r.session_ended;

	e->start.session_no = no;
	gf_strcpy(e->start.routine, sizeof(e->start.routine), "drumming_legs");
	e->start.planned_s = 100;
	e->started_boot = 1;
	e->started_wall_ms = (uint64_t)(ended_ms - 100 * 1000);
	e->started_clock_synced = true;
	e->duration_ms = 100 * 1000;
	e->paused_ms = 10 * 1000;
	e->motor_ms = MINUTE;
	e->outcome = GF_OUTCOME_COMPLETED;
	e->areas_count = 2;
	e->areas[0] = (struct gf_area_use){GF_AREA_CALVES, GF_SIDE_LEFT, GF_TECHNIQUE_DRUM, 30000, 30, 40};
	e->areas[1] = (struct gf_area_use){GF_AREA_CALVES, GF_SIDE_RIGHT, GF_TECHNIQUE_DRUM, 30000, 30, 40};
	e->peak_motor_temp_c = 45;
	e->odometer = (struct gf_odometer){.motor_ms = no * MINUTE, .sessions = no};
	return r;
}

struct gf_record started(uint64_t seq, uint64_t no, int64_t at_ms)
{
	struct gf_record r = record(seq, GF_RECORD_SESSION_STARTED, at_ms);

	r.session_started.session_no = no;
	gf_strcpy(r.session_started.routine, sizeof(r.session_started.routine), "drumming_legs");
	return r;
}

struct gf_record fault(uint64_t seq, uint64_t no, enum gf_fault code, enum gf_severity severity, int64_t at_ms)
{
	struct gf_record r = record(seq, GF_RECORD_FAULT_RAISED, at_ms);

	r.fault_raised = (struct gf_fault_raised){.fault_no = no, .code = code, .severity = severity, .observed = 71};
	return r;
}

struct gf_ack send_report(struct fixture *f, const char *device, uint8_t stream, struct gf_record *records,
                          size_t count, int64_t recv_ms)
{
	struct gf_report report = {stream_id(stream), records[0].seq, count, records};
	struct gf_diag diag = {""};
	struct gf_ack ack = {.through_seq = UINT64_MAX};

	assert_int_equal(store_begin(f->store, &diag), 0);
	assert_int_equal(store_apply_report(f->store, device, &report, NULL, recv_ms, &ack, &diag), 0);
	assert_int_equal(store_commit(f->store, &diag), 0);
	return ack;
}

void send_status(struct fixture *f, const char *device, struct gf_status status, bool retained, int64_t recv_ms)
{
	struct gf_diag diag = {""};

	assert_int_equal(store_begin(f->store, &diag), 0);
	assert_int_equal(store_apply_status(f->store, device, &status, retained, recv_ms, &diag), 0);
	assert_int_equal(store_commit(f->store, &diag), 0);
}

struct store_device get_device(struct fixture *f, const char *id, int64_t now_ms)
{
	struct store_device_query query = {.device = id, .now_ms = now_ms, .today_ms = now_ms - now_ms % DAY};
	struct store_device device;
	struct gf_diag diag = {""};

	assert_int_equal(store_read_device(f->reader, &query, &device, &diag), 0);
	return device;
}

static int count_row(void *ctx, const struct store_session *session)
{
	(void)session;
	++*(size_t *)ctx;
	return 0;
}

size_t count_sessions(struct fixture *f, const char *device)
{
	struct store_session_query query = {.device = device};
	struct gf_diag diag = {""};
	size_t count = 0;

	assert_int_equal(store_read_sessions(f->reader, &query, count_row, &count, &diag), 0);
	return count;
}

struct findings {
	struct store_finding *rows;
	size_t max, count;
};

static int take_finding(void *ctx, const struct store_finding *finding)
{
	struct findings *list = ctx;

	assert_true(list->count < list->max);
	list->rows[list->count++] = *finding;
	return 0;
}

struct store_audit get_audit(struct fixture *f, struct store_finding *findings, size_t max, size_t *ret_count)
{
	struct findings list = {findings, max, 0};
	struct store_audit audit = {0};
	struct gf_diag diag = {""};

	assert_int_equal(store_read_audit(f->reader, NULL, take_finding, &list, &audit, &diag), 0);
	*ret_count = list.count;
	return audit;
}

/* ---- fingerprint ---- */

static int print_session(void *ctx, const struct store_session *s)
{
	fprintf(ctx, "session %s %" PRIu64 " %s %d %" PRId64 " %" PRId64 " %" PRIu64 " %zu\n", s->device, s->session_no,
	        s->routine, (int)s->outcome, s->started_ms, s->ended_ms, s->odometer.motor_ms, s->areas_count);
	return 0;
}

static int print_fault(void *ctx, const struct store_fault *x)
{
	fprintf(ctx, "fault %s %" PRIu64 " %d %" PRId64 " %" PRId64 "\n", x->device, x->fault_no, (int)x->code,
	        x->raised_ms, x->cleared_ms);
	return 0;
}

static int print_case(void *ctx, const struct store_case *c)
{
	fprintf(ctx, "case %s %d %u %" PRId64 " %" PRId64 " %" PRId64 " %" PRIu64 "\n", c->device, (int)c->code,
	        (unsigned)c->times, c->first_ms, c->last_ms, c->cleared_ms, c->lasted_ms);
	return 0;
}

static int print_hour(void *ctx, const struct store_hour *h)
{
	fprintf(ctx, "hour %s %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", h->device, h->hour_ms, h->sessions,
	        h->running_ms, h->motor_ms);
	return 0;
}

static int print_finding(void *ctx, const struct store_finding *x)
{
	fprintf(ctx, "finding %s %d %s\n", x->device, (int)x->kind, x->text);
	return 0;
}

static int print_bucket(void *ctx, const struct store_bucket *b)
{
	fprintf(ctx, "bucket %" PRId64 " %" PRIu64 " %.2f\n", b->start_ms, b->covered_ms,
	        (double)b->sensors[GF_SENSOR_MOTOR_TEMP_C].mean);
	return 0;
}

static int print_device(void *ctx, const struct store_device *d)
{
	fprintf(ctx, "device %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %u\n", d->id, d->acked_seq,
	        d->sessions, d->session_motor_ms, d->odometer.motor_ms, d->running_session, d->open_faults);
	return 0;
}

int64_t number_of(struct fixture *f, const char *sql)
{
	struct query q;
	int64_t value = -1;

	query_begin(&q, &f->reader->db, sql);
	assert_int_equal(query_value(&q, -1, &value, NULL), 0);
	return value;
}

char *fingerprint(struct fixture *f)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct store_device_query devices = {.now_ms = NOON, .today_ms = NOON};
	struct store_audit audit;

	assert_int_equal(store_read_devices(f->reader, &devices, print_device, out, NULL), 0);
	assert_int_equal(store_read_sessions(f->reader, &(struct store_session_query){0}, print_session, out, NULL), 0);
	assert_int_equal(store_read_faults(f->reader, &(struct store_fault_query){0}, print_fault, out, NULL), 0);
	assert_int_equal(store_read_cases(f->reader, &(struct store_case_query){0}, print_case, out, NULL), 0);
	assert_int_equal(store_read_hours(f->reader, NULL, 0, 0, print_hour, out, NULL), 0);
	assert_int_equal(store_read_audit(f->reader, NULL, print_finding, out, &audit, NULL), 0);
	assert_int_equal(store_read_series(f->reader, "chair-1", 300, 0, 0, print_bucket, out, NULL), 0);
	fclose(out);
	return text;
}
