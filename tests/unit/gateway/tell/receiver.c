#include "tests/unit/gateway/tell/receiver.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "gateway/tell/sign.h"

enum { WAIT_S = 30, FRESH_S = 30 };

struct asked {
	char *body;
	size_t len;
};

static const char *header(struct MHD_Connection *c, const char *name)
{
	const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);

	return value != NULL ? value : "";
}

static bool is_sound(const struct receiver *r, struct MHD_Connection *c, const struct asked *a, uint64_t id)
{
	const char *signature = header(c, "Gymfleet-Signature");
	char expected[SIGN_MAX], number[24];
	long long seconds = 0;

	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)id);
	return sscanf(signature, "t=%lld,", &seconds) == 1 &&
	       sign_header(r->secret, strlen(r->secret), seconds, a->body, a->len, expected) == 0 &&
	       strcmp(signature, expected) == 0 && llabs(seconds - (long long)time(NULL)) < FRESH_S &&
	       strcmp(header(c, "Gymfleet-Event"), number) == 0 &&
	       strncmp(header(c, "User-Agent"), "gymfleet/", strlen("gymfleet/")) == 0 &&
	       strcmp(header(c, "Content-Type"), "application/json") == 0;
}

static uint64_t number_of(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static struct taken take(const struct receiver *r, struct MHD_Connection *c, const struct asked *a)
{
	json_t *json = json_loadb(a->body != NULL ? a->body : "", a->len, 0, NULL);
	const char *kind = json_string_value(json_object_get(json, "kind")), *key;
	struct taken t = {.id = number_of(json, "id"),
	                  .from = number_of(json, "from"),
	                  .to = number_of(json, "to"),
	                  .missed = number_of(json, "missed")};
	json_t *count;

	json_object_foreach(json_object_get(json, "counts"), key, count) t.count += (uint64_t)json_integer_value(count);
	(void)snprintf(t.kind, sizeof(t.kind), "%s", kind != NULL ? kind : "");
	t.sound = is_sound(r, c, a, t.id);
	json_decref(json);
	return t;
}

/* The status, by what the test wants of it. */
static unsigned judge(struct receiver *r, const struct taken *t)
{
	unsigned status = 200;

	pthread_mutex_lock(&r->lock);
	r->asked++;
	if (r->fails > 0) {
		r->fails--;
		status = r->fail_status;
	} else if (r->refuses != 0 && r->refuses == t->id) {
		status = 410;
	} else if (r->taken_count < TAKEN_MAX) {
		r->taken[r->taken_count++] = *t;
		r->newest = t->id > r->newest ? t->id : r->newest;
	}
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return status;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *data, size_t *len, void **request)
{
	struct receiver *r = ctx;
	struct asked *a = *request;

	(void)url;
	(void)method;
	(void)version;
	if (a == NULL) {
		*request = calloc(1, sizeof(*a));
		return *request != NULL ? MHD_YES : MHD_NO;
	}
	if (*len > 0) {
		char *longer = realloc(a->body, a->len + *len);
		if (longer == NULL)
			return MHD_NO;
		memcpy(longer + a->len, data, *len);
		a->body = longer;
		a->len += *len;
		*len = 0;
		return MHD_YES;
	}
	const struct taken t = take(r, c, a);
	unsigned status = judge(r, &t);
	struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	if (r->location != NULL)
		(void)MHD_add_response_header(response, "Location", r->location);
	enum MHD_Result result = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return result;
}

static void on_end(void *ctx, struct MHD_Connection *c, void **request, enum MHD_RequestTerminationCode code)
{
	struct asked *a = *request;

	(void)ctx;
	(void)c;
	(void)code;
	if (a != NULL)
		free(a->body);
	free(a);
	*request = NULL;
}

void receiver_start(struct receiver *r)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(r->port), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	const struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)r->cert},
	                                     {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)r->key},
	                                     {MHD_OPTION_END, 0, NULL}};
	const struct MHD_OptionItem *extra = r->cert != NULL ? tls : &tls[2];

	if (r->port == 0) {
		pthread_mutex_init(&r->lock, NULL);
		pthread_cond_init(&r->changed, NULL);
	}
	r->http = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | (r->cert != NULL ? MHD_USE_TLS : 0), 0, NULL, NULL,
	                           on_request, r, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
	                           MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_ARRAY, extra, MHD_OPTION_END);
	assert_non_null(r->http);
	r->port = MHD_get_daemon_info(r->http, MHD_DAEMON_INFO_BIND_PORT)->port;
	/* Who tells reads it while it starts again. */
	if (r->url[0] == '\0')
		(void)snprintf(r->url, sizeof(r->url), "%s://localhost:%u/hook", r->cert != NULL ? "https" : "http", r->port);
}

void receiver_stop(struct receiver *r)
{
	if (r->http != NULL)
		MHD_stop_daemon(r->http);
	r->http = NULL;
}

static void wait_for(struct receiver *r, const size_t *number, size_t wanted, const char *what)
{
	struct timespec end;
	int error = 0;

	(void)clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += WAIT_S;
	pthread_mutex_lock(&r->lock);
	while (*number < wanted && error == 0)
		error = pthread_cond_timedwait(&r->changed, &r->lock, &end);
	size_t got = *number;
	pthread_mutex_unlock(&r->lock);
	if (got < wanted)
		fail_msg("%zu %s, expected %zu", got, what, wanted);
}

void receiver_wait(struct receiver *r, uint64_t id)
{
	wait_for(r, &r->newest, id, "is the newest taken");
}

void receiver_wait_asked(struct receiver *r, size_t asked)
{
	wait_for(r, &r->asked, asked, "requests came");
}
