/*
 * People write what they like into notes, reasons and names, machines into the details of faults, also whom a flag is about: whoever is forgotten is
 * forgotten there too, the words around it stay.
 * This looks through all of these texts; nobody erases often.
 */
#include <stdio.h>

#include "gateway/store/sqlite/writer.h"

enum { DIGITS = 16 };

/* ?1: the token's digits, in lower case. Of each text the first place; again until there is none. */
#define WITHOUT(table, text)                                                              \
	"UPDATE " table " SET " text " = substr(" text ", 1, instr(lower(" text "), ?1) - 1)" \
	" || '(erased)' || substr(" text ", instr(lower(" text "), ?1) + 16) WHERE instr(lower(" text "), ?1) > 0"
_Static_assert(DIGITS == 16, "the texts above");

static const char *const texts[] = {
    WITHOUT("events", "text"),
    WITHOUT("deeds", "detail"),
    WITHOUT("flags", "ack_note"),
    WITHOUT("faults", "detail"),
    WITHOUT("cases", "detail"),
    WITHOUT("cases", "ack_note"),
    WITHOUT("tags", "reason"),
    WITHOUT("tags", "owner"),
    WITHOUT("services", "note"),
    WITHOUT("devices", "name_set"),
    WITHOUT("devices", "zone_set"),
    WITHOUT("devices", "bay_set"),
    WITHOUT("holds", "reason"),
    /* No new revision for it: to the machine its reason is the same. */
    WITHOUT("desired", "lock_reason"),
    WITHOUT("desired", "own_lock_reason"),
};

int people_words(struct store *s, uint64_t token, struct gf_diag *diag)
{
	char digits[DIGITS + 1];

	snprintf(digits, sizeof(digits), "%016llx", (unsigned long long)token);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]);) {
		struct query q;
		int r;

		query_begin(&q, &s->db, texts[i]);
		query_text(&q, digits);
		r = query_run(&q, diag);
		if (r)
			return r;
		i += sqlite3_changes(s->db.handle) == 0;
	}
	return 0;
}
