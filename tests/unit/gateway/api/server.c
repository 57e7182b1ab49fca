#include "tests/unit/gateway/api/server.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/gateway/api/starter.h"

/* The wall clock stands at one o'clock; the monotonic one goes on, for what waits. */
static struct gf_time now(void *ctx)
{
	struct gf_time t = gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM));
	(void)ctx;
	return (struct gf_time){.mono_ms = t.mono_ms, .wall_ms = NOON + HOUR, .synced = true};
}

/* The daemon's errands are the ctx of all. */
static struct server *server_of(void *ctx)
{
	return (struct server *)((char *)ctx - offsetof(struct server, errands));
}

static void get_facts(void *ctx, struct api_facts *ret_facts)
{
	*ret_facts = server_of(ctx)->facts;
}

static int start_rollout(void *ctx, const struct rollout_spec *spec, const struct store_actor *actor, uint64_t *ret_id,
                         size_t *ret_machines, struct gf_diag *diag)
{
	struct server *s = server_of(ctx);
	return starter_start(s->store->store, s->store->path, spec, actor, NOON + HOUR, ret_id, ret_machines, diag);
}

static int order_rollout(void *ctx, uint64_t id, enum rollout_order order, const struct store_actor *actor,
                         struct gf_diag *diag)
{
	struct server *s = server_of(ctx);
	return starter_order(s->store->store, id, order, actor, NOON + HOUR, diag);
}

static size_t get_tell_states(void *ctx, struct tell_state *ret_states, size_t max)
{
	const struct server *s = server_of(ctx);
	size_t count = s->tellings_count < max ? s->tellings_count : max;
	memcpy(ret_states, s->tellings, count * sizeof(*ret_states));
	return count;
}

static int look_at_rules(void *ctx, api_rules_fn look, void *look_ctx)
{
	return look(look_ctx, &server_of(ctx)->rules);
}

static int reload_rules(void *ctx, const struct store_actor *actor, size_t *ret_rules, struct gf_diag *diag)
{
	const struct server *s = server_of(ctx);

	(void)actor;
	if (s->rules_mistake != NULL) {
		gf_diag_set(diag, "%s", s->rules_mistake);
		return -EINVAL;
	}
	*ret_rules = s->rules.rules->count;
	return 0;
}

static int reload_webhooks(void *ctx, const struct store_actor *actor, size_t *ret_webhooks, struct gf_diag *diag)
{
	const struct server *s = server_of(ctx);
	int r = reload_rules(ctx, actor, ret_webhooks, diag);

	if (r == 0)
		*ret_webhooks = s->tellings_count - 1;
	return r;
}

static int retry_webhook(void *ctx, const char *name, const struct store_actor *actor, struct gf_diag *diag)
{
	struct server *s = server_of(ctx);

	(void)actor;
	(void)diag;
	for (size_t i = 0; i < s->tellings_count; i++) {
		if (strcmp(s->tellings[i].told.receiver, name) != 0)
			continue;
		s->tellings[i].next_ms = 0;
		return 0;
	}
	return -ENOENT;
}

static void nobody_waits(void *ctx)
{
	(void)ctx;
}

/* As the daemon has them, but for what the tests play. */
static struct api_ops ops_of(struct server *s)
{
	struct api_ops ops = errands_ops(&s->errands);

	ops.facts = get_facts;
	ops.rollout_start = start_rollout;
	ops.rollout_order = order_rollout;
	ops.rules_look = look_at_rules;
	ops.rules_look_ahead = look_at_rules;
	ops.rules_reload = reload_rules;
	ops.tell_states = get_tell_states;
	ops.webhooks_reload = reload_webhooks;
	ops.webhook_retry = retry_webhook;
	return ops;
}

static struct rules no_rules;

static void fill(struct fixture *f)
{
	struct gf_record chair[] = {
	    session(1, 1, NOON - 2 * DAY),
	    session(2, 2, NOON - HOUR),
	    session(3, 3, NOON),
	    fault(4, 1, GF_FAULT_OVERTEMP_MOTOR, GF_SEVERITY_LATCH, NOON + 10 * MINUTE),
	    started(5, 4, NOON + 50 * MINUTE),
	    heartbeat(6, NOON + 55 * MINUTE, 41.2F),
	};
	struct gf_record gun[] = {session(1, 1, NOON - DAY)};
	struct gf_status gun_birth = birth(1, 1, 2);

	chair[5].heartbeat.odometer = chair[2].session_ended.odometer;
	gun_birth.class = GF_CLASS_PERCUSSION;
	gf_strcpy(gun_birth.location.site, sizeof(gun_birth.location.site), "paris");
	send_status(f, "chair-berlin-01", birth(1, 1, 1), false, NOON - 3 * DAY);
	send_status(f, "gun-paris-01", gun_birth, false, NOON - 3 * DAY);
	(void)send_report(f, "chair-berlin-01", 1, chair, sizeof(chair) / sizeof(chair[0]), NOON + 55 * MINUTE);
	(void)send_report(f, "gun-paris-01", 2, gun, 1, NOON - DAY);
	send_status(f, "gun-paris-01", gone(GF_PRESENCE_GOODBYE, 1, 1), false, NOON - DAY + MINUTE);
}

int server_setup(void **state)
{
	struct server *s = calloc(1, sizeof(*s));
	struct gf_diag diag = {""};
	void *store = NULL;

	assert_int_equal(fixture_setup(&store), 0);
	s->store = store;
	fill(s->store);
	s->rules.rules = &no_rules;
	snprintf(s->socket, sizeof(s->socket), "%s/api.sock", s->store->dir);
	s->facts = (struct api_facts){.up_ms = 3 * HOUR, .epoch = 7, .broker_connected = true, .clock_synced = true};
	s->clock = (struct gf_clock){.now = now};
	s->config = (struct api_config){
	    .socket = s->socket, .database = s->store->path, .store = s->store->store, .clock = &s->clock};
	s->errands = (struct errands){.clock = &s->clock, .store = s->store->store, .wake = nobody_waits};
	s->ops = ops_of(s);
	if (api_new(&s->config, &s->ops, &s->api, &diag) != 0)
		fail_msg("%s", diag.text);
	*state = s;
	return 0;
}

int server_teardown(void **state)
{
	struct server *s = *state;
	void *store = s->store;

	api_free(s->api);
	assert_int_equal(access(s->socket, F_OK), -1);
	assert_int_equal(fixture_teardown(&store), 0);
	free(s);
	return 0;
}

char *server_send(const struct server *s, const void *bytes, size_t len)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char *answer = NULL, piece[4096];
	size_t size = 0;
	ssize_t n;

	strcpy(address.sun_path, s->socket);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	(void)!send(fd, bytes, len, MSG_NOSIGNAL); /* the server may close before it has read all */
	FILE *out = open_memstream(&answer, &size);
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		fwrite(piece, 1, (size_t)n, out);
	fclose(out);
	close(fd);
	return answer;
}

int server_ask_bytes(const struct server *s, const char *method, const char *path, const void *body, size_t body_len,
                     json_t **ret_json)
{
	char *request = NULL;
	size_t size = 0;
	int status = 0;
	FILE *out = open_memstream(&request, &size);

	fprintf(out, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", method, path,
	        body_len);
	if (body_len > 0)
		fwrite(body, 1, body_len, out);
	fclose(out);
	char *answer = server_send(s, request, size), *json = strstr(answer, "\r\n\r\n");

	if (sscanf(answer, "HTTP/1.1 %d", &status) != 1 || json == NULL)
		fail_msg("%s %s: no HTTP: %s", method, path, answer);
	if (ret_json != NULL) {
		*ret_json = json_loads(json, 0, NULL);
		assert_non_null(*ret_json);
	}
	free(answer);
	free(request);
	return status;
}

int server_ask(const struct server *s, const char *method, const char *path, const char *body, json_t **ret_json)
{
	return server_ask_bytes(s, method, path, body != NULL ? body : "", body != NULL ? strlen(body) : 0, ret_json);
}

json_t *ask(struct server *s, const char *method, const char *path, const char *body, int status)
{
	json_t *json = NULL;
	int got = server_ask(s, method, path, body, &json);

	if (got != status)
		fail_msg("%s %s: HTTP %d: %s", method, path, got,
		         json_string_value(json_object_get(json_object_get(json, "error"), "message")));
	return json;
}

json_t *get(struct server *s, const char *path)
{
	return ask(s, "GET", path, NULL, 200);
}

size_t rows(struct server *s, const char *path)
{
	json_t *json = get(s, path);
	size_t count = json_array_size(json_object_get(json, "items"));
	json_decref(json);
	return count;
}

void refuses(struct server *s, const char *method, const char *path, const char *body, int status, const char *expected)
{
	json_t *json = ask(s, method, path, body, status);
	const char *message = json_string_value(json_object_get(json_object_get(json, "error"), "message"));

	if (message == NULL || strstr(message, expected) == NULL)
		fail_msg("%s %s: \"%s\" does not say \"%s\"", method, path, message, expected);
	json_decref(json);
}

const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));
	return value != NULL ? value : "(null)";
}

json_int_t whole(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}
