/* How worn a machine is, as the API shows it. */
#ifndef GATEWAY_API_WEAR_ROW_H
#define GATEWAY_API_WEAR_ROW_H

#include "gateway/api/api.h"
#include "gateway/api/request.h"
#include "gateway/store/cases.h"
#include "gateway/wear/wear.h"

/* A copy of the service plans in force, so that a reload doesn't take them away in the middle of an answer. */
struct wear_plans {
	struct wear_plan *items;
	size_t count;
};
/* 0 or -ENOMEM; ended by wear_plans_deinit. */
GF_MUST_CHECK int wear_plans_read(const struct api_ops *ops, struct wear_plans *ret_plans);
void wear_plans_deinit(struct wear_plans *plans);

/* What the store counted of a machine. */
struct worn {
	enum gf_class class;
	const char *model;
	double rated_motor_h;
	const struct gf_odometer *odometer;
	uint64_t motor_before_ms;            /* what ran before the odometer counted */
	const struct store_care_part *parts; /* [FACT_PART_COUNT] */
	const struct store_use *use;
};
/* From there to what wear.h forecasts, for every row alike. */
void wear_of(const struct wear_plans *plans, const struct worn *m, int64_t now_ms, struct wear *ret_wear,
             struct wear_pace *ret_pace);
void wear_of_machine(const struct wear_plans *plans, const struct store_machine *machine,
                     const struct store_wear *counted, int64_t now_ms, struct wear *ret_wear,
                     struct wear_pace *ret_pace);

/* One row a machine and part. */
extern const struct where_field wear_fields[];
extern const size_t wear_fields_count;
json_t *wear_row(const struct store_machine *machine, const struct wear_part *part);
/* The whole of one machine, but for its services. */
json_t *wear_detail(const struct store_machine *machine, const struct wear *wear, const struct wear_pace *pace);

#endif
