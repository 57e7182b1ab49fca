/* A link that does what the test says: it takes the place of proto/link in the programs that have it among their sources. */
#ifndef TESTS_AGENT_FAKE_LINK_H
#define TESTS_AGENT_FAKE_LINK_H

#include "proto/link.h"

enum { FAKE_PUBLISHED_MAX = 256 };

struct fake_published {
	char topic[128];
	unsigned char data[16 * 1024];
	size_t len;
	int qos;
	bool retained;
	uint64_t cookie;
};

/* The one link of the process, from gf_link_new to gf_link_free. */
struct fake_link {
	enum gf_link_state state;
	struct gf_link_config config;
	struct gf_link_ops ops;
	char subscribed[512]; /* "filter=qos " each */
	char watching[192];   /* by gf_link_watch; "": nothing */
	size_t watches, renewals;
	uint64_t dropped;  /* messages that found no room */
	int publish_error; /* what gf_link_publish returns, when not 0 */
	uint64_t connection;
	size_t count; /* publishes that were taken; a test sets it to 0 to look at what comes next */
	struct fake_published published[FAKE_PUBLISHED_MAX];
};

extern struct fake_link *fake_link; /* NULL: there is none */

/* What happens on the network. The owner hears of it with its next step. */
void fake_link_up(void);
void fake_link_down(const char *reason);
void fake_link_message(const char *topic, const void *data, size_t len);
void fake_link_published(uint64_t cookie, int code);

/* The nth publish (from 0) whose topic ends like this, or NULL. */
const struct fake_published *fake_link_nth(const char *topic_end, size_t n);

#endif
