#include "proto/link_config.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/proto/certs.h"

struct holder {
	struct gf_link_yaml broker;
};
static const cyaml_schema_field_t holder_fields[] = {
    CYAML_FIELD_MAPPING("broker", CYAML_FLAG_DEFAULT, struct holder, broker, gf_link_yaml_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t holder_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct holder, holder_fields),
};

#define FILES "  ca_file: ca.pem\n  cert_file: chair-1.pem\n  key_file: chair-1.key\n"

struct bench {
	char dir[64], path[128];
	struct gf_link_config config;
	struct gf_diag diag;
};

static int setup(void **state)
{
	static struct bench b;
	b = (struct bench){.dir = "/tmp/gymfleet-link-XXXXXX"};
	*state = &b;
	if (mkdtemp(b.dir) == NULL)
		return -1;
	snprintf(b.path, sizeof(b.path), "%s/a.yaml", b.dir);
	return certs_make(b.dir, "ca", "ca") == 0 ? certs_make(b.dir, "chair-1", "chair-1") : -1;
}

static int teardown(void **state)
{
	const struct bench *b = *state;
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	return system(command);
}

static int take(struct bench *b, const char *section)
{
	char text[1024];
	struct gf_yaml *doc = NULL;
	void *data = NULL;

	snprintf(text, sizeof(text), "broker:\n%s", section);
	gf_link_config_deinit(&b->config);
	b->diag.text[0] = '\0';
	int r = gf_yaml_load_text("a.yaml", text, strlen(text), &holder_schema, &doc, &data, &b->diag);
	if (r != 0)
		return r;
	r = gf_link_config_take(doc, b->path, &((const struct holder *)data)->broker, &b->config, &b->diag);
	gf_yaml_free(doc);
	if (r != 0)
		gf_link_config_deinit(&b->config);
	return r;
}

static void assert_refused(struct bench *b, const char *section, const char *sentence)
{
	assert_int_equal(take(b, section), -EINVAL);
	assert_string_equal(b->diag.text, sentence);
}

static void assert_taken(struct bench *b, const char *section)
{
	if (take(b, section) != 0)
		fail_msg("%s", b->diag.text);
}

/* "a.yaml:<place>: <what> DIR/<rest>", with DIR also for each '@' in the rest. */
static void assert_said(const struct bench *b, const char *format)
{
	char want[GF_DIAG_MAX];
	size_t len = 0;
	for (; *format != '\0' && len < sizeof(want) - sizeof(b->dir); format++) {
		if (*format == '@')
			len += (size_t)snprintf(want + len, sizeof(want) - len, "%s", b->dir);
		else
			want[len++] = *format;
	}
	want[len] = '\0';
	assert_string_equal(b->diag.text, want);
}

static void a_section_becomes_a_configuration(void **state)
{
	struct bench *b = *state;
	char want[128];

	assert_taken(b, "  host: broker.example\n  port: 8883\n" FILES "  keepalive_s: 20\n");
	assert_string_equal(b->config.host, "broker.example");
	assert_int_equal(b->config.port, 8883);
	assert_int_equal(b->config.keepalive_s, 20);
	assert_string_equal(b->config.client_id, "chair-1");
	snprintf(want, sizeof(want), "%s/chair-1.key", b->dir);
	assert_string_equal(b->config.key_file, want);
	gf_link_config_deinit(&b->config);
	assert_null(b->config.host);
	gf_link_config_deinit(&b->config);

	assert_taken(b, "  host: ::1\n  port: 1\n" FILES);
	assert_int_equal(b->config.keepalive_s, 15);
	gf_link_config_deinit(&b->config);
}

static void a_host_is_a_name_or_an_address_alone(void **state)
{
	static const char *const good[] = {"localhost", "10.0.0.7", "broker-1.gym_a.example", "fe80::1", "::ffff:10.0.0.7"},
	                         *const bad[] = {"mqtts://broker", "broker:8883", "a b", "broker/", "user@broker", "[::1]"};
	struct bench *b = *state;
	char section[256], want[256];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(section, sizeof(section), "  host: \"%s\"\n  port: 1\n" FILES, good[i]);
		assert_taken(b, section);
		assert_string_equal(b->config.host, good[i]);
		gf_link_config_deinit(&b->config);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(section, sizeof(section), "  host: \"%s\"\n  port: 1\n" FILES, bad[i]);
		snprintf(want, sizeof(want),
		         "a.yaml:2:9: broker.host is '%s'; expected a name or an address alone: no scheme, no port (that is "
		         "broker.port), no spaces",
		         bad[i]);
		assert_refused(b, section, want);
	}
}

static void numbers_keep_to_their_range(void **state)
{
	struct bench *b = *state;

	assert_refused(b, "  host: a\n  port: 0\n" FILES, "a.yaml:3:9: broker.port is 0; expected 1 to 65535");
	assert_refused(b, "  host: a\n  port: 1\n" FILES "  keepalive_s: 4\n",
	               "a.yaml:7:16: broker.keepalive_s is 4; expected 5 to 60");
	assert_refused(b, "  host: a\n  port: 1\n" FILES "  keepalive_s: 0\n",
	               "a.yaml:7:16: broker.keepalive_s is 0; expected 5 to 60");
	assert_refused(b, "  host: a\n  port: 1\n" FILES "  keepalive_s: 4000000000\n",
	               "a.yaml:7:16: broker.keepalive_s is 4000000000; expected 5 to 60");
	assert_refused(b, "  host: a\n" FILES, "a.yaml:2:3: missing key 'port' in 'broker'");
}

#define SECTION "  host: a\n  port: 1\n" FILES

static void in_the_folder(const struct bench *b, const char *name, char path[static 192])
{
	snprintf(path, 192, "%s/%s", b->dir, name);
}

static void a_missing_file_is_named_where_it_is_named(void **state)
{
	static const struct {
		const char *file, *said;
	} missing[] = {
	    {"key_file: @/chair-1.key",
	     "a.yaml:6:13: key @/chair-1.key cannot be read (No such file or directory): make it with deploy/pki, or mend "
	     "the path or its mode"},
	    {"cert_file: @/chair-1.pem",
	     "a.yaml:5:14: certificate @/chair-1.pem cannot be read (No such file or directory): make it with deploy/pki, "
	     "or mend the path or its mode"},
	    {"ca_file: @/ca.pem",
	     "a.yaml:4:12: CA file @/ca.pem cannot be read (No such file or directory): make it with deploy/pki, or mend "
	     "the path or its mode"},
	};
	struct bench *b = *state;
	char path[192];

	/* From the last that is looked at to the first: each hides those after it. */
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		in_the_folder(b, strchr(missing[i].file, '@') + 2, path);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(take(b, SECTION), -ENOENT);
		assert_said(b, missing[i].said);
	}
}

static void i10_a_file_that_is_no_pem_is_refused(void **state)
{
	static const char *const junk[] = {"", "not PEM\n",
	                                   "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	                                   "-----BEGIN CERTIFICATE-----\n"};
	struct bench *b = *state;
	char path[192];

	in_the_folder(b, "chair-1.pem", path);
	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
		FILE *file = fopen(path, "we");
		assert_non_null(file);
		assert_true(fputs(junk[i], file) >= 0);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(take(b, SECTION), -EINVAL);
		assert_said(b, "a.yaml:5:14: certificate @/chair-1.pem is not a certificate in PEM form: make it again with "
		               "deploy/pki");
	}
}

static void a_key_that_others_may_read_is_refused(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0644};
	struct bench *b = *state;
	char path[192], want[GF_DIAG_MAX];

	in_the_folder(b, "chair-1.key", path);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_int_equal(take(b, SECTION), -EACCES);
		snprintf(want, sizeof(want),
		         "a.yaml:6:13: @/chair-1.key: a private key that others may read (mode %04o); run: chmod 600 "
		         "@/chair-1.key",
		         (unsigned)modes[i]);
		assert_said(b, want);
	}
}

static void files_that_do_not_belong_together_are_refused(void **state)
{
	struct bench *b = *state;

	assert_int_equal(certs_make(b->dir, "other", "other"), 0);
	assert_int_equal(
	    take(b, "  host: a\n  port: 1\n  ca_file: ca.pem\n  cert_file: chair-1.pem\n  key_file: other.key\n"), -EINVAL);
	assert_said(b, "a.yaml:6:13: key @/other.key does not belong to certificate @/chair-1.pem: use the two that were "
	               "made together");
	/* The two mixed up. */
	assert_int_equal(
	    take(b, "  host: a\n  port: 1\n  ca_file: ca.pem\n  cert_file: chair-1.key\n  key_file: chair-1.pem\n"),
	    -EINVAL);
	assert_said(b, "a.yaml:5:14: certificate @/chair-1.key is not a certificate in PEM form: make it again with "
	               "deploy/pki");
}

static void i7_a_common_name_is_a_valid_id(void **state)
{
	static const char *const bad[] = {"Chair", "a/b", "+", "#", "-a", "chair.1", "a b", "st\xc3\xbchl"};
	struct bench *b = *state;
	char want[GF_DIAG_MAX];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(certs_make(b->dir, "chair-1", bad[i]), 0);
		assert_int_equal(take(b, SECTION), -EINVAL);
		snprintf(want, sizeof(want),
		         "a.yaml:5:14: the common name '%s' of certificate @/chair-1.pem is no id; expected "
		         "[a-z0-9][a-z0-9-]{0,62}: make one for a valid id with deploy/pki",
		         bad[i]);
		assert_said(b, want);
	}
	assert_int_equal(certs_make(b->dir, "chair-1", NULL), 0);
	assert_int_equal(take(b, SECTION), -EINVAL);
	assert_said(b, "a.yaml:5:14: certificate @/chair-1.pem has no usable common name: make it again with deploy/pki");
}

static void a_path_is_beside_the_file_unless_it_is_absolute(void **state)
{
	static const struct {
		const char *beside, *path, *want;
	} paths[] = {
	    {"/etc/gymfleet/agent.yaml", "pki/ca.pem", "/etc/gymfleet/pki/ca.pem"},
	    {"/etc/gymfleet/agent.yaml", "/pki/ca.pem", "/pki/ca.pem"},
	    {"agent.yaml", "ca.pem", "ca.pem"},
	    {"/agent.yaml", "ca.pem", "/ca.pem"},
	    {"config/agent.yaml", "../ca.pem", "config/../ca.pem"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *path = gf_path_beside(paths[i].beside, paths[i].path);
		assert_string_equal(path, paths[i].want);
		free(path);
	}
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    BENCH_TEST(a_section_becomes_a_configuration),
	    BENCH_TEST(a_host_is_a_name_or_an_address_alone),
	    BENCH_TEST(numbers_keep_to_their_range),
	    BENCH_TEST(a_missing_file_is_named_where_it_is_named),
	    BENCH_TEST(i10_a_file_that_is_no_pem_is_refused),
	    BENCH_TEST(a_key_that_others_may_read_is_refused),
	    BENCH_TEST(files_that_do_not_belong_together_are_refused),
	    BENCH_TEST(i7_a_common_name_is_a_valid_id),
	    cmocka_unit_test(a_path_is_beside_the_file_unless_it_is_absolute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
