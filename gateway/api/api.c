/*
 * The happy path of a request: libmicrohttpd calls on_request once with the head (peer, path and parameters are checked, an
 * exchange is made), once for each piece of a body, and once at the end, when a reader is borrowed, the handler runs and
 * its answer is queued.
 *
 * A long poll: the handler asks to wait, the connection is suspended and put on the list of waiters. The waker thread resumes it
 * when the store has a newer event, when its time is over, or when the API ends; on_request is then called again. The
 * waker looks at the store's last event id only while somebody waits. It also ends connections that are too slow (peers.h).
 *
 * Order of locks: api->lock, then that of the peers; nothing is called under it but libmicrohttpd's suspend and resume.
 */
#include "gateway/api/api.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gateway/api/actor.h"
#include "gateway/api/peers.h"
#include "gateway/api/readers.h"
#include "gateway/api/resources.h"
#include "gateway/api/route.h"
#include "gateway/api/socket.h"

enum { WAKER_TICK_MS = 100, SWEEP_TICK_MS = 500, DRAIN_MS = 2000 };
_Static_assert(2 * PEERS_OF_USER_MAX <= API_CONNECTIONS_MAX, "one user leaves as many to the others");

struct exchange {
	struct request request;
	const struct route *route;
	struct MHD_Connection *connection;
	struct peer *peer;
	char allow[64];
	bool unread; /* its body is too large to be read at all */
};

struct api {
	struct api_ops ops;
	const struct store *store;
	const struct gf_clock *clock;
	char *socket;
	gid_t group;
	const struct gf_keyset *catalog_keys;
	const struct sites *sites;
	int listen_fd;
	struct MHD_Daemon *http;
	struct peers peers;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* a waiter came, a request ended, or the end */
	pthread_t waker;
	bool waker_runs, stopping;
	struct exchange *waiters[API_CONNECTIONS_MAX];
	size_t waiters_count;
	size_t exchanges; /* begun and not ended */
	struct readers readers;
};

const struct api_ops *api_ops_of(const struct api *api)
{
	return &api->ops;
}

const char *api_database(const struct api *api)
{
	return api->readers.database;
}

const struct store *api_store(const struct api *api)
{
	return api->store;
}

const struct gf_keyset *api_catalog_keys(const struct api *api)
{
	return api->catalog_keys;
}

const struct sites *api_sites(const struct api *api)
{
	return api->sites;
}

static int64_t mono_ms(const struct api *api)
{
	return gf_clock_now(api->clock).mono_ms;
}

/* ---- long polls ---- */

void request_wait(struct request *r, uint64_t after, unsigned wait_s)
{
	if (r->wait_until_ms == 0)
		r->wait_until_ms = gf_clock_now(r->api->clock).mono_ms + (int64_t)wait_s * 1000;
	r->wait_after = after;
	r->wait = true;
}

/* Suspends the exchange; false when it must be answered now. */
static bool suspend(struct api *api, struct exchange *x)
{
	(void)pthread_mutex_lock(&api->lock);
	bool room = !api->stopping && api->waiters_count < API_CONNECTIONS_MAX;
	if (room) {
		MHD_suspend_connection(x->connection);
		api->waiters[api->waiters_count++] = x;
		(void)pthread_cond_signal(&api->changed);
	}
	(void)pthread_mutex_unlock(&api->lock);
	return room;
}

/* Called under the lock. */
static void resume_due(struct api *api)
{
	int64_t now_ms = mono_ms(api);
	uint64_t newest = store_last_event(api->store);

	for (size_t i = api->waiters_count; i-- > 0;) {
		struct exchange *x = api->waiters[i];
		bool over = api->stopping || now_ms >= x->request.wait_until_ms;
		if (!over && newest <= x->request.wait_after)
			continue;
		x->request.last_call = over;
		api->waiters[i] = api->waiters[--api->waiters_count];
		MHD_resume_connection(x->connection);
	}
}

/* Called under the lock. False when the time is over. */
static bool wait_changed(struct api *api, long ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	return pthread_cond_timedwait(&api->changed, &api->lock, &until) == 0;
}

static void *waker_main(void *ctx)
{
	struct api *api = ctx;

	(void)pthread_mutex_lock(&api->lock);
	while (!api->stopping) {
		bool limits = peers_sweep(&api->peers, mono_ms(api));
		if (api->waiters_count > 0)
			(void)wait_changed(api, WAKER_TICK_MS);
		else if (limits)
			(void)wait_changed(api, SWEEP_TICK_MS);
		else
			(void)pthread_cond_wait(&api->changed, &api->lock);
		if (api->waiters_count > 0)
			resume_due(api);
	}
	resume_due(api);
	(void)pthread_mutex_unlock(&api->lock);
	return NULL;
}

static void signal_change(struct api *api)
{
	(void)pthread_mutex_lock(&api->lock);
	(void)pthread_cond_signal(&api->changed);
	(void)pthread_mutex_unlock(&api->lock);
}

/* ---- HTTP ---- */

static enum MHD_Result reply(const struct exchange *x)
{
	const struct request *r = &x->request;
	char *text = json_dumps(r->answer, JSON_COMPACT | JSON_REAL_PRECISION(12));

	if (text == NULL)
		return MHD_NO; /* no memory: the connection is closed */
	struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (response == NULL) {
		free(text);
		return MHD_NO;
	}
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (r->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, x->allow);
	enum MHD_Result queued = MHD_queue_response(x->connection, r->status, response);
	MHD_destroy_response(response);
	return queued;
}

static void run_handler(struct api *api, struct exchange *x)
{
	struct request *r = &x->request;
	struct gf_diag diag = {{0}};
	int result = readers_borrow(&api->readers, &r->reader, &diag);

	if (result != 0) {
		request_fail_store(r, result, &diag);
		return;
	}
	r->now_ms = gf_clock_now(api->clock).wall_ms;
	r->wait = false;
	if (request_day(r))
		x->route->handle(r);
	readers_return(&api->readers, r->reader, r->status >= 500);
	r->reader = NULL;
}

static enum MHD_Result finish(struct api *api, struct exchange *x)
{
	struct request *r = &x->request;

	peers_allow(&api->peers, x->peer, 0, 0);
	if (r->status == 0) {
		run_handler(api, x);
		if (r->status == 0 && r->wait) {
			if (suspend(api, x))
				return MHD_YES;
			r->last_call = true;
			run_handler(api, x);
		}
	}
	if (r->status == 0)
		request_fail(r, 500, "no_answer", "the gateway has no answer to this");
	peers_allow(&api->peers, x->peer, mono_ms(api), PEERS_ANSWER_S);
	signal_change(api); /* while the gateway worked there may have been no limit to wait for */
	return reply(x);
}

static enum MHD_Result take_param(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                  const char *value, size_t len)
{
	struct exchange *x = ctx;

	(void)kind;
	if (strlen(name) != name_len || (value != NULL && strlen(value) != len))
		request_fail(&x->request, 400, "bad_parameter", "a parameter with a NUL byte");
	else
		route_param(&x->request, x->route, name, value != NULL ? value : "", len);
	return x->request.status == 0 ? MHD_YES : MHD_NO;
}

/* -1 when there is none. */
static int peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	return info != NULL ? info->connect_fd : -1;
}

static size_t body_max(const struct exchange *x)
{
	return x->route != NULL && x->route->body_max > 0 ? x->route->body_max : API_BODY_MAX;
}

/* All that can be judged from the head. */
static void begin(struct api *api, struct exchange *x, const char *path, const char *method)
{
	struct request *r = &x->request;
	const char *length = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	int peer = peer_of(x->connection);
	if (peer < 0 || !socket_peer_allowed(peer, api->group))
		request_fail(
		    r, 403, "forbidden",
		    "the API is for root, the gateway's user and the group in gateway.yaml (api.group); join that group "
		    "and log in again");
	else if ((x->route = route_find(r, method, path, x->allow)) != NULL)
		(void)MHD_get_connection_values_n(x->connection, MHD_GET_ARGUMENT_KIND, take_param, x);
	if (r->status == 0 && strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		actor_of_socket(peer, &r->actor);
	x->unread = length != NULL && strtoull(length, NULL, 10) > body_max(x);
	if (x->unread)
		request_fail(r, 413, "too_large", "the body may have at most %zu bytes", body_max(x));
}

/* A piece of the body. Without a Content-Length the end isn't known, so too much ends the connection. */
static enum MHD_Result take_body(struct exchange *x, const char *data, size_t len)
{
	struct request *r = &x->request;

	if (len > body_max(x) - r->body_len)
		return MHD_NO;
	char *body = realloc(r->body, r->body_len + len + 1);
	if (body == NULL)
		return MHD_NO;
	memcpy(body + r->body_len, data, len);
	r->body = body;
	r->body_len += len;
	r->body[r->body_len] = '\0';
	return MHD_YES;
}

/* ---- connections ---- */

static struct peer *peer_record(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info != NULL ? info->socket_context : NULL;
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode what)
{
	struct api *api = ctx;
	struct ucred user = {.uid = (uid_t)-1};
	socklen_t len = sizeof(user);
	int fd = peer_of(connection);

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		peers_remove(&api->peers, *slot);
		*slot = NULL;
		return;
	}
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &len);
	*slot = peers_add(&api->peers, fd, user.uid, mono_ms(api));
	signal_change(api);
}

/* ---- requests ---- */

static void count_exchange(struct api *api, int change)
{
	(void)pthread_mutex_lock(&api->lock);
	api->exchanges += (size_t)change;
	(void)pthread_cond_signal(&api->changed);
	(void)pthread_mutex_unlock(&api->lock);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *upload, size_t *upload_len, void **slot)
{
	struct api *api = ctx;
	struct exchange *x = *slot;

	(void)version;
	/* What was told that it is one too many is asked for nothing, though it may have asked before it heard. */
	if (peer_record(connection) == NULL)
		return MHD_NO;
	if (x == NULL) {
		x = calloc(1, sizeof(*x));
		if (x == NULL)
			return MHD_NO;
		x->request.api = api;
		x->connection = connection;
		x->peer = peer_record(connection);
		peers_allow(&api->peers, x->peer, mono_ms(api), PEERS_BODY_S);
		*slot = x;
		count_exchange(api, 1);
		begin(api, x, path, method);
		/* Too large a body isn't even read. */
		return x->unread ? reply(x) : MHD_YES;
	}
	if (*upload_len > 0) {
		enum MHD_Result taken = take_body(x, upload, *upload_len);
		*upload_len = 0;
		return taken;
	}
	return finish(api, x);
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode reason)
{
	struct api *api = ctx;
	struct exchange *x = *slot;

	(void)connection;
	(void)reason;
	if (x == NULL)
		return;
	peers_allow(&api->peers, x->peer, mono_ms(api), PEERS_HEAD_S);
	for (size_t i = 0; i < x->request.params_count; i++) {
		free(x->request.params[i].name);
		free(x->request.params[i].value);
	}
	json_decref(x->request.answer);
	free(x->request.body);
	free(x);
	*slot = NULL;
	count_exchange(api, -1);
}

/* ---- life ---- */

static int start_waker(struct api *api)
{
	pthread_condattr_t attributes;
	int error = pthread_condattr_init(&attributes);

	if (error != 0)
		return -error;
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	error = pthread_cond_init(&api->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	if (error == 0)
		error = pthread_create(&api->waker, NULL, waker_main, api);
	api->waker_runs = error == 0;
	return -error;
}

/* Not by epoll: when it ends, the one who stops it and a worker may both take the listening socket out, and the second aborts the program. */
static int start_http(struct api *api, struct gf_diag *diag)
{
	api->http = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
	                             api, MHD_OPTION_LISTEN_SOCKET, api->listen_fd, MHD_OPTION_THREAD_POOL_SIZE,
	                             (unsigned)API_THREADS, MHD_OPTION_CONNECTION_LIMIT, (unsigned)API_CONNECTIONS_MAX,
	                             MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)API_IDLE_S, MHD_OPTION_NOTIFY_COMPLETED,
	                             on_completed, api, MHD_OPTION_NOTIFY_CONNECTION, on_connection, api, MHD_OPTION_END);
	if (api->http != NULL)
		return 0;
	gf_diag_set(diag, "can't start the API on %s: no threads or file descriptors left", api->socket);
	return -EAGAIN;
}

int api_new(const struct api_config *config, const struct api_ops *ops, struct api **ret_api, struct gf_diag *diag)
{
	struct api *api = calloc(1, sizeof(*api));
	int r;

	if (api == NULL)
		return -ENOMEM;
	*api = (struct api){.ops = *ops,
	                    .store = config->store,
	                    .clock = config->clock,
	                    .catalog_keys = config->catalog_keys,
	                    .sites = config->sites,
	                    .socket = strdup(config->socket),
	                    .listen_fd = -1};
	(void)pthread_mutex_init(&api->lock, NULL);
	peers_init(&api->peers);
	r = readers_init(&api->readers, config->database);
	if (r == 0 && api->socket == NULL)
		r = -ENOMEM;
	if (r == 0)
		r = socket_group(config->group, &api->group, diag);
	if (r == 0)
		r = socket_listen(api->socket, api->group, &api->listen_fd, diag);
	if (r == 0)
		r = start_waker(api);
	if (r == 0)
		r = start_http(api, diag);
	if (r != 0) {
		if (diag != NULL && diag->text[0] == '\0')
			gf_diag_set(diag, "can't start the API: %s", strerror(-r));
		api_free(api);
		return r;
	}
	*ret_api = api;
	return 0;
}

void api_free(struct api *api)
{
	if (api == NULL)
		return;
	if (api->http != NULL)
		(void)MHD_quiesce_daemon(api->http); /* the listening descriptor is ours again */
	if (api->waker_runs) {
		(void)pthread_mutex_lock(&api->lock);
		api->stopping = true;
		(void)pthread_cond_signal(&api->changed);
		(void)pthread_mutex_unlock(&api->lock);
		(void)pthread_join(api->waker, NULL);
	}
	if (api->http != NULL) {
		/* Stopping closes connections in the middle of their answer. */
		(void)pthread_mutex_lock(&api->lock);
		while (api->exchanges > 0 && wait_changed(api, DRAIN_MS))
			;
		(void)pthread_mutex_unlock(&api->lock);
		MHD_stop_daemon(api->http);
	}
	if (api->waker_runs)
		(void)pthread_cond_destroy(&api->changed);
	if (api->listen_fd >= 0)
		(void)close(api->listen_fd);
	if (api->listen_fd >= 0 && api->socket != NULL)
		(void)unlink(api->socket);
	readers_deinit(&api->readers);
	peers_deinit(&api->peers);
	(void)pthread_mutex_destroy(&api->lock);
	free(api->socket);
	free(api);
}
