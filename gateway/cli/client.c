#include "gateway/cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/base/text.h"

enum { HTTP_URI_TOO_LONG = 414, HTTP_HEAD_TOO_LARGE = 431 }; /* what the HTTP library says by itself */

struct buffer {
	char *data;
	size_t len;
};

static size_t take(char *data, size_t size, size_t count, void *ctx)
{
	struct buffer *b = ctx;
	size_t len = size * count;

	if (len > CLIENT_ANSWER_MAX - b->len)
		return 0;
	char *grown = realloc(b->data, b->len + len + 1);
	if (grown == NULL)
		return 0;
	memcpy(grown + b->len, data, len);
	b->data = grown;
	b->len += len;
	return len;
}

static int explain(const char *path, int error, struct gf_diag *diag)
{
	switch (error) {
	case ENOENT:
		gf_diag_set(diag,
		            "there is no socket at %s: the gateway isn't running, or it listens elsewhere; start it (systemctl "
		            "start gymfleet-gateway), or name its socket by --socket or GYMFLEET_SOCKET",
		            path);
		break;
	case EACCES:
	case EPERM:
		gf_diag_set(diag,
		            "no permission for the socket %s: it is for root, the gateway's user and the group in gateway.yaml "
		            "(api.group); join that group and log in again",
		            path);
		break;
	case ECONNREFUSED:
		gf_diag_set(diag,
		            "nobody listens on the socket %s: the gateway has ended without removing it; start it again "
		            "(journalctl -u gymfleet-gateway tells why it ended)",
		            path);
		break;
	case EAGAIN:
		gf_diag_set(
		    diag,
		    "too many programs wait for the gateway on %s; idle ones are dropped after some seconds: try again, "
		    "and when it stays, look for who holds them (ss -xp)",
		    path);
		break;
	case ENAMETOOLONG:
		gf_diag_set(diag, "the socket's path %s is longer than a Unix socket's path may be; choose a shorter one",
		            path);
		break;
	default:
		gf_diag_set(diag, "can't connect to the gateway's socket %s: %s", path, strerror(error));
		break;
	}
	return CLIENT_E_UNREACHABLE;
}

int client_probe(const char *socket_path, struct gf_diag *diag)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int error = 0;

	if (!gf_strcpy(address.sun_path, sizeof(address.sun_path), socket_path))
		return explain(socket_path, ENAMETOOLONG, diag);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return explain(socket_path, errno, diag);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		error = errno;
	(void)close(fd);
	return error == 0 ? 0 : explain(socket_path, error, diag);
}

static char *make_url(const char *path, const struct client_param *params)
{
	CURLU *url = curl_url();
	char *text = NULL, *out = NULL, *pair;

	if (url == NULL || curl_url_set(url, CURLUPART_URL, "http://gateway", 0) != CURLUE_OK ||
	    curl_url_set(url, CURLUPART_PATH, path, 0) != CURLUE_OK)
		goto end;
	for (const struct client_param *p = params; p != NULL && p->name != NULL; p++) {
		if (p->value == NULL)
			continue;
		if (asprintf(&pair, "%s=%s", p->name, p->value) < 0)
			goto end;
		CURLUcode rc = curl_url_set(url, CURLUPART_QUERY, pair, CURLU_APPENDQUERY | CURLU_URLENCODE);
		free(pair);
		if (rc != CURLUE_OK)
			goto end;
	}
	if (curl_url_get(url, CURLUPART_URL, &out, 0) == CURLUE_OK) {
		text = strdup(out);
		curl_free(out);
	}
end:
	curl_url_cleanup(url);
	return text;
}

static int judge(CURLcode rc, const char *socket_path, int timeout_s, struct gf_diag *diag)
{
	switch (rc) {
	case CURLE_OK:
		return 0;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST: /* how a path that is too long comes back */
		if (client_probe(socket_path, diag) != 0)
			return CLIENT_E_UNREACHABLE;
		gf_diag_set(diag, "the gateway didn't take the connection on %s; try again", socket_path);
		return CLIENT_E_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		gf_diag_set(diag, "the gateway on %s gave no answer within %d s; is its disk or its machine overloaded?",
		            socket_path, timeout_s);
		return CLIENT_E_UNREACHABLE;
	case CURLE_WRITE_ERROR:
		gf_diag_set(diag, "the answer is larger than %d MiB; ask for less by --since, --where or --limit",
		            CLIENT_ANSWER_MAX / 1024 / 1024);
		return -EPROTO;
	case CURLE_OUT_OF_MEMORY:
		gf_diag_set(diag, "out of memory");
		return -ENOMEM;
	default:
		gf_diag_set(diag, "the connection to the gateway on %s broke: %s", socket_path, curl_easy_strerror(rc));
		return CLIENT_E_UNREACHABLE;
	}
}

static int parse(const struct buffer *buffer, long status, struct client_answer *ret_answer, struct gf_diag *diag)
{
	json_error_t error;
	json_t *body = json_loadb(buffer->data != NULL ? buffer->data : "", buffer->len, JSON_REJECT_DUPLICATES, &error);

	if (!json_is_object(body)) {
		json_decref(body);
		if (status == HTTP_URI_TOO_LONG || status == HTTP_HEAD_TOO_LARGE) {
			gf_diag_set(diag,
			            "what is asked for is too long; shorten --where, or choose by less and filter the answer");
			return CLIENT_E_TOO_LONG;
		}
		gf_diag_set(diag, "what answered is not a gymfleet gateway: HTTP %ld without a JSON object", status);
		return -EPROTO;
	}
	*ret_answer = (struct client_answer){.status = status, .body = body};
	return 0;
}

/* Bytes are borrowed, JSON is written into *ret_text, which is the caller's to free. */
static CURLcode set_body(CURL *curl, const struct client_body *body, char **ret_text)
{
	if (body->bytes != NULL) {
		CURLcode rc = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
		return rc == CURLE_OK ? curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->bytes) : rc;
	}
	if (body->json == NULL)
		return CURLE_OK;
	*ret_text = json_dumps(body->json, JSON_COMPACT);
	return *ret_text != NULL ? curl_easy_setopt(curl, CURLOPT_POSTFIELDS, *ret_text) : CURLE_OUT_OF_MEMORY;
}

int client_request(const char *socket, const char *method, const char *path, const struct client_param *params,
                   const struct client_body *body, int timeout_s, struct client_answer *ret_answer,
                   struct gf_diag *diag)
{
	struct buffer buffer = {0};
	struct curl_slist *headers = NULL;
	char *url = make_url(path, params), *sent = NULL;
	CURL *curl = curl_easy_init();
	long status = 0, limit = timeout_s > 0 ? timeout_s : CLIENT_TIMEOUT_S;
	int r = -ENOMEM;

	if (url == NULL || curl == NULL) {
		gf_diag_set(diag, "out of memory");
		goto end;
	}
	headers = curl_slist_append(NULL, body->bytes != NULL ? "Content-Type: application/octet-stream"
	                                                      : "Content-Type: application/json");
	/* Bytes go at once: the answer that curl would wait for first takes as long as the whole of them. */
	if (headers != NULL && body->bytes != NULL)
		(void)curl_slist_append(headers, "Expect:");
	if (set_body(curl, body, &sent) != CURLE_OK || curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket) != CURLE_OK) {
		gf_diag_set(diag, "out of memory");
		goto end;
	}
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CLIENT_CONNECT_S);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, limit);
	(void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &buffer);
	r = judge(curl_easy_perform(curl), socket, (int)limit, diag);
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (r == 0)
		r = parse(&buffer, status, ret_answer, diag);
end:
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	free(buffer.data);
	free(sent);
	free(url);
	return r;
}
