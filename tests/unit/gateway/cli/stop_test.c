/* `device stop` waits for the machine's own word, and says what became of it. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/gateway/cli/canned.h"
#include "tests/unit/gateway/cli/words.h"

struct story {
	const char *state, *detail; /* how it ends */
	atomic_int looks;           /* before it does */
};

static json_t *tell(void *ctx, const struct canned_request *request, int *ret_status)
{
	struct story *story = ctx;
	bool posted = strcmp(request->method, "POST") == 0;

	if (strcmp(request->path, posted ? "/v1/devices/chair-1/stop" : "/v1/commands/7") != 0) {
		*ret_status = 404;
		return json_pack("{s:{s:s, s:s}}", "error", "code", "not_found", "message", request->path);
	}
	*ret_status = posted ? 202 : 200;
	bool open = posted || atomic_fetch_sub(&story->looks, 1) > 0;
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:i}", "id", 7, "device", "chair-1", "command", "stop", "state",
	                 open ? "sent" : story->state, "detail", open ? "" : story->detail, "within_s", 10);
}

static void ends(const char *state, const char *detail, const char *words, int code, const char *out, const char *err)
{
	struct story story = {.state = state, .detail = detail, .looks = 2};
	struct canned server;

	canned_start(&server, tell, &story);
	expect(server.socket, words, code, out, err);
	canned_stop(&server);
	assert_int_equal(story.looks, -1);
}

static void the_machines_word_is_printed(void **state)
{
	(void)state;
	ends("done", "session 12 ended", "device|stop|chair-1", CLI_OK, "chair-1: session 12 ended\n", "");
	ends("done", "", "device|stop|chair-1", CLI_OK, "chair-1: stopped\n", "");
	ends("refused", "no session runs", "device|stop|chair-1", CLI_REFUSED, "", "chair-1 refused: no session runs");
	ends("refused", "\033[2J", "device|stop|chair-1", CLI_REFUSED, "", "chair-1 refused: ?[2J");
}

static void no_answer_is_no_success(void **state)
{
	(void)state;
	ends("expired", "", "device|stop|chair-1", CLI_REFUSED, "",
	     "chair-1 did not answer in time: nobody knows whether it stopped; go there and use its stop button");
	ends("expired", "", "device|stop|chair-1|-o|json", CLI_REFUSED, "\"expired\"", "");
	ends("done", "ended", "device|stop|chair-1|-o|csv", CLI_OK, "7,chair-1,stop,done,ended", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_machines_word_is_printed),
	    cmocka_unit_test(no_answer_is_no_success),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
