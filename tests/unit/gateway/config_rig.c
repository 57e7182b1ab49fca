#include "tests/unit/gateway/config_rig.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct gateway_config *config_loaded(struct shipped *shipped)
{
	struct gateway_config *config = NULL;

	shipped->diag.text[0] = '\0';
	if (gateway_config_load(shipped->path, &config, &shipped->diag) != 0)
		fail_msg("%s", shipped->diag.text);
	return config;
}

void config_refused(struct shipped *shipped, int error, const char *sentence)
{
	struct gateway_config *config = NULL;

	assert_int_equal(gateway_config_load(shipped->path, &config, &shipped->diag), error);
	assert_null(config);
	shipped_expect(shipped, sentence);
}
