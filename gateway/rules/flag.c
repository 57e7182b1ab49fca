/* Both lists are in order and nothing in one of them overlaps another of it: one walk over both. */
#include "gateway/rules/flag.h"

static bool ends_before(int64_t ended_ms, int64_t moment_ms)
{
	return ended_ms != 0 && ended_ms < moment_ms;
}

size_t flags_match(const struct flag_known *known, size_t known_count, const struct episode *episodes,
                   size_t episodes_count, struct flag_match *ret_matches)
{
	size_t count = 0, k = 0;

	for (size_t e = 0; e < episodes_count; e++) {
		const struct episode *episode = &episodes[e];

		while (k < known_count && ends_before(known[k].ended_ms, episode->opened_ms))
			ret_matches[count++] = (struct flag_match){.change = FLAG_WITHDRAWN, .id = known[k++].id};
		if (k < known_count && !ends_before(episode->ended_ms, known[k].opened_ms))
			ret_matches[count++] = (struct flag_match){FLAG_KEPT, episode, known[k++].id};
		else
			ret_matches[count++] = (struct flag_match){FLAG_NEW, episode, 0};
	}
	while (k < known_count)
		ret_matches[count++] = (struct flag_match){.change = FLAG_WITHDRAWN, .id = known[k++].id};
	return count;
}
