#include "tests/unit/proto/certs.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static FILE *create(const char *dir, const char *file, const char *ending)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s.%s", dir, file, ending);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

static bool fill(X509 *cert, EVP_PKEY *key, const char *common_name)
{
	X509_NAME *name = X509_get_subject_name(cert);
	if (common_name != NULL &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0) != 1)
		return false;
	return X509_set_version(cert, 2) == 1 && X509_set_issuer_name(cert, name) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(cert), 0) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(cert), 3600) != NULL && X509_set_pubkey(cert, key) == 1 &&
	       X509_sign(cert, key, EVP_sha256()) > 0;
}

int certs_make(const char *dir, const char *file, const char *common_name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	FILE *cert_file = create(dir, file, "pem"), *key_file = create(dir, file, "key");
	bool made = key != NULL && cert != NULL && cert_file != NULL && key_file != NULL && fill(cert, key, common_name) &&
	            PEM_write_X509(cert_file, cert) == 1 &&
	            PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL) == 1;
	if (cert_file != NULL && fclose(cert_file) != 0)
		made = false;
	if (key_file != NULL && fclose(key_file) != 0)
		made = false;
	X509_free(cert);
	EVP_PKEY_free(key);
	return made ? 0 : -1;
}
