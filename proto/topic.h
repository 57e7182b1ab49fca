/*
 * The topic names, in one place. All stand under "gymfleet/v1/".
 */
#ifndef GF_TOPIC_H
#define GF_TOPIC_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/text.h"
#include "proto/model.h"

enum { GF_TOPIC_MAX = 160 };

#define GF_TOPIC_GATEWAY_STATUS "gymfleet/v1/gateway/status"

enum gf_topic_leaf {
	GF_TOPIC_STATUS,
	GF_TOPIC_REPORT,
	GF_TOPIC_ACK,
	GF_TOPIC_DESIRED,
	GF_TOPIC_COMMAND,
	GF_TOPIC_REPLY,
	GF_TOPIC_LEAF_COUNT,
};

/* "gymfleet/v1/devices/<id>/<leaf>"; id must be valid (gf_id_valid). */
const char *gf_topic_device(char buf[static GF_TOPIC_MAX], const char *id, enum gf_topic_leaf leaf);

/* The filter over all devices: "gymfleet/v1/devices/+/<leaf>"; with `shared`, "$share/gateways/" before it. */
const char *gf_topic_all_devices(char buf[static GF_TOPIC_MAX], enum gf_topic_leaf leaf, bool shared);

/*
 * A signed catalog, by its digest: "gymfleet/v1/catalogs/<64 hex digits>", the whole of it when it has at most GF_CATALOG_PART_MAX
 * bytes; else that topic with "/<part>" for the parts 0, 1, ..., each GF_CATALOG_PART_MAX bytes but the last.
 */
enum { GF_CATALOG_PART_MAX = 12 * 1024, GF_TOPIC_CATALOG_WHOLE = -1 };
const char *gf_topic_catalog(char buf[static GF_TOPIC_MAX], const struct gf_digest *digest, int part);
/* The filter over a catalog and its parts: the topic with "/#". */
const char *gf_topic_catalog_all(char buf[static GF_TOPIC_MAX], const struct gf_digest *digest);
/* Takes a catalog's topic apart. False for any other topic, also for a part with leading zeros; outputs untouched then. */
bool gf_topic_parse_catalog(const char *topic, size_t len, struct gf_digest *ret_digest, int *ret_part);
/* How many parts a catalog of `size` bytes has; 0 = it is sent whole. */
size_t gf_catalog_parts(size_t size);

/* "gymfleet/v1/events/<kind>/<id>" */
const char *gf_topic_event(char buf[static GF_TOPIC_MAX], const char *kind, const char *id);

/* Takes a device topic apart. False for any other topic and for an invalid id; outputs untouched then. */
bool gf_topic_parse_device(const char *topic, size_t len, char ret_id[static GF_ID_MAX], enum gf_topic_leaf *ret_leaf);

#endif
