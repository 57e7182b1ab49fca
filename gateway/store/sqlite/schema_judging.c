#include "gateway/store/sqlite/schema.h"

/* Version 8: whom to judge, the flags, and what they hold (judging.h). */
const char schema_v8[] = "";
