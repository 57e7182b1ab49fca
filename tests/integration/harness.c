#include "tests/integration/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/now.h"
#include "proto/base/rand.h"
#include "proto/base/text.h"

enum { PATHS_MAX = 256, PATH_SIZE = 512, STATIC_PATHS = 8, RUN_MS = 60000, BROKER_MS = 10000, BROKER_TRIES = 3 };

struct it_proc {
	char name[64];
	char log[PATH_SIZE];
	pid_t pid;
	bool ended;
	int status;
};

struct it_world {
	char dir[PATH_SIZE];
	char *paths[PATHS_MAX];
	unsigned path_count;
	struct it_proc procs[IT_PROCS_MAX];
	unsigned proc_count;
	struct it_proc *broker;
	uint16_t device_port, gateway_port, integrator_port;
};

/* --- time --- */

int64_t it_now_ms(void)
{
	return gf_now_ms(CLOCK_MONOTONIC);
}

void it_pause(void)
{
	nanosleep(&(struct timespec){.tv_nsec = IT_POLL_MS * 1000000L}, NULL);
}

void it_fail_wait(const char *expression, int timeout_ms, const char *file, int line)
{
	fail_msg("%s:%d: not so within %d ms: %s", file, line, timeout_ms, expression);
}

/* --- files --- */

static char *static_path(void)
{
	static char buffers[STATIC_PATHS][PATH_SIZE];
	static unsigned next;

	return buffers[next++ % STATIC_PATHS];
}

const char *it_program(const char *name)
{
	char *path = static_path();

	snprintf(path, PATH_SIZE, "%s/bin/%s", GF_BINARY_DIR, name);
	return path;
}

const char *it_source(const char *name)
{
	char *path = static_path();

	snprintf(path, PATH_SIZE, "%s/%s", GF_SOURCE_DIR, name);
	return path;
}

const char *it_path(struct it_world *w, const char *fmt, ...)
{
	va_list args;
	char name[PATH_SIZE], *path = NULL;

	va_start(args, fmt);
	vsnprintf(name, sizeof name, fmt, args);
	va_end(args);
	for (unsigned i = 0; i < w->path_count; i++)
		if (strcmp(w->paths[i] + strlen(w->dir) + 1, name) == 0)
			return w->paths[i];
	if (w->path_count == PATHS_MAX || asprintf(&path, "%s/%s", w->dir, name) < 0)
		fail_msg("too many paths in one world");
	w->paths[w->path_count++] = path;
	return path;
}

void it_write(const char *path, const char *fmt, ...)
{
	va_list args;
	FILE *file = fopen(path, "we");

	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	va_start(args, fmt);
	vfprintf(file, fmt, args);
	va_end(args);
	if (fclose(file) != 0)
		fail_msg("%s: %s", path, strerror(errno));
}

char *it_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	ssize_t len;

	if (!file)
		return NULL;
	len = getdelim(&text, &size, EOF, file); /* to the end: no text has that byte */
	fclose(file);
	if (len >= 0)
		return text;
	free(text);
	return strdup("");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- programs --- */

static void become(const char *const *argv, int out, int err)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execvp(argv[0], (char *const *)argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static pid_t start(const char *const *argv, const char *out, const char *err)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
	int out_fd = open(out, flags, 0600), err_fd = open(err, flags, 0600);
	pid_t pid = -1;

	if (out_fd >= 0 && err_fd >= 0) {
		pid = fork();
		if (pid == 0)
			become(argv, out_fd, err_fd);
	}
	close(out_fd);
	close(err_fd);
	if (pid < 0)
		fail_msg("cannot start %s: %s", argv[0], strerror(errno));
	setpgid(pid, pid); /* in the child too: whoever comes first */
	return pid;
}

struct it_proc *it_spawn_args(struct it_world *w, const char *name, const char *const *argv)
{
	struct it_proc *p;
	char log[sizeof p->log];

	if (w->proc_count == IT_PROCS_MAX)
		fail_msg("more than %d programs in one world", IT_PROCS_MAX);
	p = &w->procs[w->proc_count];
	snprintf(log, sizeof log, "%.400s/%.64s.log", w->dir, name);
	gf_strcpy(p->name, sizeof p->name, name);
	gf_strcpy(p->log, sizeof p->log, log);
	p->pid = start(argv, p->log, p->log);
	w->proc_count++;
	return p;
}

bool it_alive(struct it_proc *p)
{
	if (!p->ended && waitpid(p->pid, &p->status, WNOHANG) != 0)
		p->ended = true;
	return !p->ended;
}

void it_signal(struct it_proc *p, int sig)
{
	if (!p->ended)
		kill(-p->pid, sig);
	if (sig == SIGKILL)
		it_wait(p, RUN_MS);
}

static int exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int it_wait(struct it_proc *p, int timeout_ms)
{
	int64_t end = it_now_ms() + timeout_ms;

	while (it_alive(p)) {
		if (it_now_ms() >= end)
			fail_msg("%s has not ended within %d ms; its log is %s", p->name, timeout_ms, p->log);
		it_pause();
	}
	return exit_code(p->status);
}

void it_end_well(struct it_proc *p, int timeout_ms)
{
	int status = it_wait(p, timeout_ms);
	char *log = status != 0 ? it_read(p->log) : NULL;

	if (status != 0)
		print_error("%s ended with %d:\n%s\n", p->name, status, log != NULL ? log : "no log");
	free(log);
	assert_int_equal(status, 0);
}

const char *it_log(const struct it_proc *p)
{
	return p->log;
}

int it_pid(const struct it_proc *p)
{
	return (int)p->pid;
}

bool it_log_has(const struct it_proc *p, const char *text)
{
	char *log = it_read(p->log);
	bool has = log && strstr(log, text);

	free(log);
	return has;
}

struct it_output it_run_args(struct it_world *w, const char *const *argv)
{
	struct it_output output = {0};
	struct it_proc p = {.name = "command"};
	const char *out, *err;

	out = it_path(w, "run.out");
	err = it_path(w, "run.err");
	unlink(out);
	unlink(err);
	snprintf(p.log, sizeof p.log, "%s", err);
	p.pid = start(argv, out, err);
	for (int64_t end = it_now_ms() + RUN_MS; it_alive(&p) && it_now_ms() < end;)
		it_pause();
	if (!p.ended) {
		it_signal(&p, SIGKILL);
		fail_msg("%s has not ended within %d ms", argv[0], RUN_MS);
	}
	output.status = exit_code(p.status);
	output.out = it_read(out);
	output.err = it_read(err);
	return output;
}

void it_output_free(struct it_output *output)
{
	free(output->out);
	free(output->err);
	*output = (struct it_output){0};
}

/* --- ports --- */

static bool listens(uint16_t port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;

	close(fd);
	return yes;
}

static bool bindable(uint16_t port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;

	close(fd);
	return yes;
}

/*
 * A port is free before somebody listens on it, and while a broker is down: no other test may choose it meanwhile. It is ours by a socket
 * of that name, which stays open on purpose for as long as this program runs.
 */
static bool reserve(uint16_t port)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int len = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "gymfleet-test-port-%u", port);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);

	if (bind(fd, (struct sockaddr *)&name, size) == 0)
		return true;
	close(fd);
	return false;
}

uint16_t it_free_port(void)
{
	uint16_t port;

	do {
		gf_rand_bytes(&port, sizeof port);
		port = (uint16_t)(20000 + port % 12000);
	} while (!bindable(port) || !reserve(port));
	return port;
}

uint16_t it_device_port(const struct it_world *w)
{
	return w->device_port;
}

uint16_t it_gateway_port(const struct it_world *w)
{
	return w->gateway_port;
}

uint16_t it_integrator_port(const struct it_world *w)
{
	return w->integrator_port;
}

/* --- certificates --- */

int it_pki_args(struct it_world *w, const char *command, const char *const *args)
{
	const char *argv[IT_ARGS_MAX] = {it_source("deploy/pki"), command, it_path(w, "pki")};
	struct it_output output;
	unsigned n = 3;
	int status;

	while (*args && n < IT_ARGS_MAX - 1)
		argv[n++] = *args++;
	output = it_run_args(w, argv);
	status = output.status;
	it_output_free(&output);
	return status;
}

void it_device(struct it_world *w, const char *id)
{
	if (it_pki(w, "device", id) != 0)
		fail_msg("deploy/pki makes no certificate for %s", id);
}

/* --- the broker --- */

static void make_broker_config(struct it_world *w)
{
	char device[8], gateway[8], integrator[32];
	struct it_output output;

	snprintf(device, sizeof device, "%u", w->device_port);
	snprintf(gateway, sizeof gateway, "%u", w->gateway_port);
	snprintf(integrator, sizeof integrator, "GF_INTEGRATOR_PORT=%u", w->integrator_port);
	output = it_run(w, "env", integrator, it_source("deploy/broker-conf"), w->dir, device, gateway);
	if (output.status != 0)
		fail_msg("deploy/broker-conf: %s", output.err);
	it_output_free(&output);
}

static void choose_ports(struct it_world *w)
{
	w->device_port = it_free_port();
	do {
		w->gateway_port = it_free_port();
	} while (w->gateway_port == w->device_port);
	do {
		w->integrator_port = it_free_port();
	} while (w->integrator_port == w->device_port || w->integrator_port == w->gateway_port);
	make_broker_config(w);
}

static bool start_broker(struct it_world *w)
{
	w->broker = it_spawn(w, "mosquitto", "mosquitto", "-c", it_path(w, "mosquitto.conf"));
	IT_UNTIL(BROKER_MS, (listens(w->device_port) && listens(w->gateway_port) && listens(w->integrator_port)) ||
	                        !it_alive(w->broker));
	return it_alive(w->broker);
}

void it_broker_start(struct it_world *w)
{
	if (w->broker && it_alive(w->broker))
		fail_msg("the broker is running already");
	/* Programs that are no tests of ours may have taken a port since it was chosen. */
	for (int tries = w->broker != NULL ? 1 : BROKER_TRIES; !start_broker(w); choose_ports(w)) {
		if (--tries == 0)
			fail_msg("the broker ends at once; its log is %s", w->broker->log);
	}
}

void it_broker_stop(struct it_world *w)
{
	it_signal(w->broker, SIGTERM);
	it_wait(w->broker, BROKER_MS);
}

void it_broker_kill(struct it_world *w)
{
	it_signal(w->broker, SIGKILL);
}

void it_broker_wipe(struct it_world *w)
{
	if (w->broker && it_alive(w->broker))
		fail_msg("the broker is running: it would save its state again");
	remove_tree(it_path(w, "broker"));
	mkdir(it_path(w, "broker"), 0700);
}

struct it_proc *it_broker(struct it_world *w)
{
	return w->broker;
}

static unsigned reloads(const struct it_world *w)
{
	char *log = it_read(w->broker->log);
	unsigned n = 0;

	for (const char *at = log; at && (at = strstr(at, "Reloading config")); at++)
		n++;
	free(log);
	return n;
}

void it_broker_reload(struct it_world *w)
{
	unsigned before = reloads(w);

	it_signal(w->broker, SIGHUP);
	IT_UNTIL(BROKER_MS, reloads(w) > before);
}

/* --- the world --- */

struct it_world *it_open(const char *name)
{
	struct it_world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	snprintf(w->dir, sizeof w->dir, "/tmp/gf-%s-XXXXXX", name);
	if (!mkdtemp(w->dir))
		fail_msg("%s: %s", w->dir, strerror(errno));
	if (it_pki(w, "init") != 0 || it_pki(w, "broker", "localhost", "127.0.0.1") != 0 || it_pki(w, "gateway") != 0)
		fail_msg("deploy/pki fails; see %s/run.err", w->dir);
	choose_ports(w);
	return w;
}

void it_close(struct it_world *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->proc_count; i++)
		if (it_alive(&w->procs[i])) {
			kill(-w->procs[i].pid, SIGKILL);
			waitpid(w->procs[i].pid, NULL, 0);
		}
	if (getenv("GF_IT_KEEP"))
		print_message("kept: %s\n", w->dir);
	else
		remove_tree(w->dir);
	for (unsigned i = 0; i < w->path_count; i++)
		free(w->paths[i]);
	free(w);
}
