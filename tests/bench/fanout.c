/*
 * The floor under a rollout: how long the broker alone takes to bring the same bytes to as many plain subscribers.
 *
 *     bench_fanout DEVICE_PORT GATEWAY_PORT PKI_DIR PREFIX MACHINES CATALOG_FILE
 *
 * MACHINES subscribers, each with its own certificate and connection, listen to the catalog's topics and to their own desired state. Once all
 * are up, one publisher sends what a gateway does: the catalog (whole or in parts), then a desired state to each. Prints the milliseconds from
 * the first publish until every subscriber has everything.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "proto/base/file.h"
#include "proto/catalog_sign.h"
#include "proto/codec.h"
#include "proto/link.h"
#include "proto/topic.h"

enum { MACHINES_MAX = 10000, DEADLINE_MS = 300000, IDLE_MS = 20 };

struct subscriber {
	char id[GF_ID_MAX];
	struct gf_link *link;
	bool up;
	size_t bytes;
};

struct fanout {
	struct subscriber *machines;
	unsigned count;
	struct gf_link *out;
	bool out_up;
	const unsigned char *catalog;
	size_t size, parts;
	struct gf_digest digest;
	unsigned char desired[GF_DESIRED_MAX];
	size_t desired_len;
	size_t published; /* of parts, then of desired states */
	int wake_fd;
};

static void wake(void *ctx)
{
	const struct fanout *f = ctx;
	uint64_t one = 1;
	ssize_t written = write(f->wake_fd, &one, sizeof(one));
	(void)written;
}

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "bench_fanout: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static struct gf_link *open_link(struct fanout *f, const char *pki, const char *file, char *id, uint16_t port)
{
	char ca[512], cert[512], key[512], host[] = "localhost";
	struct gf_diag diag = {{0}};
	struct gf_link *link = NULL;
	snprintf(ca, sizeof(ca), "%s/ca.pem", pki);
	snprintf(cert, sizeof(cert), "%s/%s.pem", pki, file);
	snprintf(key, sizeof(key), "%s/%s.key", pki, file);
	const struct gf_link_config config = {
	    .host = host,
	    .port = port,
	    .client_id = id,
	    .ca_file = ca,
	    .cert_file = cert,
	    .key_file = key,
	    .keepalive_s = 20,
	    .mailbox_max = 256,
	    .window_max = GF_LINK_WINDOW_MAX,
	    .packet_max = GF_REPORT_MAX,
	};
	const struct gf_link_ops ops = {.wake = wake, .ctx = f};
	if (gf_link_new(&config, &ops, &link, &diag) != 0)
		fail(id, diag.text);
	return link;
}

static void open_machine(struct fanout *f, struct subscriber *machine, const char *pki, uint16_t port)
{
	char file[GF_ID_MAX + 16], topic[GF_TOPIC_MAX];
	snprintf(file, sizeof(file), "devices/%s", machine->id);
	machine->link = open_link(f, pki, file, machine->id, port);
	if (gf_link_subscribe(machine->link, gf_topic_device(topic, machine->id, GF_TOPIC_DESIRED), 1) != 0 ||
	    gf_link_subscribe(machine->link, gf_topic_catalog_all(topic, &f->digest), 1) != 0)
		fail(machine->id, "no room for a subscription");
	gf_link_start(machine->link);
}

static void turn_machine(struct subscriber *machine, int64_t now_ms)
{
	struct gf_link_event event;
	gf_link_step(machine->link, now_ms);
	while (gf_link_next(machine->link, &event)) {
		if (event.kind == GF_LINK_EVENT_UP)
			machine->up = true;
		else if (event.kind == GF_LINK_EVENT_MESSAGE)
			machine->bytes += event.len;
		else if (event.kind == GF_LINK_EVENT_DOWN)
			fail(machine->id, event.reason);
		gf_link_event_deinit(&event);
	}
}

static bool publish_next(struct fanout *f)
{
	const size_t catalogs = f->parts > 0 ? f->parts : 1;
	char topic[GF_TOPIC_MAX];
	const void *data = f->desired;
	size_t len = f->desired_len;
	if (f->published < catalogs) {
		const size_t at = f->published * GF_CATALOG_PART_MAX;
		gf_topic_catalog(topic, &f->digest, f->parts > 0 ? (int)f->published : GF_TOPIC_CATALOG_WHOLE);
		data = f->catalog + at;
		len = f->size - at < GF_CATALOG_PART_MAX ? f->size - at : GF_CATALOG_PART_MAX;
	} else {
		gf_topic_device(topic, f->machines[f->published - catalogs].id, GF_TOPIC_DESIRED);
	}
	if (gf_link_publish(f->out, topic, data, len, 1, true, 0, f->published) != 0)
		return false;
	f->published++;
	return f->published < catalogs + f->count;
}

static void turn_publisher(struct fanout *f, int64_t now_ms, bool sending)
{
	struct gf_link_event event;
	gf_link_step(f->out, now_ms);
	while (gf_link_next(f->out, &event)) {
		if (event.kind == GF_LINK_EVENT_UP)
			f->out_up = true;
		else if (event.kind == GF_LINK_EVENT_DOWN || (event.kind == GF_LINK_EVENT_PUBLISHED && event.code >= 0x80))
			fail("publisher", event.reason);
		gf_link_event_deinit(&event);
	}
	const size_t all = (f->parts > 0 ? f->parts : 1) + f->count;
	while (sending && f->published < all && gf_link_window(f->out) > 0 && publish_next(f)) {
	}
}

static bool done(const struct fanout *f, bool sending)
{
	if (!f->out_up)
		return false;
	for (unsigned i = 0; i < f->count; i++) {
		if (sending ? f->machines[i].bytes < f->size + f->desired_len : !f->machines[i].up)
			return false;
	}
	return true;
}

static int64_t run_until_done(struct fanout *f, bool sending)
{
	const struct gf_clock *clock = gf_clock_system(GF_CLOCK_TRUST_SYSTEM);
	int64_t start_ms = gf_clock_now(clock).mono_ms, now_ms = start_ms;
	while (!done(f, sending)) {
		uint64_t woken;
		struct pollfd pfd = {.fd = f->wake_fd, .events = POLLIN};
		turn_publisher(f, now_ms, sending);
		for (unsigned i = 0; i < f->count; i++)
			turn_machine(&f->machines[i], now_ms);
		if (poll(&pfd, 1, IDLE_MS) > 0 && read(f->wake_fd, &woken, sizeof(woken)) < 0)
			fail("wake", "read");
		now_ms = gf_clock_now(clock).mono_ms;
		if (now_ms - start_ms > DEADLINE_MS)
			fail("deadline", "messages are missing");
	}
	return now_ms - start_ms;
}

static void make_desired(struct fanout *f)
{
	struct gf_desired desired = {.revision = 1, .issued_ms = 1790000000000, .has_catalog = true};
	gf_strcpy(desired.catalog.name, sizeof(desired.catalog.name), "bench");
	desired.catalog.version = 2;
	desired.catalog.digest = f->digest;
	desired.catalog.size = (uint32_t)f->size;
	desired.catalog.within_ms = 3600000;
	if (gf_desired_encode(&desired, f->desired, sizeof(f->desired), &f->desired_len) != 0)
		fail("desired", "does not fit");
}

int main(int argc, char **argv)
{
	struct fanout f = {0};
	struct gf_diag diag = {{0}};
	char *catalog = NULL, publisher[] = "bench-fanout";
	if (argc != 7) {
		fputs("usage: bench_fanout DEVICE_PORT GATEWAY_PORT PKI_DIR PREFIX MACHINES CATALOG_FILE\n", stderr);
		return 2;
	}
	f.count = (unsigned)strtoul(argv[5], NULL, 10);
	f.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (f.count < 1 || f.count > MACHINES_MAX || f.wake_fd < 0)
		fail("arguments", "1 to 10000 machines");
	if (gf_file_read(argv[6], GF_CATALOG_MAX, &catalog, &f.size, &diag) != 0)
		fail("catalog", diag.text);
	f.catalog = (const unsigned char *)catalog;
	f.parts = gf_catalog_parts(f.size);
	gf_digest_of(catalog, f.size, &f.digest);
	make_desired(&f);
	f.machines = calloc(f.count, sizeof(*f.machines));
	if (f.machines == NULL)
		fail("machines", "no memory");
	f.out = open_link(&f, argv[3], "gateway", publisher, (uint16_t)strtoul(argv[2], NULL, 10));
	gf_link_start(f.out);
	for (unsigned i = 0; i < f.count; i++) {
		snprintf(f.machines[i].id, sizeof(f.machines[i].id), "%s-%02u", argv[4], i + 1);
		open_machine(&f, &f.machines[i], argv[3], (uint16_t)strtoul(argv[1], NULL, 10));
	}
	run_until_done(&f, false);
	printf("%lld\n", (long long)run_until_done(&f, true));
	for (unsigned i = 0; i < f.count; i++)
		gf_link_free(f.machines[i].link);
	gf_link_free(f.out);
	free(f.machines);
	free(catalog);
	return EXIT_SUCCESS;
}
