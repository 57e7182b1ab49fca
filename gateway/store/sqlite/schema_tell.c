#include "gateway/store/sqlite/schema.h"

/* Version 10: who was told of which event (tell.h). */
const char schema_v10[] = "";
