/* `rollout watch`: as lines, as JSON, and redrawn on a terminal. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "tests/unit/gateway/cli/rollout_rig.h"

/* Not on a terminal: a line for each wave that changed, no escape sequences. */
static void watching_prints_changes_and_ends_with_the_rollout(void **state)
{
	struct gateway *g = gateway();

	(void)state;
	g->stages_count = 2;
	g->stages[1] = g->stages[0];
	g->stages[1].rollout.state = ROLLOUT_HALTED;
	gf_strcpy(g->stages[1].rollout.reason, sizeof(g->stages[1].rollout.reason),
	          "1 of 3 machines failed, more than 2 %");
	struct result r = ask(g, "rollout|watch|12");
	says(&r, CLI_REFUSED,
	     TEXTS("percussion@8  rollout 12  running: wave 2 of 3",
	           "wave 1  ████████████████████████ 100 %  1 of 1  1 confirmed · 0 failed",
	           " 50 %  1 of 3  1 on trial · 1 in use · 1 failed", "about 6 machines, not begun",
	           "halted since 2040-01-01 12:00", "1 of 3 machines failed, more than 2 %",
	           "decide: go on (gymfleet rollout resume 12)"));
	assert_null(strchr(r.out, '\033'));
	const char *wave = strstr(r.out, "wave 1");
	assert_null(strstr(wave + 1, "wave 1")); /* it didn't change */
	forget(&r);
	g->stages[1].rollout.state = ROLLOUT_COMPLETED;
	atomic_store(&g->looks, 0);
	r = ask(g, "rollout|watch|12|-o|json");
	says(&r, CLI_OK, TEXTS("\"state\":\"running\"", "\"state\":\"completed\""));
	assert_int_equal(r.out[strlen(r.out) - 1], '\n');
	forget(&r);
	drop(g);
}

static void watching_outlives_a_restart_of_the_gateway(void **state)
{
	struct gateway *g = gateway();

	(void)state;
	g->stages_count = 2;
	g->stages[1] = g->stages[0];
	g->stages[1].rollout.state = ROLLOUT_COMPLETED;
	g->silent = 2;
	struct result r = ask(g, "rollout|watch|12");
	says(&r, CLI_OK, TEXTS("running: wave 2 of 3", "completed since"));
	assert_string_equal(r.err, "gymfleet: the gateway doesn't answer; waiting for it\n");
	forget(&r);
	drop(g);
	expect("/nonexistent", "rollout|watch|12", CLI_UNREACHABLE, "", "there is no socket at /nonexistent");
}

/* A terminal of so many columns; what is written to it comes out of the other end. */
struct terminal {
	int master, slave;
};

static struct terminal terminal(unsigned short columns)
{
	struct winsize size = {.ws_row = 24, .ws_col = columns};
	struct terminal t = {.master = posix_openpt(O_RDWR | O_NOCTTY)};

	assert_true(t.master >= 0);
	assert_int_equal(grantpt(t.master), 0);
	assert_int_equal(unlockpt(t.master), 0);
	t.slave = open(ptsname(t.master), O_RDWR | O_NOCTTY);
	assert_true(t.slave >= 0);
	assert_int_equal(ioctl(t.slave, TIOCSWINSZ, &size), 0);
	return t;
}

static void on_a_terminal_bars_are_redrawn_in_place(void **state)
{
	struct gateway *g = gateway();
	struct terminal t = terminal(60);
	char program[] = "gymfleet", socket[] = "--socket", path[96], rollout[] = "rollout", watch[] = "watch", id[] = "12",
	     *argv[] = {program, socket, path, rollout, watch, id, NULL}, text[16 * 1024];
	struct canned server;

	(void)state;
	g->stages_count = 2;
	g->stages[1] = g->stages[0];
	g->stages[1].rollout.state = ROLLOUT_COMPLETED;
	canned_start(&server, answer, g);
	snprintf(path, sizeof(path), "%s", server.socket);
	FILE *out = fdopen(t.slave, "w");
	assert_int_equal(cli_main(6, argv, out, stderr), CLI_OK);
	fclose(out); /* what was written stays to be read, then comes an end */
	size_t used = 0;
	for (ssize_t n; (n = read(t.master, text + used, sizeof(text) - 1 - used)) > 0;)
		used += (size_t)n;
	text[used] = '\0';
	canned_stop(&server);
	close(t.master);
	const char *up = strstr(text, "\033[5A");
	assert_non_null(up); /* state, three waves, reason: once, over themselves */
	assert_null(strstr(up + 1, "\033[5A"));
	assert_non_null(strstr(up, "wave 1"));
	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n')) {
		size_t columns = 0, len = strcspn(line, "\033\r\n");
		if (strncmp(line, "Now:", 4) == 0)
			break;
		for (size_t i = 0; i < len; i++)
			columns += ((unsigned char)line[i] & 0xC0) != 0x80;
		assert_in_range(columns, 0, 59); /* none is broken, so that five lines are five lines */
	}
	drop(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(watching_prints_changes_and_ends_with_the_rollout),
	    cmocka_unit_test(watching_outlives_a_restart_of_the_gateway),
	    cmocka_unit_test(on_a_terminal_bars_are_redrawn_in_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
