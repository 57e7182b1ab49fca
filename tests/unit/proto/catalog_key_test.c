/* Signing keys as files: what is made can be read back, and what is no signing key is told apart with a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/catalog_key.h"

struct folder {
	char path[64], key[96], public[112];
};

static int setup(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->path, sizeof(f->path), "/tmp/gymfleet_key_XXXXXX");
	assert_non_null(mkdtemp(f->path));
	snprintf(f->key, sizeof(f->key), "%s/a", f->path);
	snprintf(f->public, sizeof(f->public), "%s/a.pub", f->path);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct folder *f = *state;

	(void)unlink(f->key);
	(void)unlink(f->public);
	assert_int_equal(rmdir(f->path), 0);
	free(f);
	return 0;
}

static void assert_says(const struct gf_diag *diag, const char *what)
{
	if (strstr(diag->text, what) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", diag->text, what);
}

static void write_text(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void write_key(const char *path, EVP_PKEY *key, const EVP_CIPHER *cipher)
{
	unsigned char passphrase[] = "secret";
	FILE *file = fopen(path, "w");

	assert_non_null(key);
	assert_non_null(file);
	assert_int_equal(PEM_write_PrivateKey(file, key, cipher, cipher ? passphrase : NULL, cipher ? 6 : 0, NULL, NULL),
	                 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
	EVP_PKEY_free(key);
}

static void what_was_made_is_read_back(void **state)
{
	struct folder *f = *state;
	uint8_t made[GF_KEY_LEN], read[GF_KEY_LEN], derived[GF_KEY_LEN], seed[GF_SEED_LEN];
	struct stat private, public;

	assert_int_equal(gf_key_make(f->key, made, NULL), 0);
	assert_int_equal(gf_key_read_public(f->public, read, NULL), 0);
	assert_memory_equal(made, read, sizeof(made));
	assert_int_equal(gf_key_read_private(f->key, seed, NULL), 0);
	assert_int_equal(gf_key_public(seed, derived), 0);
	assert_memory_equal(made, derived, sizeof(made));
	assert_int_equal(stat(f->key, &private), 0);
	assert_int_equal(stat(f->public, &public), 0);
	assert_int_equal(private.st_mode & 07777, 0600);
	assert_int_equal(public.st_mode & 0600, 0600);
}

static void two_keys_are_never_the_same(void **state)
{
	struct folder *f = *state;
	uint8_t one[GF_KEY_LEN], two[GF_KEY_LEN];

	assert_int_equal(gf_key_make(f->key, one, NULL), 0);
	assert_int_equal(unlink(f->key), 0);
	assert_int_equal(unlink(f->public), 0);
	assert_int_equal(gf_key_make(f->key, two, NULL), 0);
	assert_memory_not_equal(one, two, sizeof(one));
}

static void a_key_is_never_overwritten(void **state)
{
	struct folder *f = *state;
	uint8_t first[GF_KEY_LEN], key[GF_KEY_LEN] = {7}, read[GF_KEY_LEN];
	struct gf_diag diag = {{0}};

	assert_int_equal(gf_key_make(f->key, first, NULL), 0);
	assert_int_equal(gf_key_make(f->key, key, &diag), -EEXIST);
	assert_says(&diag, "is there already");
	assert_int_equal(key[0], 7);
	assert_int_equal(gf_key_read_public(f->public, read, NULL), 0);
	assert_memory_equal(first, read, sizeof(read));

	/* The public half alone is enough, and no private one is left beside it. */
	assert_int_equal(unlink(f->key), 0);
	assert_int_equal(gf_key_make(f->key, key, &diag), -EEXIST);
	assert_says(&diag, "a.pub is there already");
	assert_int_equal(access(f->key, F_OK), -1);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
	uint8_t key[GF_KEY_LEN];
	struct gf_diag diag = {{0}};

	(void)state;
	assert_int_equal(gf_key_make("/nonexistent/key", key, &diag), -ENOENT);
	assert_says(&diag, "/nonexistent/key: can't write: No such file");
}

static void a_private_key_that_others_may_read_is_refused(void **state)
{
	struct folder *f = *state;
	uint8_t key[GF_KEY_LEN], seed[GF_SEED_LEN];
	struct gf_diag diag = {{0}};

	assert_int_equal(gf_key_make(f->key, key, NULL), 0);
	assert_int_equal(chmod(f->key, 0640), 0);
	assert_int_equal(gf_key_read_private(f->key, seed, &diag), -EACCES);
	assert_says(&diag, "chmod 600");
	assert_int_equal(chmod(f->key, 0604), 0);
	assert_int_equal(gf_key_read_private(f->key, seed, &diag), -EACCES);
}

static void i6_a_tls_key_does_not_sign(void **state)
{
	struct folder *f = *state;
	uint8_t seed[GF_SEED_LEN] = {7};
	struct gf_diag diag = {{0}};

	write_key(f->key, EVP_EC_gen("P-256"), NULL);
	assert_int_equal(gf_key_read_private(f->key, seed, &diag), -EINVAL);
	assert_says(&diag, "this is an EC key, as TLS uses; make a signing key with 'gymfleet catalog keygen'");
	write_key(f->key, EVP_RSA_gen(2048), NULL);
	assert_int_equal(gf_key_read_private(f->key, seed, &diag), -EINVAL);
	assert_says(&diag, "this is an RSA key");
	write_key(f->key, EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), NULL);
	assert_int_equal(gf_key_read_private(f->key, seed, &diag), -EINVAL);
	assert_says(&diag, "this is an X25519 key");
	assert_int_equal(seed[0], 7);
}

static void a_tls_public_key_is_refused_too(void **state)
{
	struct folder *f = *state;
	uint8_t key[GF_KEY_LEN] = {7};
	struct gf_diag diag = {{0}};
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	FILE *file = fopen(f->public, "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_PUBKEY(file, ec), 1);
	assert_int_equal(fclose(file), 0);
	EVP_PKEY_free(ec);
	assert_int_equal(gf_key_read_public(f->public, key, &diag), -EINVAL);
	assert_says(&diag, "this is an EC key");
	assert_int_equal(key[0], 7);
}

static void a_passphrase_is_not_asked_for(void **state)
{
	struct folder *f = *state;
	uint8_t seed[GF_SEED_LEN];
	struct gf_diag diag = {{0}};

	write_key(f->key, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), EVP_aes_256_cbc());
	assert_int_equal(gf_key_read_private(f->key, seed, &diag), -EINVAL);
	assert_says(&diag, "under a passphrase");
}

static void what_is_no_key_is_told_apart(void **state)
{
	struct folder *f = *state;
	uint8_t key[GF_KEY_LEN], seed[GF_SEED_LEN];
	struct gf_diag diag = {{0}};

	assert_int_equal(gf_key_make(f->key, key, NULL), 0);
	assert_int_equal(gf_key_read_private(f->public, seed, &diag), -EINVAL);
	assert_says(&diag, "this is a public key; name the private one");
	assert_int_equal(gf_key_read_public(f->key, key, &diag), -EINVAL);
	assert_says(&diag, "this is a private key");
	write_text(f->public, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0600);
	assert_int_equal(gf_key_read_public(f->public, key, &diag), -EINVAL);
	assert_says(&diag, "this is a certificate");
	assert_int_equal(gf_key_read_private(f->public, seed, &diag), -EINVAL);
	assert_says(&diag, "this is a certificate");
	write_text(f->public, "", 0600);
	assert_int_equal(gf_key_read_public(f->public, key, &diag), -EINVAL);
	assert_says(&diag, "no key in PEM form");
	assert_int_equal(unlink(f->public), 0);
	assert_int_equal(gf_key_read_public(f->public, key, &diag), -ENOENT);
	assert_int_equal(gf_key_read_private(f->public, seed, &diag), -ENOENT);
	assert_int_equal(gf_key_read_public(f->path, key, &diag), -EISDIR);
}

/* Well-formed PEM around the point (0, 1), by which everything would be signed. */
static void i6_a_key_of_small_order_is_not_read(void **state)
{
	struct folder *f = *state;
	uint8_t key[GF_KEY_LEN];
	struct gf_diag diag = {{0}};

	write_text(f->public,
	           "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	           "-----END PUBLIC KEY-----\n",
	           0644);
	assert_int_equal(gf_key_read_public(f->public, key, &diag), -EINVAL);
	assert_says(&diag, "would prove nothing");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(what_was_made_is_read_back),
	    TEST(two_keys_are_never_the_same),
	    TEST(a_key_is_never_overwritten),
	    TEST(a_folder_that_is_not_there_is_named),
	    TEST(a_private_key_that_others_may_read_is_refused),
	    TEST(i6_a_tls_key_does_not_sign),
	    TEST(a_tls_public_key_is_refused_too),
	    TEST(a_passphrase_is_not_asked_for),
	    TEST(what_is_no_key_is_told_apart),
	    TEST(i6_a_key_of_small_order_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
