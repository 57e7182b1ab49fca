#include "gateway/webhooks_yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/tell/post.h"
#include "gateway/tell/roster.h"
#include "proto/base/clock.h"
#include "proto/base/file.h"
#include "proto/base/span.h"
#include "proto/base/text.h"
#include "proto/link_config.h"

enum { RATE_DEFAULT = 60, RATE_MAX = 6000, FILE_MAX = 4096, AT_MAX = 64 };

static const cyaml_schema_value_t kind_schema = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, GF_NAME_MAX - 1)};

#define OPTIONAL_TEXT(key, most) \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct webhook_yaml, key, 1, most)
static const cyaml_schema_field_t webhook_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct webhook_yaml, name, 1, GF_NAME_MAX - 1),
    CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER, struct webhook_yaml, url, 1, POST_URL_MAX),
    CYAML_FIELD_STRING_PTR("secret_file", CYAML_FLAG_POINTER, struct webhook_yaml, secret_file, 1, 4096),
    CYAML_FIELD_SEQUENCE("kinds", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct webhook_yaml, kinds, &kind_schema, 1,
                         STORE_EVENT_COUNT),
    CYAML_FIELD_BOOL("notify_only", CYAML_FLAG_OPTIONAL, struct webhook_yaml, notify_only),
    CYAML_FIELD_UINT("rate_per_min", CYAML_FLAG_OPTIONAL, struct webhook_yaml, rate_per_min),
    OPTIONAL_TEXT(give_up, 32),
    OPTIONAL_TEXT(ca_file, 4096),
    CYAML_FIELD_END,
};
const cyaml_schema_value_t webhook_yaml_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct webhook_yaml, webhook_fields),
};

/* What taking one webhook needs. */
struct taking {
	const struct gf_yaml *doc;
	const char *path;
	const struct webhook_yaml *all;
	unsigned i;
	struct gf_diag *diag;
};

static const char *place(const struct taking *t, const char *key, char at[static AT_MAX])
{
	(void)snprintf(at, AT_MAX, "webhooks[%u].%s", t->i, key);
	return at;
}

static int take_name(const struct taking *t, struct tell_webhook *w)
{
	const char *name = t->all[t->i].name;
	char at[AT_MAX];

	if (!gf_id_valid(name, strlen(name)))
		return gf_yaml_fail(t->doc, place(t, "name", at), t->diag,
		                    "'%s' is no name for a webhook: use a-z, 0-9 and '-', beginning with a letter or digit",
		                    name);
	if (strcmp(name, TELL_MQTT) == 0)
		return gf_yaml_fail(t->doc, place(t, "name", at), t->diag,
		                    "'%s' is the broker's own name among the receivers: choose another one", name);
	for (unsigned before = 0; before < t->i; before++)
		if (strcmp(t->all[before].name, name) == 0)
			return gf_yaml_fail(t->doc, place(t, "name", at), t->diag,
			                    "the webhook '%s' is there twice: each has its own place in the events", name);
	w->name = strdup(name);
	return w->name != NULL ? 0 : -ENOMEM;
}

static int take_url(const struct taking *t, struct tell_webhook *w)
{
	struct gf_diag found = {{0}};
	char at[AT_MAX];
	int r = post_check_url(t->all[t->i].url, &found);

	if (r == -EINVAL)
		return gf_yaml_fail(t->doc, place(t, "url", at), t->diag, "%.400s", found.text);
	w->url = r == 0 ? strdup(t->all[t->i].url) : NULL;
	return w->url != NULL ? 0 : -ENOMEM;
}

static int keep_secret(const struct taking *t, const char *file, const char *data, size_t len, struct tell_webhook *w)
{
	char at[AT_MAX];

	/* Editors end a file by a line's end, which is no part of the secret. */
	while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\r'))
		len--;
	if (len < TELL_SECRET_MIN || len > TELL_SECRET_MAX)
		return gf_yaml_fail(t->doc, place(t, "secret_file", at), t->diag,
		                    "the secret in %s has %zu characters; expected %d to %d: make one with 'openssl rand -hex "
		                    "32 > %s' and give it to the receiver too",
		                    file, len, TELL_SECRET_MIN, TELL_SECRET_MAX, file);
	memcpy(w->secret, data, len);
	w->secret_len = len;
	return 0;
}

static int take_secret(const struct taking *t, struct tell_webhook *w)
{
	struct gf_diag found = {{0}};
	char at[AT_MAX], *data = NULL, *file = gf_path_beside(t->path, t->all[t->i].secret_file);
	size_t len = 0;

	if (file == NULL)
		return -ENOMEM;
	int r = gf_file_check_private(file, &found);
	if (r == 0)
		r = gf_file_read(file, FILE_MAX, &data, &len, &found);
	if (r == 0)
		r = keep_secret(t, file, data, len, w);
	else if (r != -ENOMEM)
		(void)gf_yaml_fail(t->doc, place(t, "secret_file", at), t->diag, "%.400s", found.text);
	if (data != NULL)
		explicit_bzero(data, len);
	free(data);
	free(file);
	return r;
}

static int take_kinds(const struct taking *t, struct tell_webhook *w)
{
	const struct webhook_yaml *yaml = &t->all[t->i];
	const char *names[STORE_EVENT_COUNT];
	char at[AT_MAX];

	w->kinds = UINT32_C(1) << STORE_EVENT_FLAG | UINT32_C(1) << STORE_EVENT_FAULT | UINT32_C(1) << STORE_EVENT_INCIDENT;
	if (yaml->kinds_count > 0)
		w->kinds = 0;
	for (unsigned i = 0; i < STORE_EVENT_COUNT; i++)
		names[i] = store_event_kind_name((enum store_event_kind)i);
	for (unsigned i = 0; i < yaml->kinds_count; i++) {
		enum store_event_kind kind;
		if (store_event_kind_parse(yaml->kinds[i], &kind) == 0) {
			w->kinds |= UINT32_C(1) << kind;
			continue;
		}
		const char *near = gf_nearest(yaml->kinds[i], names, STORE_EVENT_COUNT);
		(void)snprintf(at, sizeof(at), "webhooks[%u].kinds[%u]", t->i, i);
		return gf_yaml_fail(t->doc, at, t->diag, "'%s' is no kind of event; %s%s%s", yaml->kinds[i],
		                    near != NULL ? "did you mean '"
		                                 : "expected flag, fault, incident, presence or another one ",
		                    near != NULL ? near : "of proto/PROTOCOL.md", near != NULL ? "'?" : "");
	}
	return 0;
}

static int take_limits(const struct taking *t, struct tell_webhook *w)
{
	const struct webhook_yaml *yaml = &t->all[t->i];
	char at[AT_MAX];
	int r = 0;

	w->notify_only = yaml->notify_only;
	w->rate_per_min = RATE_DEFAULT;
	w->give_up_ms = GF_DAY_MS;
	if (gf_yaml_has(t->doc, place(t, "rate_per_min", at))) {
		r = gf_yaml_range(t->doc, at, yaml->rate_per_min, 1, RATE_MAX, t->diag);
		w->rate_per_min = yaml->rate_per_min;
	}
	if (r == 0 && yaml->give_up != NULL &&
	    (gf_duration_parse(yaml->give_up, &w->give_up_ms) != 0 || w->give_up_ms < GF_MINUTE_MS ||
	     w->give_up_ms > 30 * GF_DAY_MS))
		return gf_yaml_fail(t->doc, place(t, "give_up", at), t->diag,
		                    "%s is '%s'; expected a duration of 1m to 30d, such as 24h", at, yaml->give_up);
	return r;
}

static int take_ca(const struct taking *t, struct tell_webhook *w)
{
	const char *ca = t->all[t->i].ca_file;
	char at[AT_MAX];

	if (ca == NULL)
		return 0;
	w->ca_file = gf_path_beside(t->path, ca);
	if (w->ca_file == NULL)
		return -ENOMEM;
	if (access(w->ca_file, R_OK) == 0)
		return 0;
	return gf_yaml_fail(
	    t->doc, place(t, "ca_file", at), t->diag,
	    "%s can't be read (%s); name the certificate of the CA that the receiver's certificate is from, "
	    "or leave ca_file out for the system's CAs",
	    w->ca_file, strerror(errno));
}

int webhooks_take(const struct gf_yaml *doc, const char *path, const struct webhook_yaml *yaml, unsigned count,
                  struct tell_webhook **ret_webhooks, struct gf_diag *diag)
{
	struct tell_webhook *webhooks = calloc(count + 1, sizeof(*webhooks));
	int r = webhooks != NULL ? 0 : -ENOMEM;

	for (unsigned i = 0; i < count && r == 0; i++) {
		const struct taking t = {.doc = doc, .path = path, .all = yaml, .i = i, .diag = diag};
		r = take_name(&t, &webhooks[i]);
		if (r == 0)
			r = take_url(&t, &webhooks[i]);
		if (r == 0)
			r = take_secret(&t, &webhooks[i]);
		if (r == 0)
			r = take_kinds(&t, &webhooks[i]);
		if (r == 0)
			r = take_limits(&t, &webhooks[i]);
		if (r == 0)
			r = take_ca(&t, &webhooks[i]);
	}
	if (r != 0) {
		roster_free(webhooks, count);
		return r;
	}
	*ret_webhooks = webhooks;
	return 0;
}
