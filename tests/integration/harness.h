/*
 * A world for an integration test: a folder, certificates from deploy/pki, a real Mosquitto from deploy/broker-conf, and any
 * programs. What goes wrong in here fails the running test with a sentence; it_close in the test's teardown ends and removes
 * everything, also after a failed assert. Children die with the test program whatever ends it.
 *
 *     static int setup(void **state) { *state = it_open("uplink"); return 0; }
 *     static int teardown(void **state) { it_close(*state); return 0; }
 *
 *     struct it_world *w = *state;
 *     it_broker_start(w);
 *     it_device(w, "chair-1");
 *     struct it_proc *agent = it_spawn(w, "agent", it_program("gymfleet-agent"), "--config", it_path(w, "agent.yaml"));
 *     IT_UNTIL(10000, it_log_has(agent, "connected"));
 *     it_signal(agent, SIGKILL);
 *
 * Nothing sleeps blindly: IT_UNTIL asks every few milliseconds until a deadline. With GF_IT_KEEP set the folder stays, with the
 * log of each program in it. Times are milliseconds.
 */
#ifndef TESTS_INTEGRATION_HARNESS_H
#define TESTS_INTEGRATION_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/err.h"

enum { IT_PROCS_MAX = 256, IT_ARGS_MAX = 32, IT_POLL_MS = 5 };

struct it_world;
struct it_proc;

/* Makes the folder, the certificates of broker (for localhost and 127.0.0.1) and gateway, and the broker's configuration. */
struct it_world *it_open(const char *name);
void it_close(struct it_world *w); /* NULL is fine */

/* "<folder>/<formatted>"; lives until it_close. */
const char *it_path(struct it_world *w, const char *fmt, ...) GF_PRINTF(2, 3);
uint16_t it_device_port(const struct it_world *w);
uint16_t it_gateway_port(const struct it_world *w);
uint16_t it_integrator_port(const struct it_world *w);
/* A port nobody listens on, that no other test is given while this one runs; below the range the kernel gives to clients. */
uint16_t it_free_port(void);

void it_write(const char *path, const char *fmt, ...) GF_PRINTF(2, 3);
/* The file's text; the caller frees it. NULL when there is none. */
char *it_read(const char *path);

/* A program of the build ("<build>/bin/<name>"), a file of the source tree. Both live in static memory until the next 8 calls. */
const char *it_program(const char *name);
const char *it_source(const char *name);

/* --- certificates: <folder>/pki, see deploy/pki --- */

/* Makes (once) a machine's certificate: pki/devices/ID.pem and .key. */
void it_device(struct it_world *w, const char *id);
/* deploy/pki COMMAND <folder>/pki ARGS... ; the exit code. */
#define it_pki(w, command, ...) it_pki_args((w), (command), (const char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
int it_pki_args(struct it_world *w, const char *command, const char *const *args);

/* --- the broker --- */

void it_broker_start(struct it_world *w);  /* returns when its listeners accept */
void it_broker_stop(struct it_world *w);   /* gracefully */
void it_broker_kill(struct it_world *w);   /* kill -9 */
void it_broker_wipe(struct it_world *w);   /* what it saved; only while it is down */
void it_broker_reload(struct it_world *w); /* returns when it has begun: new connections see the new lists */
struct it_proc *it_broker(struct it_world *w);

/* --- programs --- */

/* Starts argv with stdout and stderr going to <folder>/NAME.log, in a process group of its own. */
#define it_spawn(w, name, ...) it_spawn_args((w), (name), (const char *[]){__VA_ARGS__, NULL})
struct it_proc *it_spawn_args(struct it_world *w, const char *name, const char *const *argv);
bool it_alive(struct it_proc *p);
void it_signal(struct it_proc *p, int signal); /* to the whole group; SIGKILL waits for the end too */
/* Waits for the end: the exit code, or 128 + the signal. Fails the test after the deadline. */
int it_wait(struct it_proc *p, int timeout_ms);
/* The same, and fails the test with its log when it ended by anything but 0. */
void it_end_well(struct it_proc *p, int timeout_ms);
const char *it_log(const struct it_proc *p); /* the log's path */
bool it_log_has(const struct it_proc *p, const char *text);
int it_pid(const struct it_proc *p);

struct it_output {
	int status; /* exit code, or 128 + the signal */
	char *out, *err;
};
/* Runs argv to its end (at most 60 s). it_output_free frees the result. */
#define it_run(w, ...) it_run_args((w), (const char *[]){__VA_ARGS__, NULL})
struct it_output it_run_args(struct it_world *w, const char *const *argv);
void it_output_free(struct it_output *output);

/* --- waiting --- */

int64_t it_now_ms(void); /* monotonic */
void it_pause(void);     /* IT_POLL_MS */
void it_fail_wait(const char *expression, int timeout_ms, const char *file, int line);

/* Waits until the expression is true; fails the test when it isn't by the deadline. */
#define IT_UNTIL(timeout_ms, expression)                                     \
	do {                                                                     \
		int64_t it_end = it_now_ms() + (timeout_ms);                         \
		while (!(expression)) {                                              \
			if (it_now_ms() >= it_end)                                       \
				it_fail_wait(#expression, (timeout_ms), __FILE__, __LINE__); \
			it_pause();                                                      \
		}                                                                    \
	} while (0)

#endif
