/*
 * A pair of keys as two files, each made new and whole or not at all: the private one first, so that a public key never stands alone.
 * A private key's bytes are wiped from memory wherever they were.
 */
#include "proto/catalog_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/file.h"

enum { FILE_MAX = 16 * 1024, PRIVATE_MODE = 0600, PUBLIC_MODE = 0644 };

#define KEYGEN "make a signing key with 'gymfleet catalog keygen'"

static const char public_mark[] = "-----BEGIN PUBLIC KEY-----";

static int out_of_memory(struct gf_diag *diag)
{
	gf_diag_set(diag, "out of memory");
	return -ENOMEM;
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

static int write_new(const char *path, BIO *text, mode_t mode, struct gf_diag *diag)
{
	char *data = NULL;
	const long len = BIO_get_mem_data(text, &data);
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0) {
		const int error = errno;
		if (error == EEXIST)
			gf_diag_set(diag, "%s is there already, and a key is never overwritten; choose another name", path);
		else
			gf_diag_set(diag, "%s: can't write: %s", path, strerror(error));
		return -error;
	}
	int r = gf_write_all(fd, data, (size_t)len);
	if (r == 0 && fsync(fd) != 0)
		r = -errno;
	(void)close(fd);
	if (r != 0) {
		gf_diag_set(diag, "%s: can't write: %s", path, strerror(-r));
		(void)unlink(path);
	}
	return r;
}

static int sync_folder(const char *path, struct gf_diag *diag)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');

	(void)snprintf(folder, sizeof(folder), "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
	               slash == NULL ? "." : path);
	const int r = gf_dir_sync(folder);
	if (r != 0)
		gf_diag_set(diag, "%s: can't write: %s", folder, strerror(-r));
	return r;
}

static int write_pair(EVP_PKEY *pair, const char *path, const char *public_path, struct gf_diag *diag)
{
	BIO *private = BIO_new(BIO_s_secmem()), *public = BIO_new(BIO_s_mem());
	int r = 0;

	if (private == NULL || public == NULL || PEM_write_bio_PUBKEY(public, pair) != 1 ||
	    PEM_write_bio_PKCS8PrivateKey(private, pair, NULL, NULL, 0, NULL, NULL) != 1)
		r = out_of_memory(diag);
	if (r == 0)
		r = write_new(path, private, PRIVATE_MODE, diag);
	if (r == 0) {
		r = write_new(public_path, public, PUBLIC_MODE, diag);
		if (r == 0)
			r = sync_folder(path, diag);
		if (r != 0)
			(void)unlink(path);
	}
	BIO_free(private);
	BIO_free(public);
	return r;
}

int gf_key_make(const char *path, uint8_t ret_key[static GF_KEY_LEN], struct gf_diag *diag)
{
	char public_path[PATH_MAX];
	uint8_t key[GF_KEY_LEN];
	size_t len = sizeof(key);

	if (snprintf(public_path, sizeof(public_path), "%s.pub", path) >= (int)sizeof(public_path)) {
		gf_diag_set(diag, "%s: the path is too long", path);
		return -ENAMETOOLONG;
	}
	EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (pair == NULL || EVP_PKEY_get_raw_public_key(pair, key, &len) != 1 || len != sizeof(key)) {
		EVP_PKEY_free(pair);
		ERR_clear_error();
		gf_diag_set(diag, "OpenSSL can't make an Ed25519 key here");
		return -EIO;
	}
	const int r = write_pair(pair, path, public_path, diag);
	EVP_PKEY_free(pair);
	if (r == 0)
		memcpy(ret_key, key, sizeof(key));
	return r;
}

/* --- reading ------------------------------------------------------------------------------------------------------- */

/* A key under a passphrase isn't asked for: what reads keys here may have no terminal. */
static int no_passphrase(char *buf, int size, int writing, void *asked)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

/* Ed25519, or -EINVAL with the reason. */
static int check_type(const EVP_PKEY *key, const char *path, struct gf_diag *diag)
{
	const char *type = EVP_PKEY_get0_type_name(key);

	if (EVP_PKEY_is_a(key, "ED25519"))
		return 0;
	if (type == NULL)
		type = "unknown";
	gf_diag_set(diag, "%s: this is %s %s key, as TLS uses; " KEYGEN, path, strchr("AEFHILMNORSX", *type) ? "an" : "a",
	            type);
	return -EINVAL;
}

/* What the file is instead of the key that was wanted. */
static int not_a_key(const char *path, const char *text, bool private, struct gf_diag *diag)
{
	if (strstr(text, "-----BEGIN CERTIFICATE-----") != NULL)
		gf_diag_set(diag, "%s: this is a certificate, as TLS uses; " KEYGEN, path);
	else if (private && strstr(text, public_mark) != NULL)
		gf_diag_set(diag, "%s: this is a public key; name the private one, which has no .pub at its end", path);
	else if (!private && strstr(text, "PRIVATE KEY-----") != NULL)
		gf_diag_set(diag, "%s: this is a private key, which has to stay where catalogs are signed; name its .pub file",
		            path);
	else
		gf_diag_set(diag, "%s: this is no key in PEM form; " KEYGEN, path);
	return -EINVAL;
}

static int parse_private(const char *path, const char *text, size_t len, uint8_t ret_seed[static GF_SEED_LEN],
                         struct gf_diag *diag)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	bool asked = false;
	uint8_t seed[GF_SEED_LEN];
	size_t seed_len = sizeof(seed);
	EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked) : NULL;
	int r = key != NULL ? check_type(key, path, diag) : -EINVAL;

	if (key == NULL && asked)
		gf_diag_set(diag, "%s: the key is under a passphrase; take it off where you sign: openssl pkey -in %s -out NEW",
		            path, path);
	else if (key == NULL)
		r = bio != NULL ? not_a_key(path, text, true, diag) : out_of_memory(diag);
	if (r == 0 && (EVP_PKEY_get_raw_private_key(key, seed, &seed_len) != 1 || seed_len != sizeof(seed)))
		r = not_a_key(path, text, true, diag);
	if (r == 0)
		memcpy(ret_seed, seed, sizeof(seed));
	OPENSSL_cleanse(seed, sizeof(seed));
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	return r;
}

int gf_key_read_private(const char *path, uint8_t ret_seed[static GF_SEED_LEN], struct gf_diag *diag)
{
	char *text = NULL;
	size_t len = 0;
	int r = gf_file_read(path, FILE_MAX, &text, &len, diag);

	if (r != 0)
		return r;
	/* The wrong half of a pair is worth more to be told than that others may read it. */
	if (strstr(text, public_mark) == NULL)
		r = gf_file_check_private(path, diag);
	if (r == 0)
		r = parse_private(path, text, len, ret_seed, diag);
	OPENSSL_cleanse(text, len);
	free(text);
	return r;
}

static int parse_public(const char *path, const char *text, size_t len, uint8_t ret_key[static GF_KEY_LEN],
                        struct gf_diag *diag)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	EVP_PKEY *key = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	uint8_t raw[GF_KEY_LEN];
	size_t raw_len = sizeof(raw);
	int r = key != NULL ? check_type(key, path, diag) : -EINVAL;

	if (key == NULL)
		r = bio != NULL ? not_a_key(path, text, false, diag) : out_of_memory(diag);
	if (r == 0 && (EVP_PKEY_get_raw_public_key(key, raw, &raw_len) != 1 || raw_len != sizeof(raw)))
		r = not_a_key(path, text, false, diag);
	if (r == 0 && !gf_key_sound(raw)) {
		gf_diag_set(diag, "%s: a signature by this key would prove nothing; " KEYGEN, path);
		r = -EINVAL;
	}
	if (r == 0)
		memcpy(ret_key, raw, sizeof(raw));
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	return r;
}

int gf_key_read_public(const char *path, uint8_t ret_key[static GF_KEY_LEN], struct gf_diag *diag)
{
	char *text = NULL;
	size_t len = 0;
	int r = gf_file_read(path, FILE_MAX, &text, &len, diag);

	if (r != 0)
		return r;
	r = parse_public(path, text, len, ret_key, diag);
	OPENSSL_cleanse(text, len);
	free(text);
	return r;
}
