/*
 * Load for the ingest benchmark: so many machines send reports, each with a window of unanswered ones, and count the answers.
 *
 *     bench_load PORT PKI_DIR DEVICES REPORTS RECORDS
 *
 * Each machine sends REPORTS reports of RECORDS heartbeats. Prints reports a second, from the first one sent to the last answer. The
 * answer may be the gateway's ack or the echo's eight bytes: only their number counts.
 */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "proto/base/rand.h"
#include "proto/codec.h"
#include "proto/link.h"
#include "proto/topic.h"

enum { DEVICES_MAX = 64, WINDOW = 8, DEADLINE_MS = 120000 };

struct device {
	char id[GF_ID_MAX];
	struct gf_link *link;
	struct gf_stream_id stream;
	unsigned sent, answered;
	uint64_t next_seq;
	bool up;
};

struct load {
	struct device devices[DEVICES_MAX];
	unsigned count, reports, records;
	int wake_fd;
};

static void wake(void *ctx)
{
	const struct load *load = ctx;
	uint64_t one = 1;
	ssize_t written = write(load->wake_fd, &one, sizeof(one));
	(void)written;
}

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "bench_load: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static void open_device(struct load *load, struct device *device, uint16_t port, const char *pki)
{
	char ca[512], cert[512], key[512], host[] = "localhost", topic[GF_TOPIC_MAX];
	struct gf_diag diag = {{0}};
	snprintf(ca, sizeof(ca), "%s/ca.pem", pki);
	snprintf(cert, sizeof(cert), "%s/devices/%s.pem", pki, device->id);
	snprintf(key, sizeof(key), "%s/devices/%s.key", pki, device->id);
	const struct gf_link_config config = {
	    .host = host,
	    .port = port,
	    .client_id = device->id,
	    .ca_file = ca,
	    .cert_file = cert,
	    .key_file = key,
	    .keepalive_s = 15,
	    .mailbox_max = 256,
	    .window_max = GF_LINK_WINDOW_MAX,
	    .packet_max = GF_REPORT_MAX,
	};
	const struct gf_link_ops ops = {.wake = wake, .ctx = load};
	if (gf_link_new(&config, &ops, &device->link, &diag) != 0 ||
	    gf_link_subscribe(device->link, gf_topic_device(topic, device->id, GF_TOPIC_ACK), 0) != 0)
		fail(device->id, diag.text);
	gf_rand_bytes(device->stream.bytes, sizeof(device->stream.bytes));
	device->next_seq = 1;
	gf_link_start(device->link);
}

static size_t make_report(const struct load *load, struct device *device, unsigned char *buf, size_t size)
{
	struct gf_report_writer writer;
	unsigned char encoded[GF_RECORD_MAX];
	size_t len;
	int r = gf_report_begin(&writer, buf, size, &device->stream, device->next_seq);
	for (unsigned i = 0; r == 0 && i < load->records; i++) {
		struct gf_record record = {
		    .seq = device->next_seq + i,
		    .boot = 1,
		    .uptime_ms = (device->next_seq + i) * 60000,
		    .wall_ms = 1790000000000ULL + (device->next_seq + i) * 60000,
		    .clock_synced = true,
		    .kind = GF_RECORD_HEARTBEAT,
		};
		record.heartbeat.interval_ms = 60000;
		record.heartbeat.sensors[GF_SENSOR_MOTOR_TEMP_C] = (struct gf_stat){true, 40, 41, 42, 41};
		record.heartbeat.sensors[GF_SENSOR_CURRENT_MA] = (struct gf_stat){true, 800, 900, 1000, 950};
		record.heartbeat.sensors[GF_SENSOR_SUPPLY_MV] = (struct gf_stat){true, 23900, 24000, 24100, 24000};
		r = gf_record_encode(&record, encoded, sizeof(encoded), &len);
		if (r == 0)
			r = gf_report_add(&writer, encoded, len);
	}
	if (r != 0)
		fail("report", "does not fit");
	return writer.len;
}

static void send_reports(const struct load *load, struct device *device)
{
	unsigned char buf[GF_REPORT_MAX];
	char topic[GF_TOPIC_MAX];
	gf_topic_device(topic, device->id, GF_TOPIC_REPORT);
	while (device->up && device->sent < load->reports && device->sent - device->answered < WINDOW &&
	       gf_link_window(device->link) > 0) {
		size_t len = make_report(load, device, buf, sizeof(buf));
		if (gf_link_publish(device->link, topic, buf, len, 1, false, 0, device->sent) != 0)
			return;
		device->next_seq += load->records;
		device->sent++;
	}
}

static void turn(struct device *device, int64_t now_ms)
{
	struct gf_link_event event;
	gf_link_step(device->link, now_ms);
	while (gf_link_next(device->link, &event)) {
		if (event.kind == GF_LINK_EVENT_UP)
			device->up = true;
		else if (event.kind == GF_LINK_EVENT_MESSAGE)
			device->answered++;
		else if (event.kind == GF_LINK_EVENT_DOWN)
			fail(device->id, event.reason);
		gf_link_event_deinit(&event);
	}
}

static unsigned count(const struct load *load, bool answered)
{
	unsigned sum = 0;
	for (unsigned i = 0; i < load->count; i++)
		sum += answered ? load->devices[i].answered : load->devices[i].up ? 1 : 0;
	return sum;
}

/* Turns every link until so many are up, or so many answers have come. */
static int64_t run_until(struct load *load, bool answered, unsigned target, bool sending)
{
	const struct gf_clock *clock = gf_clock_system(GF_CLOCK_TRUST_SYSTEM);
	int64_t start_ms = gf_clock_now(clock).mono_ms, now_ms = start_ms;
	while (count(load, answered) < target) {
		uint64_t woken;
		struct pollfd pfd = {.fd = load->wake_fd, .events = POLLIN};
		for (unsigned i = 0; i < load->count; i++) {
			turn(&load->devices[i], now_ms);
			if (sending)
				send_reports(load, &load->devices[i]);
		}
		if (poll(&pfd, 1, 20) > 0 && read(load->wake_fd, &woken, sizeof(woken)) < 0)
			fail("wake", "read");
		now_ms = gf_clock_now(clock).mono_ms;
		if (now_ms - start_ms > DEADLINE_MS)
			fail("deadline", "answers are missing");
	}
	return now_ms - start_ms;
}

int main(int argc, char **argv)
{
	static struct load load;
	if (argc != 6) {
		fputs("usage: bench_load PORT PKI_DIR DEVICES REPORTS RECORDS\n", stderr);
		return 2;
	}
	load.count = (unsigned)strtoul(argv[3], NULL, 10);
	load.reports = (unsigned)strtoul(argv[4], NULL, 10);
	load.records = (unsigned)strtoul(argv[5], NULL, 10);
	load.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (load.count == 0 || load.count > DEVICES_MAX || load.wake_fd < 0)
		fail("arguments", "1 to 64 devices");
	for (unsigned i = 0; i < load.count; i++) {
		snprintf(load.devices[i].id, sizeof(load.devices[i].id), "bench-%02u", i);
		open_device(&load, &load.devices[i], (uint16_t)strtoul(argv[1], NULL, 10), argv[2]);
	}
	run_until(&load, false, load.count, false);
	int64_t took_ms = run_until(&load, true, load.count * load.reports, true);
	printf("%.0f\n", load.count * load.reports * 1000.0 / (double)(took_ms > 0 ? took_ms : 1));
	for (unsigned i = 0; i < load.count; i++)
		gf_link_free(load.devices[i].link);
	return EXIT_SUCCESS;
}
