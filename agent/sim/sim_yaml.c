#include "agent/sim/sim_yaml.h"

#include <stdio.h>
#include <string.h>

#include "proto/link_config.h"

#define STRVAL_CLASS(s, n) {n, GF_CLASS_##s},
#define STRVAL_FAULT(s, n) {n, GF_FAULT_##s},
const cyaml_strval_t sim_class_names[GF_CLASS_COUNT - 1] = {GF_CLASSES(STRVAL_CLASS)};
static const cyaml_strval_t fault_names[] = {GF_FAULTS(STRVAL_FAULT)};

static const cyaml_schema_field_t fault_fields[] = {
    CYAML_FIELD_ENUM("code", CYAML_FLAG_STRICT, struct sim_fault_yaml, code, fault_names, CYAML_ARRAY_LEN(fault_names)),
    CYAML_FIELD_FLOAT("per_100_motor_h", CYAML_FLAG_DEFAULT, struct sim_fault_yaml, per_100_motor_h),
    CYAML_FIELD_END,
};
const cyaml_schema_value_t sim_fault_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct sim_fault_yaml, fault_fields),
};

int sim_faults_take(const struct gf_yaml *doc, const char *at, const struct sim_fault_yaml *faults, size_t count,
                    struct sim_config *sim, struct gf_diag *diag)
{
	sim->faults_count = count;
	for (size_t i = 0; i < count; i++) {
		char entry[128];
		snprintf(entry, sizeof(entry), "%s[%zu].per_100_motor_h", at, i);
		int r = gf_yaml_range(doc, entry, faults[i].per_100_motor_h, 0, 1000, diag);
		if (r != 0)
			return r;
		sim->faults[i] = (struct sim_fault){
		    .code = (enum gf_fault)faults[i].code,
		    .per_100_motor_h = faults[i].per_100_motor_h,
		};
	}
	return 0;
}

/* Exactly two digits, then `end`: no blanks, no sign. */
static bool two_digits(const char *text, char end, unsigned *ret_value)
{
	if (strspn(text, "0123456789") != 2 || text[2] != end)
		return false;
	*ret_value = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
	return true;
}

int sim_minutes_take(const struct gf_yaml *doc, const char *at, const char *text, uint32_t *minutes,
                     struct gf_diag *diag)
{
	unsigned hour, minute;
	if (text == NULL)
		return 0;
	if (!two_digits(text, ':', &hour) || !two_digits(text + 3, '\0', &minute) || minute > 59 ||
	    hour * 60 + minute > 1440)
		return gf_yaml_fail(doc, at, diag, "%s is '%s'; expected a time of day such as \"06:30\"", at, text);
	*minutes = hour * 60 + minute;
	return 0;
}
