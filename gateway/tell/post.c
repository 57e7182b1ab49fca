#include "gateway/tell/post.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/text.h"

struct slot {
	CURL *easy; /* made at the first post, then used again */
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	size_t taken;
	bool answered; /* all of the answer's head is here */
	bool busy;
};

struct post {
	CURLM *multi;
	struct slot slots[POST_SLOTS_MAX];
};

/* ---- addresses ---- */

static bool is_loopback(const char *host)
{
	struct in_addr four;

	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &four) == 1 && (ntohl(four.s_addr) >> 24) == 127;
}

static int judge_url(const char *scheme, const char *host, bool names_user, struct gf_diag *diag)
{
	if (names_user)
		gf_diag_set(diag, "leave user and password out of the URL: the signature says who we are");
	else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
		gf_diag_set(diag, "'%.40s' is no scheme for webhooks; expected https", scheme);
	else if (strcmp(scheme, "http") == 0 && !is_loopback(host))
		gf_diag_set(diag, "http is for this machine alone, '%.100s' is another one: use https", host);
	else
		return 0;
	return -EINVAL;
}

int post_check_url(const char *url, struct gf_diag *diag)
{
	CURLU *parts = curl_url();
	char *scheme = NULL, *host = NULL, *user = NULL;
	int r = -EINVAL;

	if (parts == NULL)
		return -ENOMEM;
	if (strlen(url) >= POST_URL_MAX)
		gf_diag_set(diag, "the URL is longer than %d characters", POST_URL_MAX - 1);
	else if (curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	         curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	         curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		gf_diag_set(diag, "'%.100s' is no URL; expected one such as https://example.org/gymfleet", url);
	else
		r = judge_url(scheme, host, curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK, diag);
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_url_cleanup(parts);
	return r;
}

/* ---- posts ---- */

int post_new(struct post **ret_post)
{
	struct post *post = calloc(1, sizeof(*post));

	if (post == NULL)
		return -ENOMEM;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		post->multi = curl_multi_init();
	if (post->multi == NULL) {
		free(post);
		return -ENOMEM;
	}
	*ret_post = post;
	return 0;
}

static void end_slot(struct post *post, struct slot *slot)
{
	if (slot->busy)
		(void)curl_multi_remove_handle(post->multi, slot->easy);
	slot->busy = false;
	curl_slist_free_all(slot->headers);
	slot->headers = NULL;
}

void post_free(struct post *post)
{
	if (post == NULL)
		return;
	for (size_t i = 0; i < POST_SLOTS_MAX; i++) {
		end_slot(post, &post->slots[i]);
		curl_easy_cleanup(post->slots[i].easy);
	}
	(void)curl_multi_cleanup(post->multi);
	free(post);
}

static size_t drop(char *data, size_t size, size_t count, void *ctx)
{
	struct slot *slot = ctx;

	(void)data;
	slot->taken += size * count;
	return slot->taken <= POST_ANSWER_MAX ? size * count : 0;
}

/* Each line of the head, of "102 Processing" and the like too; the last one is empty. */
static size_t head(char *data, size_t size, size_t count, void *ctx)
{
	struct slot *slot = ctx;
	long status = 0;

	if (size * count > 0 && (data[0] == '\r' || data[0] == '\n') &&
	    curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK)
		slot->answered = status >= 200;
	return size * count;
}

static bool add_header(struct slot *slot, const char *text)
{
	struct curl_slist *longer = curl_slist_append(slot->headers, text);

	if (longer != NULL)
		slot->headers = longer;
	return longer != NULL;
}

static bool add_headers(struct slot *slot, const struct post_request *request)
{
	char event[64], signature[256];

	(void)snprintf(event, sizeof(event), "Gymfleet-Event: %" PRIu64, request->event);
	(void)snprintf(signature, sizeof(signature), "Gymfleet-Signature: %s", request->signature);
	/* curl would wait for a "100 Continue" that many servers don't send. */
	return add_header(slot, "Content-Type: application/json") && add_header(slot, "Expect:") &&
	       add_header(slot, event) && add_header(slot, signature);
}

static bool set_options(struct slot *slot, const struct post_request *request)
{
	CURL *easy = slot->easy;
	const char *scheme = strncmp(request->url, "http:", 5) == 0 ? "http" : "https";

	curl_easy_reset(easy);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a name that is being looked up holds up no stop */
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)POST_CONNECT_S);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)POST_TIMEOUT_S);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, head);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, slot);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->error);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, slot->headers);
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->len);
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
	return curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, scheme) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, "gymfleet/" GF_VERSION) == CURLE_OK &&
	       (request->ca_file == NULL || curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file) == CURLE_OK);
}

int post_start(struct post *post, size_t number, const struct post_request *request)
{
	struct slot *slot = &post->slots[number];

	if (slot->easy == NULL)
		slot->easy = curl_easy_init();
	slot->taken = 0;
	slot->answered = false;
	slot->error[0] = '\0';
	if (slot->easy == NULL || !add_headers(slot, request) || !set_options(slot, request) ||
	    curl_multi_add_handle(post->multi, slot->easy) != CURLM_OK) {
		end_slot(post, slot);
		return -ENOMEM;
	}
	slot->busy = true;
	return 0;
}

/* ---- answers ---- */

static void explain(const struct slot *slot, CURLcode rc, struct post_answer *a)
{
	const char *detail = slot->error[0] != '\0' ? slot->error : curl_easy_strerror(rc);
	struct gf_diag diag = {{0}};

	switch (rc) {
	case CURLE_PEER_FAILED_VERIFICATION:
		gf_diag_set(&diag, "its certificate is not trusted: %s; is its CA the one in ca_file, and its name in the URL?",
		            detail);
		break;
	case CURLE_SSL_CACERT_BADFILE:
		gf_diag_set(&diag, "ca_file can't be read: %s", detail);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
		gf_diag_set(&diag,
		            "its host name cannot be resolved: %s; is the URL right, and does this machine know a DNS server?",
		            detail);
		break;
	case CURLE_OUT_OF_MEMORY:
		gf_diag_set(&diag, "out of memory, or its answer has a line that is too long");
		break;
	case CURLE_OPERATION_TIMEDOUT:
		gf_diag_set(&diag, "no answer in time (%d s, %d s to connect): %s", POST_TIMEOUT_S, POST_CONNECT_S, detail);
		break;
	default:
		gf_diag_set(&diag, "%s", detail);
		break;
	}
	(void)gf_strcpy_utf8(a->reason, sizeof(a->reason), diag.text);
}

static void judge(struct slot *slot, CURLcode rc, struct post_answer *a)
{
	curl_off_t retry_s = 0;

	(void)curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &a->status);
	if (curl_easy_getinfo(slot->easy, CURLINFO_RETRY_AFTER, &retry_s) == CURLE_OK && retry_s > 0)
		a->retry_ms = retry_s < (curl_off_t)24 * 3600 ? (int64_t)retry_s * 1000 : INT64_C(24) * 3600 * 1000;
	/* The head is the answer, whatever becomes of the rest, which nobody reads: too long, cut off, never sent. */
	if (rc != CURLE_OK && !slot->answered) {
		a->status = 0;
		explain(slot, rc, a);
	} else if (a->status >= 300 && a->status < 400) {
		(void)snprintf(a->reason, sizeof(a->reason),
		               "it answered with a redirect (HTTP %ld), which is not followed: write the last address",
		               a->status);
	} else if (a->status < 200 || a->status >= 300) {
		(void)snprintf(a->reason, sizeof(a->reason), "it answered HTTP %ld", a->status);
	}
}

bool post_next(struct post *post, struct post_answer *ret_answer)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(post->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		for (size_t i = 0; i < POST_SLOTS_MAX; i++) {
			struct slot *slot = &post->slots[i];
			if (!slot->busy || slot->easy != message->easy_handle)
				continue;
			struct post_answer answer = {.slot = i};
			judge(slot, message->data.result, &answer);
			end_slot(post, slot);
			*ret_answer = answer;
			return true;
		}
	}
	return false;
}

void post_wait(struct post *post, int timeout_ms)
{
	int running = 0, busy = 0;

	for (size_t i = 0; i < POST_SLOTS_MAX; i++)
		busy += post->slots[i].busy;
	(void)curl_multi_perform(post->multi, &running);
	/* One that ended just now has nothing more to wake us with. */
	if (running < busy)
		return;
	(void)curl_multi_poll(post->multi, NULL, 0, timeout_ms > 0 ? timeout_ms : 0, NULL);
	(void)curl_multi_perform(post->multi, &running);
}

void post_wake(struct post *post)
{
	(void)curl_multi_wakeup(post->multi);
}
