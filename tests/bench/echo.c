/*
 * The floor of the ingest benchmark: the gateway's two connections with nothing behind them. Each report is answered with eight bytes
 * of QoS 0; nothing is decoded, nothing stored.
 *
 *     bench_echo PORT PKI_DIR          until SIGTERM
 *     bench_echo --idle PORT PKI_DIR DEVICE   a bare client that only stays connected, to compare the agent's memory with
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "proto/link.h"
#include "proto/topic.h"

static int wake_fd = -1;

static void wake(void *ctx)
{
	uint64_t one = 1;
	ssize_t written = write(wake_fd, &one, sizeof(one));
	(void)written;
	(void)ctx;
}

static struct gf_link *open_link(const char *port, const char *pki, const char *cert, const char *client_id,
                                 const char *filter)
{
	char ca_file[512], cert_file[512], key_file[512], host[] = "localhost", id[64];
	struct gf_diag diag = {{0}};
	struct gf_link *link = NULL;
	snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", pki);
	snprintf(cert_file, sizeof(cert_file), "%s/%s.pem", pki, cert);
	snprintf(key_file, sizeof(key_file), "%s/%s.key", pki, cert);
	snprintf(id, sizeof(id), "%s", client_id);
	const struct gf_link_config config = {
	    .host = host,
	    .port = (uint16_t)strtoul(port, NULL, 10),
	    .client_id = id,
	    .ca_file = ca_file,
	    .cert_file = cert_file,
	    .key_file = key_file,
	    .keepalive_s = 15,
	    .mailbox_max = 4096,
	    .window_max = GF_LINK_WINDOW_MAX,
	    .packet_max = 65536,
	};
	const struct gf_link_ops ops = {.wake = wake};
	if (gf_link_new(&config, &ops, &link, &diag) != 0 || (filter != NULL && gf_link_subscribe(link, filter, 1) != 0)) {
		fprintf(stderr, "bench_echo: %s\n", diag.text);
		exit(EXIT_FAILURE);
	}
	gf_link_start(link);
	return link;
}

static void answer(struct gf_link *out, const struct gf_link_event *event)
{
	char topic[GF_TOPIC_MAX], id[GF_ID_MAX];
	enum gf_topic_leaf leaf;
	if (gf_topic_parse_device(event->topic, strlen(event->topic), id, &leaf) &&
	    gf_link_publish(out, gf_topic_device(topic, id, GF_TOPIC_ACK), "answered", 8, 0, false, 0, 0) != 0)
		fputs("bench_echo: an answer was not sent\n", stderr);
}

static void take(struct gf_link *link, struct gf_link *out)
{
	struct gf_link_event event;
	while (gf_link_next(link, &event)) {
		if (event.kind == GF_LINK_EVENT_MESSAGE)
			answer(out, &event);
		if (event.kind == GF_LINK_EVENT_UP) {
			puts("up");
			fflush(stdout);
		}
		gf_link_event_deinit(&event);
	}
}

static void run(struct gf_link *in, struct gf_link *out)
{
	const struct gf_clock *clock = gf_clock_system(GF_CLOCK_TRUST_SYSTEM);
	for (;;) {
		uint64_t woken;
		struct pollfd pfd = {.fd = wake_fd, .events = POLLIN};
		int64_t now_ms = gf_clock_now(clock).mono_ms;
		gf_link_step(out, now_ms);
		if (in != out)
			gf_link_step(in, now_ms);
		take(out, out);
		if (in != out)
			take(in, out);
		if (poll(&pfd, 1, 100) > 0 && read(wake_fd, &woken, sizeof(woken)) < 0)
			return;
	}
}

int main(int argc, char **argv)
{
	char filter[GF_TOPIC_MAX], cert[128];
	wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (argc == 5 && strcmp(argv[1], "--idle") == 0) {
		snprintf(cert, sizeof(cert), "devices/%s", argv[4]);
		struct gf_link *link = open_link(argv[2], argv[3], cert, argv[4], NULL);
		run(link, link);
	} else if (argc == 3) {
		gf_topic_all_devices(filter, GF_TOPIC_REPORT, true);
		struct gf_link *out = open_link(argv[1], argv[2], "gateway", "echo-out", NULL);
		struct gf_link *in = open_link(argv[1], argv[2], "gateway", "echo-in", filter);
		run(in, out);
	}
	fputs("usage: bench_echo PORT PKI_DIR | bench_echo --idle PORT PKI_DIR DEVICE\n", stderr);
	return 2;
}
