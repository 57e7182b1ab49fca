#include "tests/integration/fleet.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/sim/sim_driver.h"
#include "proto/base/file.h"

void it_catalog(struct it_world *w, const char *class, unsigned seconds)
{
	const char *routines = it_path(w, "routines-%s", class), *catalog = it_path(w, "catalogs/%s.catalog", class);
	struct gf_diag diag = {{0}};
	assert_int_equal(gf_dir_make(routines, &diag), 0);
	assert_int_equal(gf_dir_make(it_path(w, "catalogs"), &diag), 0);
	it_write(it_path(w, "routines-%s/short.yaml", class),
	         "id: short\ntitle: A short one\nclasses: [%s]\ntotal_s: %u\nsides: [left]\nsteps:\n"
	         "  - {area: calves, technique: press, seconds: %u, pct: 20}\n",
	         class, seconds, seconds);
	struct it_output built = it_run(w, it_program("gymfleet"), "catalog", "build", "--class", class, "--name", class,
	                                "--version", "1", "-o", catalog, routines);
	if (built.status != 0)
		fail_msg("catalog build: %s", built.err);
	it_output_free(&built);
}

const char *it_gateway_config(struct it_world *w)
{
	const char *config = it_path(w, "gateway.yaml");
	it_write(config,
	         "state_dir: gateway\nbroker:\n  host: localhost\n  port: %u\n  ca_file: pki/ca.pem\n  cert_file: "
	         "pki/gateway.pem\n"
	         "  key_file: pki/gateway.key\napi:\n  socket: gateway.sock\n",
	         it_gateway_port(w));
	return config;
}

struct it_proc *it_gateway_start(struct it_world *w)
{
	struct it_proc *gateway = it_spawn(w, "gateway", it_program("gymfleet-gateway"), "--config", it_gateway_config(w));
	json_t *answer = NULL;
	IT_UNTIL(20000, (answer = it_ask(w, "devices")) != NULL || !it_alive(gateway));
	if (answer == NULL)
		fail_msg("the gateway ended; see %s", it_log(gateway));
	json_decref(answer);
	return gateway;
}

const char *it_agent_config(struct it_world *w, const struct it_agent *agent)
{
	const char *dir = it_path(w, "machines/%s", agent->id), *config = it_path(w, "machines/%s/agent.yaml", agent->id);
	struct gf_diag diag = {{0}};

	it_device(w, agent->id);
	assert_int_equal(gf_dir_make(dir, &diag), 0);
	it_write(
	    config,
	    "class: %s\nmodel: test\nlocation: {site: lab}\nstate_dir: .\ncatalog: ../../catalogs/%s.catalog\nclock: "
	    "system\n"
	    "heartbeat_s: %u\nrated_motor_h: 2000\n"
	    "broker:\n  host: localhost\n  port: %u\n  ca_file: ../../pki/ca.pem\n  cert_file: ../../pki/devices/%s.pem\n"
	    "  key_file: ../../pki/devices/%s.key\n  keepalive_s: 5\n"
	    "driver: sim\nsim: {seed: %llu, busy: %g, wear_h: %g, opens: \"00:00\", closes: \"00:00\"}\n%s",
	    agent->class, agent->class, agent->heartbeat_s != 0 ? agent->heartbeat_s : 1, it_device_port(w), agent->id,
	    agent->id, (unsigned long long)agent->seed, agent->busy, agent->worn_h,
	    agent->extra != NULL ? agent->extra : "");
	return config;
}

struct it_proc *it_agent_start(struct it_world *w, const struct it_agent *agent)
{
	char name[80];
	const char *config = it_agent_config(w, agent);
	snprintf(name, sizeof(name), "agent-%s", agent->id);
	return it_spawn(w, name, it_program("gymfleet-agent"), "--config", config);
}

static struct it_output run(struct it_world *w, const char *const *argv)
{
	const char *command[IT_ARGS_MAX] = {it_program("gymfleet"), "--socket", it_path(w, "gateway.sock"), "-o", "json"};
	size_t count = 5;
	for (; *argv != NULL && count < IT_ARGS_MAX - 1; argv++)
		command[count++] = *argv;
	return it_run_args(w, command);
}

/* The answer when the command's exit code is at most `status_max`. */
static json_t *ask(struct it_world *w, const char *const *argv, int status_max)
{
	struct it_output output = run(w, argv);
	json_t *answer = output.status <= status_max ? json_loads(output.out, 0, NULL) : NULL;
	it_output_free(&output);
	return answer;
}

/* One that can't fail: what it says when it does is shown. */
static json_t *ask_surely(struct it_world *w, const char *const *argv)
{
	struct it_output output = run(w, argv);
	json_t *answer = output.status == 0 ? json_loads(output.out, 0, NULL) : NULL;
	if (answer == NULL)
		print_error("gymfleet %s ended with %d: %s\n", argv[0], output.status, output.err);
	it_output_free(&output);
	return answer;
}

json_t *it_ask_args(struct it_world *w, const char *const *argv)
{
	return ask(w, argv, 0);
}

bool it_gateway_listens(struct it_world *w)
{
	json_t *status = it_ask(w, "status");
	const char *broker = json_string_value(json_object_get(json_object_get(status, "gateway"), "broker"));
	bool listens = broker != NULL && strcmp(broker, "connected") == 0;
	json_decref(status);
	return listens;
}

json_t *it_doctor(struct it_world *w)
{
	return ask(w, (const char *[]){"doctor", NULL}, 1); /* 1: something is wrong */
}

bool it_doctor_says(struct it_world *w, const char *check, const char *severity, const char *words)
{
	json_t *checks = it_doctor(w);
	const json_t *found = it_find(checks, "name", check);
	const char *is = json_string_value(json_object_get(found, "severity")),
	           *text = json_string_value(json_object_get(found, "text"));
	bool says = is != NULL && text != NULL && strcmp(is, severity) == 0 && strstr(text, words) != NULL;
	json_decref(checks);
	return says;
}

const json_t *it_items(const json_t *answer)
{
	const json_t *items = json_object_get(answer, "items");
	return items != NULL ? items : answer;
}

const json_t *it_find(const json_t *items, const char *key, const char *value)
{
	size_t i;
	const json_t *entry;
	json_array_foreach(items, i, entry)
	{
		const char *text = json_string_value(json_object_get(entry, key));
		if (text != NULL && strcmp(text, value) == 0)
			return entry;
	}
	return NULL;
}

size_t it_online(struct it_world *w)
{
	json_t *answer = it_ask(w, "devices", "--where", "presence=online");
	size_t online = answer != NULL ? json_array_size(it_items(answer)) : 0;
	json_decref(answer);
	return online;
}

struct it_sums it_sessions(struct it_world *w, const char *id)
{
	struct it_sums sums = {0};
	json_t *answer = ask_surely(w, (const char *[]){"sessions", id, "--limit", "10000", NULL});
	size_t i;
	const json_t *session;
	assert_non_null(answer);
	json_array_foreach(it_items(answer), i, session)
	{
		const char *outcome = json_string_value(json_object_get(session, "outcome"));
		assert_non_null(outcome);
		if (strcmp(outcome, "running") == 0) {
			sums.running++;
			continue;
		}
		uint64_t motor_ms = (uint64_t)llround(json_number_value(json_object_get(session, "motor_s")) * 1000);
		sums.sessions += motor_ms > 0 ? 1 : 0;
		sums.interrupted += strcmp(outcome, "interrupted") == 0 ? 1 : 0;
		sums.motor_ms += motor_ms;
	}
	json_decref(answer);
	return sums;
}

struct it_sums it_journal(struct it_world *w, const char *id)
{
	struct sim_journal journal = {0};
	if (sim_journal_read(it_path(w, "machines/%s/hour-meter.journal", id), &journal) != 0)
		fail_msg("%s has no journal", id);
	return (struct it_sums){.sessions = journal.starts, .motor_ms = journal.motor_ms};
}

bool it_audit_settled(struct it_world *w)
{
	json_t *answer = it_ask(w, "audit");
	bool settled = json_is_true(json_object_get(answer, "clean"));
	size_t i;
	const json_t *finding;
	json_array_foreach(json_object_get(answer, "findings"), i, finding) settled = false;
	json_decref(answer);
	return settled;
}
