#include "proto/topic.h"

#include <stdio.h>
#include <string.h>

#define DEVICES "gymfleet/v1/devices/"

static const char *const leaf_names[] = {
    [GF_TOPIC_STATUS] = "status",   [GF_TOPIC_REPORT] = "report",   [GF_TOPIC_ACK] = "ack",
    [GF_TOPIC_DESIRED] = "desired", [GF_TOPIC_COMMAND] = "command", [GF_TOPIC_REPLY] = "reply",
};
_Static_assert(sizeof(leaf_names) / sizeof(leaf_names[0]) == GF_TOPIC_LEAF_COUNT, "a name for each leaf");

const char *gf_topic_device(char buf[static GF_TOPIC_MAX], const char *id, enum gf_topic_leaf leaf)
{
	snprintf(buf, GF_TOPIC_MAX, DEVICES "%s/%s", id, leaf_names[leaf]);
	return buf;
}

const char *gf_topic_all_devices(char buf[static GF_TOPIC_MAX], enum gf_topic_leaf leaf, bool shared)
{
	snprintf(buf, GF_TOPIC_MAX, "%s" DEVICES "+/%s", shared ? "$share/gateways/" : "", leaf_names[leaf]);
	return buf;
}

const char *gf_topic_event(char buf[static GF_TOPIC_MAX], const char *kind, const char *id)
{
	snprintf(buf, GF_TOPIC_MAX, "gymfleet/v1/events/%s/%s", kind, id);
	return buf;
}

static bool find_leaf(const char *name, size_t len, enum gf_topic_leaf *ret_leaf)
{
	for (int i = 0; i < GF_TOPIC_LEAF_COUNT; i++) {
		if (strlen(leaf_names[i]) == len && memcmp(leaf_names[i], name, len) == 0) {
			*ret_leaf = (enum gf_topic_leaf)i;
			return true;
		}
	}
	return false;
}

bool gf_topic_parse_device(const char *topic, size_t len, char ret_id[static GF_ID_MAX], enum gf_topic_leaf *ret_leaf)
{
	const size_t prefix = strlen(DEVICES);

	if (len <= prefix || memcmp(topic, DEVICES, prefix) != 0)
		return false;
	const char *id = topic + prefix;
	const char *slash = memchr(id, '/', len - prefix);
	if (!slash || !gf_id_valid(id, (size_t)(slash - id)))
		return false;
	size_t id_len = (size_t)(slash - id);
	if (!find_leaf(slash + 1, len - prefix - id_len - 1, ret_leaf))
		return false;
	memcpy(ret_id, id, id_len);
	ret_id[id_len] = '\0';
	return true;
}
