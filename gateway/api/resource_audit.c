/* /v1/audit: do the sessions add up to the odometers. */
#include <errno.h>

#include "gateway/api/resources.h"

enum { FINDINGS_MAX = 10000 };

static int keep(void *ctx, const struct store_finding *f)
{
	json_t **findings = ctx, *row = json_object();

	if (json_array_size(*findings) == FINDINGS_MAX) {
		json_decref(row);
		return 0; /* still counted in the totals */
	}
	json_put(&row, "device", json_string(f->device));
	json_put(&row, "kind", json_string(store_audit_kind_name(f->kind)));
	json_put(&row, "from_session", f->from_session != 0 ? json_count(f->from_session) : json_null());
	json_put(&row, "to_session", f->to_session != 0 ? json_count(f->to_session) : json_null());
	json_put(&row, "missing_motor_s", json_measure((double)f->motor_ms / 1000));
	json_put(&row, "text", json_string(f->text));
	json_push(findings, row);
	return *findings != NULL ? 0 : -ENOMEM;
}

void resource_audit(struct request *r)
{
	const char *device = NULL;
	struct store_audit audit = {0};
	struct gf_diag diag = {{0}};

	if (!request_device(r, &device))
		return;
	json_t *findings = json_array(), *answer = json_object();
	int result = store_read_audit(r->reader, device, keep, &findings, &audit, &diag);
	if (result != 0) {
		json_decref(findings);
		json_decref(answer);
		request_fail_store(r, result, &diag);
		return;
	}
	json_put(&answer, "clean", json_boolean(audit.problems == 0));
	json_put(&answer, "problems", json_count(audit.problems));
	json_put(&answer, "devices", json_count(audit.devices));
	json_put(&answer, "sessions", json_count(audit.sessions));
	json_put(&answer, "motor_s", json_seconds(audit.motor_ms));
	json_put(&answer, "findings", findings);
	request_answer(r, answer);
}
