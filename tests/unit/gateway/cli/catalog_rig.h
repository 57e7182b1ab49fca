/* The catalog commands in a folder of their own, which is the current one. */
#ifndef TEST_CLI_CATALOG_RIG_H
#define TEST_CLI_CATALOG_RIG_H

#define ROUTINES GF_SOURCE_DIR "/config/routines"

int catalog_setup(void **state);
int catalog_teardown(void **state);

/* `gymfleet catalog <words>`, with the socket `sock` in that folder. */
void catalog_words(const char *words, int code, const char *out, const char *err);
/* Builds the shipped routines as `c`, the catalog base for percussion; `more` are further words. */
void build_catalog(const char *more);

#define CATALOG_TEST(name) cmocka_unit_test_setup_teardown(name, catalog_setup, catalog_teardown)

#endif
