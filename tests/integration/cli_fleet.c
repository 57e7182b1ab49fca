#include "tests/integration/cli_fleet.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/fleet.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { SOON_MS = 20000, HOUR_MS = 3600000 };

static const struct {
	const char *id, *site;
	enum gf_class class;
	bool fault;
} machines[CLI_MACHINES] = {
    {CLI_CHAIR, "berlin", GF_CLASS_CHAIR, false},
    {"gun-berlin-01", "berlin", GF_CLASS_PERCUSSION, true},
    {"gun-berlin-02", "berlin", GF_CLASS_PERCUSSION, false},
    {"gun-hamburg-01", "hamburg", GF_CLASS_PERCUSSION, true},
};

/* "doctor" may find the test's own disk wanting. */
const struct cli_command_line cli_commands_tried[] = {
    {"status", 0},
    {"devices", 0},
    {"devices|--where|site=berlin|--limit|4", 0},
    {"device|show|" CLI_CHAIR, 0},
    {"device|trend|" CLI_CHAIR "|--since|30d", 0},
    {"device|set|" CLI_CHAIR "|name=Old chair|zone=lounge", 0},
    {"health", 0},
    {"health|gun-berlin-01", 0},
    {"sessions", 0},
    {"sessions|" CLI_CHAIR "|--since|7d|--until|1m", 0},
    {"usage", 0},
    {"usage|--by|device", 0},
    {"usage|--by|site", 0},
    {"usage|--by|class", 0},
    {"usage|--by|routine", 0},
    {"usage|--by|area", 0},
    {"usage|--by|hour", 0},
    {"usage|--by|day|--since|30d", 0},
    {"faults", 0},
    {"faults|gun-hamburg-01|--open", 0},
    {"faults|1", 0},
    {"faults|--by|class|--since|30d", 0},
    {"device|tag|" CLI_CHAIR "|--reason|belt|--owner|anna|--back|3d", 0},
    {"device|service|" CLI_CHAIR "|cover|--note|torn", 0},
    {"wear", 0},
    {"wear|" CLI_CHAIR, 0},
    {"overuse", 0},
    {"overuse|--since|7d|--device|gun-berlin-01", 0},
    {"overuse|show|1", 0},
    {"overuse|ack|1|--note|seen", 0},
    {"rules", 0},
    {"rules|reload", 0},
    {"usage|--by|outcome", 0},
    {"usage|--by|week", 0},
    {"usage|--heat", 0},
    {"usage|--trend", 0},
    {"subject|erase|0000000000000001|--yes", 0},
    {"webhooks", 0},
    {"audit", 0},
    {"audit|" CLI_CHAIR, 0},
    {"events", 0},
    {"events|--kind|session|--device|" CLI_CHAIR "|--since|1h|--limit|5", 0},
    {"device|lock|" CLI_CHAIR "|--reason|torn cover", 0},
    {"device|unlock|" CLI_CHAIR, 0},
    {"audit|log", 0},
    {"catalog|list", 0},
    {"rollout|list", 0},
    {"rollout|show|1", 0},
    {"rollout|show|chair@1|--step|waiting,absent,offered", 0},
    {"doctor", 1},
    {0},
};

static void tell(struct it_machine *m, size_t i)
{
	struct gf_status birth = it_birth(m);
	int64_t now_ms = it_wall_ms();
	struct gf_record records[] = {
	    it_session(m, 1, 1, now_ms - 2 * HOUR_MS),
	    it_session(m, 2, 2, now_ms - HOUR_MS),
	    it_heartbeat(m, 3, now_ms, 35),
	    it_heartbeat(m, 4, now_ms, 35),
	};

	birth.class = machines[i].class;
	gf_strcpy(birth.location.site, GF_NAME_MAX, machines[i].site);
	birth.odometer = records[1].session_ended.odometer;
	records[2].heartbeat.odometer = records[3].heartbeat.odometer = birth.odometer;
	if (machines[i].fault) {
		records[3].kind = GF_RECORD_FAULT_RAISED;
		records[3].fault_raised = (struct gf_fault_raised){
		    .fault_no = 1,
		    .code = GF_FAULT_OVERTEMP_MOTOR,
		    .severity = GF_SEVERITY_LATCH,
		    .observed = 71,
		    .limit = 70,
		    .detail = "a \"quoted\", long\u00a0detail", /* CSV has to quote it */
		};
	}
	it_machine_birth(m, &birth);
	it_machine_report(m, records, COUNT(records));
	IT_UNTIL(SOON_MS, it_machine_acked(m) == COUNT(records));
}

/* chair@1, so that the gateway has a catalog to tell of. */
static void publish(struct it_world *w)
{
	const char *gymfleet = it_program("gymfleet"), *file = it_path(w, "catalogs/chair.catalog"),
	           *key = it_path(w, "signing.key");
	struct it_output steps[3];

	it_catalog(w, "chair", 60);
	steps[0] = it_run(w, gymfleet, "catalog", "keygen", key);
	steps[1] = it_run(w, gymfleet, "catalog", "sign", file, "--key", key);
	steps[2] = it_run(w, gymfleet, "--socket", it_path(w, "gateway.sock"), "catalog", "publish", file);
	for (size_t i = 0; i < COUNT(steps); i++) {
		if (steps[i].status != 0)
			fail_msg("step %zu: %d, %s", i, steps[i].status, steps[i].err);
		it_output_free(&steps[i]);
	}
}

/* Its machine hears of it and doesn't answer. */
static void start_rollout(struct it_world *w)
{
	struct it_output o = it_run(w, it_program("gymfleet"), "--socket", it_path(w, "gateway.sock"), "rollout", "start",
	                            "chair@1", "--where", "id=" CLI_CHAIR);

	if (o.status != 0 || strstr(o.out, "rollout 1: chair@1 for 1 machine (chair)") == NULL)
		fail_msg("%d, %s%s", o.status, o.out, o.err);
	it_output_free(&o);
}

/* The rules that are shipped: a machine with a latched fault is flagged by them. */
static void copy_rules(struct it_world *w)
{
	char *text = it_read(it_source("config/rules.yaml"));

	it_write(it_path(w, "rules.yaml"), "%s", text);
	free(text);
}

static bool is_flagged(struct cli_fleet *t)
{
	struct it_output o = cli_run_as(t, "csv", "overuse");
	bool flagged = strstr(o.out, "gun-hamburg-01") != NULL && strstr(o.out, "gun-berlin-01") != NULL;

	it_output_free(&o);
	return flagged;
}

int cli_fleet_setup(void **state)
{
	struct cli_fleet *t = calloc(1, sizeof *t);

	*state = t;
	t->w = it_open("cli");
	it_broker_start(t->w);
	copy_rules(t->w);
	it_gateway_start(t->w);
	IT_UNTIL(SOON_MS, it_gateway_listens(t->w));
	publish(t->w);
	for (size_t i = CLI_MACHINES; i-- > 0;) {
		struct it_machine *m = it_machine_open(t->w, machines[i].id);
		tell(m, i);
		if (i == 0)
			t->chair = m;
		else
			it_machine_close(m); /* it says no goodbye, and a graceful end has no will */
	}
	start_rollout(t->w);
	IT_UNTIL(SOON_MS, is_flagged(t));
	return 0;
}

int cli_fleet_teardown(void **state)
{
	struct cli_fleet *t = *state;

	it_machine_close(t->chair);
	it_close(t->w);
	free(t);
	return 0;
}

struct it_output cli_run_as(struct cli_fleet *t, const char *format, const char *words)
{
	const char *argv[IT_ARGS_MAX] = {it_program("gymfleet"), "--socket", it_path(t->w, "gateway.sock")};
	char *copy = strdup(words), *save = NULL;
	size_t n = 3;

	for (char *word = strtok_r(copy, "|", &save); word && n < IT_ARGS_MAX - 3; word = strtok_r(NULL, "|", &save))
		argv[n++] = word;
	if (format) {
		argv[n++] = "-o";
		argv[n] = format;
	}
	struct it_output output = it_run_args(t->w, argv);
	free(copy);
	return output;
}

struct it_output cli_run(struct cli_fleet *t, const char *words)
{
	return cli_run_as(t, NULL, words);
}
