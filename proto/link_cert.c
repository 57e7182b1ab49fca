#include "proto/link_cert.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proto/base/file.h"

/*
 * Paho's threads may still be ending when the process does, and OpenSSL's own clean-up at exit would take their memory from under
 * them. It must be forbidden before anything else is asked of OpenSSL.
 */
__attribute__((constructor)) static void keep_openssl_until_the_end(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

static int open_file(const char *what, const char *path, FILE **ret_file, struct gf_diag *diag)
{
	FILE *file = NULL;

	if (!path || !*path) {
		gf_diag_set(diag, "no %s is configured: name the file", what);
		return -EINVAL;
	}
	file = fopen(path, "re");
	if (!file) {
		int e = errno;
		gf_diag_set(diag, "%s %s cannot be read (%s): make it with deploy/pki, or mend the path or its mode", what,
		            path, strerror(e));
		return e == ENOENT || e == ENOTDIR ? -ENOENT : -EACCES;
	}
	*ret_file = file;
	return 0;
}

static int read_cert(const char *what, const char *path, X509 **ret_cert, struct gf_diag *diag)
{
	FILE *file = NULL;
	X509 *cert;
	int r = open_file(what, path, &file, diag);

	if (r < 0)
		return r;
	cert = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	ERR_clear_error();
	if (!cert) {
		gf_diag_set(diag, "%s %s is not a certificate in PEM form: make it again with deploy/pki", what, path);
		return -EINVAL;
	}
	*ret_cert = cert;
	return 0;
}

/* A key with a pass phrase can't be used by a daemon: nobody is there to type it. */
static int no_pass_phrase(char *buf, int size, int writing, void *ctx)
{
	(void)buf, (void)size, (void)writing, (void)ctx;
	return -1;
}

static int read_key(const char *path, EVP_PKEY **ret_key, struct gf_diag *diag)
{
	FILE *file = NULL;
	EVP_PKEY *key;
	int r = open_file("key", path, &file, diag);

	if (r < 0)
		return r;
	key = PEM_read_PrivateKey(file, NULL, no_pass_phrase, NULL);
	fclose(file);
	ERR_clear_error();
	if (!key) {
		gf_diag_set(
		    diag, "key %s is not a private key in PEM form without a pass phrase: make it again with deploy/pki", path);
		return -EINVAL;
	}
	*ret_key = key;
	return 0;
}

int link_cert_check(const struct gf_link_config *config, struct gf_diag *diag, const char **ret_field)
{
	X509 *ca = NULL, *cert = NULL;
	EVP_PKEY *key = NULL;
	const char *field = "ca_file";
	int r = read_cert("CA file", config->ca_file, &ca, diag);

	if (r == 0) {
		field = "cert_file";
		r = read_cert("certificate", config->cert_file, &cert, diag);
	}
	if (r == 0) {
		field = "key_file";
		r = read_key(config->key_file, &key, diag);
	}
	if (r == 0)
		r = gf_file_check_private(config->key_file, diag);
	if (r == 0 && X509_check_private_key(cert, key) != 1) {
		gf_diag_set(diag, "key %s does not belong to certificate %s: use the two that were made together",
		            config->key_file, config->cert_file);
		r = -EINVAL;
	}
	ERR_clear_error();
	X509_free(ca);
	X509_free(cert);
	EVP_PKEY_free(key);
	if (r != 0 && ret_field != NULL)
		*ret_field = field;
	return r;
}

uint64_t gf_link_cert_not_after_ms(const char *cert_file)
{
	X509 *cert;
	struct tm tm;
	time_t end = 0;

	if (read_cert("certificate", cert_file, &cert, NULL) < 0)
		return 0;
	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1)
		end = timegm(&tm);
	X509_free(cert);
	return end > 0 ? (uint64_t)end * 1000 : 0;
}

/* The first common name, as the broker's use_identity_as_username takes it. */
static int common_name(X509 *cert, unsigned char **ret_utf8)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	int i = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (i < 0)
		return -1;
	return ASN1_STRING_to_UTF8(ret_utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
}

int gf_link_cert_name(const char *cert_file, char *ret_name, size_t size, struct gf_diag *diag)
{
	X509 *cert;
	unsigned char *name = NULL;
	int len;
	int r = read_cert("certificate", cert_file, &cert, diag);

	if (r < 0)
		return r == -ENOENT ? -ENOENT : -EINVAL;
	len = common_name(cert, &name);
	if (len <= 0 || (size_t)len >= size || memchr(name, 0, (size_t)len)) {
		gf_diag_set(diag, "certificate %s has no usable common name: make it again with deploy/pki", cert_file);
		r = -EINVAL;
	} else {
		memcpy(ret_name, name, (size_t)len);
		ret_name[len] = 0;
	}
	if (len >= 0)
		OPENSSL_free(name);
	X509_free(cert);
	return r;
}
