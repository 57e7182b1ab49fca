/* Use drawn in a terminal: `usage`, `usage --heat`, `usage --trend`. */
#ifndef GATEWAY_CLI_USAGE_TEXT_H
#define GATEWAY_CLI_USAGE_TEXT_H

#include "gateway/cli/notice.h"

/* A bar of at most `width` columns for 0..1; of '#' where the locale knows no more. `buf` has room for 3 * width + 1 bytes. */
void usage_bar(const struct cli *cli, double fraction, size_t width, char *buf);

/* "62 %" of its opening hours; "-" where they aren't known. */
const char *usage_pct(const json_t *row, char buf[static FIELD_MAX]);

enum cli_exit usage_heat(struct cli *cli);
enum cli_exit usage_trend(struct cli *cli);

#endif
