#include "tests/integration/listener.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "proto/base/text.h"

enum { UP_MS = 20000, MAILBOX = 4096 };
#define SECRET "0123456789abcdef0123456789abcdef"

void it_listener_start(struct it_listener *l, struct it_world *w, const char *config, const char *kinds)
{
	char *text = it_read(config);

	*l = (struct it_listener){.receiver.secret = SECRET};
	receiver_start(&l->receiver);
	it_write(it_path(w, "hook.secret"), "%s\n", SECRET);
	assert_int_equal(chmod(it_path(w, "hook.secret"), 0600), 0);
	it_write(config,
	         "%swebhooks:\n  - {name: test, url: \"%s\", secret_file: hook.secret, kinds: %s, rate_per_min: 6000}\n",
	         text, l->receiver.url, kinds);
	free(text);
	assert_int_equal(it_pki(w, "integrator", "tickets"), 0);
	l->subscriber =
	    it_client_open(w, "integrators/tickets",
	                   &(struct it_client_options){.filters = {"gymfleet/v1/events/#"}, .mailbox_max = MAILBOX});
	IT_UNTIL(UP_MS, it_client_up(l->subscriber));
}

void it_listener_stop(struct it_listener *l)
{
	it_client_close(l->subscriber);
	receiver_stop(&l->receiver);
}

static void take(struct it_listener *l, const char *topic, const json_t *event)
{
	struct it_told *told = &l->told[l->count];
	uint64_t id = (uint64_t)json_integer_value(json_object_get(event, "id")), newest = l->count > 0 ? told[-1].id : 0;
	const char *code = json_string_value(json_object_get(json_object_get(event, "data"), "code"));

	assert_true(id > 0);
	assert_string_not_equal(json_string_value(json_object_get(event, "kind")), "summary");
	if (id <= newest)
		return; /* again */
	/* The broker is told all kinds. */
	if (newest != 0 && id != newest + 1)
		fail_msg("event %llu came after %llu", (unsigned long long)id, (unsigned long long)newest);
	assert_true(l->count < IT_TOLD_MAX);
	told->id = id;
	gf_strcpy(told->kind, sizeof(told->kind), json_string_value(json_object_get(event, "kind")));
	gf_strcpy(told->code, sizeof(told->code), code != NULL ? code : "");
	gf_strcpy(told->topic, sizeof(told->topic), topic);
	gf_strcpy(told->text, sizeof(told->text), json_string_value(json_object_get(event, "text")));
	l->count++;
}

size_t it_listener_hears(struct it_listener *l)
{
	const struct it_message *m;

	it_client_turn(l->subscriber);
	while ((m = it_client_message(l->subscriber, l->heard)) != NULL) {
		json_t *event = json_loadb((const char *)m->payload, m->len, 0, NULL);

		assert_non_null(event);
		take(l, m->topic, event);
		json_decref(event);
		l->heard++;
	}
	return l->count;
}

const struct it_told *it_listener_last(const struct it_listener *l, const char *kind)
{
	for (size_t i = l->count; i-- > 0;)
		if (strcmp(l->told[i].kind, kind) == 0)
			return &l->told[i];
	return NULL;
}

size_t it_listener_hooked(struct it_listener *l, uint64_t id)
{
	uint64_t newest = 0;
	size_t count = 0;

	receiver_wait(&l->receiver, id);
	pthread_mutex_lock(&l->receiver.lock);
	for (size_t i = 0; i < l->receiver.taken_count; i++) {
		const struct taken *taken = &l->receiver.taken[i];

		assert_true(taken->sound);
		assert_string_not_equal(taken->kind, "summary");
		/* Again is only what was told last: one message at a time. */
		assert_true(taken->id >= newest);
		count += taken->id > newest;
		newest = taken->id;
	}
	pthread_mutex_unlock(&l->receiver.lock);
	return count;
}
