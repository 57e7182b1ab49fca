/* A machine as the API shows it, and its health. */
#ifndef GATEWAY_API_DEVICE_ROW_H
#define GATEWAY_API_DEVICE_ROW_H

#include "gateway/api/request.h"
#include "gateway/api/wear_row.h"
#include "gateway/health/health.h"

/* Every key of device_row, with its type: what --where knows. */
extern const struct where_field device_fields[];
extern const size_t device_fields_count;

struct device_health {
	bool reads_now; /* the newest heartbeat tells of now, not of days ago */
	bool resting;
	double wear_pct; /* of the most worn part; NaN = unknown */
	enum health_severity severity;
	size_t count;
	struct health_reason reasons[HEALTH_REASONS_MAX];
};

/* What judging needs beside the machine. */
struct device_view {
	int64_t now_ms;
	const struct sites *sites; /* NULL: everywhere open around the clock */
	struct wear_plans plans;
};
/* 0 or -ENOMEM; ended by device_view_deinit. */
GF_MUST_CHECK int device_view_read(const struct api_ops *ops, const struct sites *sites, int64_t now_ms,
                                   struct device_view *ret_view);
/* At the request's time. */
GF_MUST_CHECK int device_view_of(const struct request *r, struct device_view *ret_view);
void device_view_deinit(struct device_view *view);

void device_judge(const struct store_device *device, const struct device_view *view, struct device_health *ret_health);

/* One value of the row; `field` is one of device_fields, `health` may be NULL unless its value is judged. */
json_t *device_field_value(const struct where_field *field, const struct store_device *device,
                           const struct device_health *health);
bool device_field_judged(const struct where_field *field);

/* NULL without memory. */
json_t *device_row(const struct store_device *device, const struct device_health *health);
/* The row and what only one machine's page has. */
json_t *device_detail(const struct store_device *device, const struct device_health *health);
/* {"since", "reason", "owner", "by", "back", "case"}; null for none. */
json_t *device_tag(const struct store_tag *tag);
/* {"id", "health", "reasons": [...]} */
json_t *device_health_row(const struct store_device *device, const struct device_health *health);

#endif
