#include "proto/topic.h"

#include <stdio.h>
#include <string.h>

#define DEVICES "gymfleet/v1/devices/"
#define CATALOGS "gymfleet/v1/catalogs/"

enum { DIGEST_HEX = 2 * GF_DIGEST_LEN, PART_DIGITS_MAX = 3 };

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

const char *gf_topic_catalog(char buf[static GF_TOPIC_MAX], const struct gf_digest *digest, int part)
{
	char hex[DIGEST_HEX + 1];

	gf_hex(digest->bytes, GF_DIGEST_LEN, hex);
	if (part == GF_TOPIC_CATALOG_WHOLE)
		snprintf(buf, GF_TOPIC_MAX, CATALOGS "%s", hex);
	else
		snprintf(buf, GF_TOPIC_MAX, CATALOGS "%s/%d", hex, part);
	return buf;
}

const char *gf_topic_catalog_all(char buf[static GF_TOPIC_MAX], const struct gf_digest *digest)
{
	char hex[DIGEST_HEX + 1];

	gf_hex(digest->bytes, GF_DIGEST_LEN, hex);
	snprintf(buf, GF_TOPIC_MAX, CATALOGS "%s/#", hex);
	return buf;
}

/* "0", "7", "12": the number, or -1. */
static int parse_part(const char *digits, size_t len)
{
	int part = 0;

	if (len < 1 || len > PART_DIGITS_MAX || (len > 1 && digits[0] == '0'))
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return -1;
		part = part * 10 + (digits[i] - '0');
	}
	return part;
}

bool gf_topic_parse_catalog(const char *topic, size_t len, struct gf_digest *ret_digest, int *ret_part)
{
	const size_t prefix = strlen(CATALOGS), whole = prefix + DIGEST_HEX;
	char hex[DIGEST_HEX + 1] = {0};
	struct gf_digest digest;
	int part = GF_TOPIC_CATALOG_WHOLE;

	if (len < whole || memcmp(topic, CATALOGS, prefix) != 0)
		return false;
	memcpy(hex, topic + prefix, DIGEST_HEX);
	if (strspn(hex, "0123456789abcdef") != DIGEST_HEX || gf_unhex(hex, digest.bytes, GF_DIGEST_LEN) != 0)
		return false;
	if (len > whole && (topic[whole] != '/' || (part = parse_part(topic + whole + 1, len - whole - 1)) < 0))
		return false;
	*ret_digest = digest;
	*ret_part = part;
	return true;
}

size_t gf_catalog_parts(size_t size)
{
	return size <= GF_CATALOG_PART_MAX ? 0 : (size + GF_CATALOG_PART_MAX - 1) / GF_CATALOG_PART_MAX;
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
