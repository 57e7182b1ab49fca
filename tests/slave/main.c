/*
 * gymfleet-slave: a massage controller that isn't there, for tests of the modbus driver and of whole agents. Not installed.
 *
 *     agent ── TCP or pseudo-terminal ──> wire ──> frame ──> controller ──> simulated people and physics
 *     test  ── control socket ──> commands ──────────┴───────────┘
 *
 * One thread, one loop: requests are done in the order in which they come, time passes in steps of 10 ms.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/now.h"
#include "tests/slave/commands.h"
#include "tests/slave/wire.h"

enum { EXIT_USAGE = 2, FDS = 4, BITS_PER_BYTE = 11, RTU_AROUND = 3 };

struct slave {
	struct wire wire;
	struct controller controller;
	struct mischief mischief;
	uint8_t unit;
	unsigned baud;             /* 0: the wire takes no time */
	int control_fd, tester_fd; /* -1: none */
	const char *control_path;
};

struct arguments {
	const char *link, *control, *log, *journal;
	bool tcp;
	uint16_t port;
	uint8_t unit;
	unsigned baud;
	struct sim_config sim;
};

static const char usage_text[] =
    "usage: gymfleet-slave (--tcp PORT | --rtu LINK) [options]\n"
    "\n"
    "  -t, --tcp PORT        listen on 127.0.0.1; 0: any port, and say which\n"
    "  -r, --rtu LINK        make a pseudo-terminal; LINK becomes the agent's serial device\n"
    "  -B, --baud N          let requests and answers take their time, as on a serial line of this speed\n"
    "  -u, --unit N          unit id (1)\n"
    "  -k, --class NAME      percussion, roller, compression, chair (default), water_bed\n"
    "  -s, --seed N          of the people and of chance (1)\n"
    "  -b, --busy SHARE      of the time somebody is on it (0: nobody ever comes)\n"
    "  -n, --routines N      how many routines the people choose from (1)\n"
    "  -j, --journal FILE    the hour meter; without it the hours are forgotten at the end\n"
    "  -l, --log FILE        every write to a register, every on and off, with the monotonic time in ms\n"
    "  -c, --control SOCKET  takes commands (tests/slave/commands.h)\n";

static volatile sig_atomic_t ended;

static void on_signal(int signal)
{
	(void)signal;
	ended = 1;
}

static int64_t now_ms(void)
{
	return gf_now_ms(CLOCK_MONOTONIC);
}

/* --- requests ---------------------------------------------------------------------------------------------------- */

static int do_read(struct slave *s, const struct frame *request, struct frame *answer)
{
	uint16_t registers[FRAME_REGISTERS_MAX];
	const uint16_t from = frame_u16(&request->pdu[1]), count = frame_u16(&request->pdu[3]);

	if (count == 0 || count > FRAME_REGISTERS_MAX)
		return FRAME_E_VALUE;
	const int r = controller_read(&s->controller, request->pdu[0] == FRAME_READ_INPUTS, from, count, registers);
	if (r != 0)
		return r;
	answer->pdu[1] = (uint8_t)(count * 2);
	for (size_t i = 0; i < count; i++)
		frame_put_u16(&answer->pdu[2 + i * 2], registers[i]);
	answer->pdu_len = 2 + (size_t)count * 2;
	return 0;
}

static int do_write(struct slave *s, const struct frame *request, struct frame *answer)
{
	uint16_t registers[FRAME_REGISTERS_MAX];
	const uint16_t from = frame_u16(&request->pdu[1]);
	const bool one = request->pdu[0] == FRAME_WRITE_ONE;
	const uint16_t count = one ? 1 : frame_u16(&request->pdu[3]);
	const size_t data = one ? 3 : 6;

	if (count == 0 || count > FRAME_REGISTERS_MAX || request->pdu_len != data + (size_t)count * 2)
		return FRAME_E_VALUE;
	for (size_t i = 0; i < count; i++)
		registers[i] = frame_u16(&request->pdu[data + i * 2]);
	memcpy(&answer->pdu[1], &request->pdu[1], 4);
	answer->pdu_len = 5;
	return controller_write(&s->controller, from, count, registers);
}

static int do_request(struct slave *s, const struct frame *request, struct frame *answer)
{
	struct mischief *m = &s->mischief;
	if (m->exceptions > 0) {
		m->exceptions--;
		return m->exception;
	}
	if (request->pdu[0] == m->refused_function)
		return FRAME_E_VALUE;
	if (request->pdu_len < 5)
		return FRAME_E_VALUE;
	switch (request->pdu[0]) {
	case FRAME_READ_HOLDING:
	case FRAME_READ_INPUTS:
		return do_read(s, request, answer);
	case FRAME_WRITE_ONE:
	case FRAME_WRITE_MANY:
		return do_write(s, request, answer);
	default:
		return FRAME_E_FUNCTION;
	}
}

/* A pseudo-terminal is faster than any line. */
static int wire_ms(const struct slave *s, size_t bytes)
{
	return s->baud > 0 ? (int)((bytes * BITS_PER_BYTE * 1000 + s->baud - 1) / s->baud) : 0;
}

static void serve(struct slave *s, const struct frame *request)
{
	struct mischief *m = &s->mischief;
	struct frame answer = {.transaction = request->transaction, .unit = request->unit};
	uint8_t data[FRAME_MAX];

	if (m->deaf || (s->wire.rtu && request->unit != s->unit))
		return;
	answer.pdu[0] = request->pdu[0];
	const int refused = do_request(s, request, &answer);
	if (refused != 0) {
		answer.pdu[0] |= FRAME_ERROR;
		answer.pdu[1] = (uint8_t)refused;
		answer.pdu_len = 2;
	}
	if (m->mute > 0) {
		m->mute--;
		return;
	}
	const size_t len = frame_put(s->wire.rtu, &answer, data);
	if (m->broken > 0) {
		m->broken--;
		/* The CRC's last byte, or the transaction number's. */
		data[s->wire.rtu ? len - 1 : 1] ^= 0x55;
	}
	wire_answer(&s->wire, data, len, now_ms() + m->late_ms + wire_ms(s, request->pdu_len + RTU_AROUND + len));
}

/* --- commands ---------------------------------------------------------------------------------------------------- */

static int listen_control(struct slave *s, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (!gf_strcpy(address.sun_path, sizeof(address.sun_path), path))
		return -ENAMETOOLONG;
	unlink(path);
	s->control_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (s->control_fd < 0 || bind(s->control_fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(s->control_fd, 4) != 0)
		return -errno;
	s->control_path = path;
	return 0;
}

static void accept_tester(struct slave *s)
{
	if (s->tester_fd >= 0)
		close(s->tester_fd);
	s->tester_fd = accept4(s->control_fd, NULL, NULL, SOCK_CLOEXEC);
}

static void hear_tester(struct slave *s)
{
	char line[COMMAND_MAX], reply[COMMAND_MAX];
	const ssize_t n = recv(s->tester_fd, line, sizeof(line) - 1, 0);
	if (n <= 0) {
		close(s->tester_fd);
		s->tester_fd = -1;
		return;
	}
	line[n] = '\0';
	controller_step(&s->controller, now_ms());
	command_do(&s->controller, &s->mischief, line, reply);
	controller_step(&s->controller, now_ms());
	if (s->mischief.drop)
		wire_drop(&s->wire);
	s->mischief.drop = false;
	if (send(s->tester_fd, reply, strlen(reply), MSG_NOSIGNAL) < 0)
		fprintf(stderr, "gymfleet-slave: the tester has gone\n");
}

/* --- the loop ---------------------------------------------------------------------------------------------------- */

static void hear_wire(struct slave *s)
{
	struct frame request;
	wire_fill(&s->wire);
	controller_step(&s->controller, now_ms());
	while (wire_next(&s->wire, &request))
		serve(s, &request);
}

static void hear_door(struct slave *s)
{
	if (wire_accept(&s->wire, s->mischief.away))
		controller_note(&s->controller, "knocked in vain");
}

static void loop(struct slave *s)
{
	int64_t step_ms = now_ms();
	while (!ended) {
		struct pollfd fds[FDS] = {
		    {.fd = s->wire.listen_fd, .events = POLLIN},
		    {.fd = s->wire.fd, .events = POLLIN},
		    {.fd = s->control_fd, .events = POLLIN},
		    {.fd = s->tester_fd, .events = POLLIN},
		};
		const int64_t answer_ms = wire_flush(&s->wire, now_ms());
		const int64_t due_ms = answer_ms < step_ms ? answer_ms : step_ms, left_ms = due_ms - now_ms();
		if (poll(fds, FDS, left_ms > 0 ? (int)left_ms : 0) < 0 && errno != EINTR)
			return;
		if (now_ms() >= step_ms) {
			controller_step(&s->controller, now_ms());
			step_ms = now_ms() + CONTROLLER_STEP_MS;
		}
		if (fds[1].revents != 0)
			hear_wire(s);
		if (fds[0].revents != 0)
			hear_door(s);
		if (fds[3].revents != 0)
			hear_tester(s);
		if (fds[2].revents != 0)
			accept_tester(s);
	}
}

/* --- setting up -------------------------------------------------------------------------------------------------- */

static bool parse_option(struct arguments *a, int option)
{
	switch (option) {
	case 't':
		a->tcp = true;
		a->port = (uint16_t)strtoul(optarg, NULL, 10);
		return true;
	case 'r':
		a->link = optarg;
		return true;
	case 'u':
		a->unit = (uint8_t)strtoul(optarg, NULL, 10);
		return true;
	case 'B':
		a->baud = (unsigned)strtoul(optarg, NULL, 10);
		return true;
	case 'k':
		return gf_class_parse(optarg, &a->sim.class) == 0;
	case 's':
		a->sim.seed = strtoull(optarg, NULL, 10);
		return true;
	case 'b':
		a->sim.busy = strtof(optarg, NULL);
		return true;
	case 'n':
		a->sim.routines = (uint16_t)strtoul(optarg, NULL, 10);
		return true;
	case 'j':
		a->journal = optarg;
		return true;
	case 'l':
		a->log = optarg;
		return true;
	case 'c':
		a->control = optarg;
		return true;
	default:
		return false;
	}
}

static bool parse(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
	    {"tcp", required_argument, NULL, 't'},     {"rtu", required_argument, NULL, 'r'},
	    {"unit", required_argument, NULL, 'u'},    {"class", required_argument, NULL, 'k'},
	    {"seed", required_argument, NULL, 's'},    {"busy", required_argument, NULL, 'b'},
	    {"journal", required_argument, NULL, 'j'}, {"routines", required_argument, NULL, 'n'},
	    {"log", required_argument, NULL, 'l'},     {"control", required_argument, NULL, 'c'},
	    {"baud", required_argument, NULL, 'B'},    {NULL, 0, NULL, 0},
	};
	*a = (struct arguments){
	    .unit = 1,
	    .sim = {.class = GF_CLASS_CHAIR, .seed = 1, .ambient_c = 22, .tokens = SIM_TOKENS_DEFAULT, .routines = 1}};
	for (int option; (option = getopt_long(argc, argv, "t:r:u:k:s:b:n:j:l:c:B:", options, NULL)) != -1;) {
		if (!parse_option(a, option))
			return false;
	}
	return optind == argc && a->tcp != (a->link != NULL);
}

/* Hours that nobody asked to keep. */
static int init_controller(struct slave *s, struct arguments *a, FILE *log, struct gf_diag *diag)
{
	struct timespec wall;
	char path[] = "/tmp/gymfleet-slave-XXXXXX";

	clock_gettime(CLOCK_REALTIME, &wall);
	a->sim.mono_to_wall_ms = (int64_t)wall.tv_sec * 1000 - now_ms();
	a->sim.journal_path = a->journal;
	if (a->journal != NULL)
		return controller_init(&s->controller, &a->sim, log, diag);
	const int fd = mkstemp(path);
	if (fd < 0)
		return -errno;
	close(fd);
	unlink(path);
	a->sim.journal_path = path;
	const int r = controller_init(&s->controller, &a->sim, log, diag);
	a->sim.journal_path = NULL;
	unlink(path);
	return r;
}

static int open_all(struct slave *s, struct arguments *a, struct gf_diag *diag)
{
	FILE *log = a->log != NULL ? fopen(a->log, "we") : NULL;
	if (a->log != NULL && log == NULL)
		return -errno;
	s->unit = a->unit;
	s->baud = a->baud;
	int r = init_controller(s, a, log, diag);
	if (r == 0)
		r = a->tcp ? wire_open_tcp(&s->wire, &a->port) : wire_open_rtu(&s->wire, a->link);
	if (r == 0 && a->control != NULL)
		r = listen_control(s, a->control);
	return r;
}

static void close_all(struct slave *s)
{
	wire_close(&s->wire);
	if (s->tester_fd >= 0)
		close(s->tester_fd);
	if (s->control_fd >= 0)
		close(s->control_fd);
	if (s->control_path != NULL)
		unlink(s->control_path);
	controller_deinit(&s->controller);
	if (s->controller.log != NULL)
		fclose(s->controller.log);
}

int main(int argc, char **argv)
{
	struct slave slave = {.control_fd = -1, .tester_fd = -1, .wire = {.listen_fd = -1, .other_end_fd = -1, .fd = -1}};
	struct arguments arguments;
	struct gf_diag diag = {{0}};
	const struct sigaction end = {.sa_handler = on_signal};

	if (!parse(argc, argv, &arguments)) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	signal(SIGPIPE, SIG_IGN);
	const int r = open_all(&slave, &arguments, &diag);
	if (r != 0) {
		fprintf(stderr, "gymfleet-slave: %s\n", diag.text[0] != '\0' ? diag.text : strerror(-r));
	} else {
		controller_step(&slave.controller, now_ms());
		if (arguments.tcp)
			printf("ready 127.0.0.1:%u\n", arguments.port);
		else
			printf("ready %s\n", arguments.link);
		fflush(stdout);
		loop(&slave);
	}
	close_all(&slave);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
