#include "agent/control/memory.h"

bool memory_valid(const struct control_memory *memory)
{
	if (memory->latched_count > MEMORY_LATCHED_MAX)
		return false;
	for (uint32_t i = 0; i < memory->latched_count; i++) {
		if (memory->latched[i].code <= GF_FAULT_UNSPECIFIED || memory->latched[i].code >= GF_FAULT_COUNT)
			return false;
	}
	for (int i = 0; i < MEMORY_CLOSED_MAX; i++) {
		const struct memory_closed *closed = &memory->closed[i];
		if (closed->left_ms > 0 && (closed->area <= GF_AREA_UNSPECIFIED || closed->area >= GF_AREA_COUNT ||
		                            closed->side <= GF_SIDE_UNSPECIFIED || closed->side >= GF_SIDE_COUNT))
			return false;
	}
	return true;
}
