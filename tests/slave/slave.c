#include "tests/slave/slave.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/text.h"

enum { ARGS_MAX = 24 };

static void run(const struct slave *s, const char *control, const char *const *options, int out_fd)
{
	const char *args[ARGS_MAX] = {GF_BINARY_DIR "/bin/gymfleet-slave", "--control", control, "--log", s->log};
	size_t count = 5;

	args[count++] = s->rtu ? "--rtu" : "--tcp";
	args[count++] = s->rtu ? s->link : "0";
	for (; options != NULL && *options != NULL && count < ARGS_MAX - 1; options++)
		args[count++] = *options;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out_fd, STDOUT_FILENO);
	execv(args[0], (char *const *)(uintptr_t)args);
	_exit(127);
}

static void wait_ready(struct slave *s, int fd)
{
	char line[128] = "";
	FILE *out = fdopen(fd, "r");

	assert_non_null(out);
	if (fgets(line, sizeof(line), out) == NULL || strncmp(line, "ready ", 6) != 0)
		fail_msg("gymfleet-slave doesn't start");
	if (!s->rtu)
		s->port = (uint16_t)strtoul(strrchr(line, ':') + 1, NULL, 10);
	fclose(out);
}

void slave_start(struct slave *s, bool rtu, const char *const *options)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int out[2];

	*s = (struct slave){.rtu = rtu, .dir = "/tmp/gymfleet-slave-XXXXXX", .control_fd = -1};
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->link, sizeof(s->link), "%s/line", s->dir);
	snprintf(s->log, sizeof(s->log), "%s/log", s->dir);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/control", s->dir);
	assert_int_equal(pipe(out), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		run(s, address.sun_path, options, out[1]);
	close(out[1]);
	wait_ready(s, out[0]);
	s->control_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(s->control_fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

void slave_stop(struct slave *s)
{
	char path[96];
	if (s->pid <= 0)
		return;
	close(s->control_fd);
	if (s->notes != NULL)
		fclose(s->notes);
	s->notes = NULL;
	kill(s->pid, SIGCONT);
	kill(s->pid, SIGTERM);
	waitpid(s->pid, NULL, 0);
	unlink(s->log);
	snprintf(path, sizeof(path), "%s/control", s->dir);
	unlink(path);
	rmdir(s->dir);
	s->pid = 0;
}

const char *slave_tell(struct slave *s, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	assert_int_equal(send(s->control_fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
	const ssize_t n = recv(s->control_fd, s->reply, sizeof(s->reply) - 1, 0);
	if (n <= 0)
		fail_msg("gymfleet-slave doesn't answer to '%s': %s", line, n == 0 ? "it has ended" : strerror(errno));
	s->reply[n] = '\0';
	if (strncmp(s->reply, "error", 5) == 0)
		fail_msg("%s", s->reply);
	return s->reply;
}

bool slave_on(struct slave *s)
{
	return strcmp(slave_tell(s, "on?"), "on") == 0;
}

int slave_reg(struct slave *s, int address)
{
	return (int)strtol(slave_tell(s, "reg %d", address), NULL, 10);
}

bool slave_next_note(struct slave *s, bool (*is)(const char *text), struct slave_note *ret_note)
{
	char line[256];
	if (s->notes == NULL)
		s->notes = fopen(s->log, "re");
	assert_non_null(s->notes);
	clearerr(s->notes);
	for (;;) {
		const long at = ftell(s->notes);
		unsigned long long readings;
		int text = 0;
		double ms;
		if (fgets(line, sizeof(line), s->notes) == NULL || strchr(line, '\n') == NULL) {
			/* Nothing, or half a line. */
			fseek(s->notes, at, SEEK_SET);
			return false;
		}
		if (sscanf(line, "%lf %llu %n", &ms, &readings, &text) != 2 || text == 0 || !is(line + text))
			continue;
		*ret_note = (struct slave_note){.ms = ms, .readings = readings};
		return true;
	}
}
