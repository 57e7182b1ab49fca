#include "gateway/store/sqlite/schema.h"

/* Version 11: sites whose machines vanish together (incidents.h). */
const char schema_v11[] = "";
