#include "tests/integration/many_certs.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>

enum { PATH_SIZE = 512, ID_SIZE = 64, VALID_S = 397 * 86400, SERIAL_BITS = 127 };

struct issuer {
	X509 *cert;
	EVP_PKEY *key, *machines_key;
};

static FILE *open_in(const char *dir, const char *name, const char *mode)
{
	char path[PATH_SIZE];
	int len = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (len < 0 || (size_t)len >= sizeof(path))
		return NULL;
	if (*mode == 'r')
		return fopen(path, "re");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

static bool issuer_open(struct issuer *issuer, const char *pki)
{
	FILE *cert = open_in(pki, "ca/devices/ca.pem", "r"), *key = open_in(pki, "ca/devices/ca.key", "r");
	*issuer = (struct issuer){.machines_key = EVP_EC_gen("P-256")};
	if (cert != NULL)
		issuer->cert = PEM_read_X509(cert, NULL, NULL, NULL);
	if (key != NULL)
		issuer->key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
	if (cert != NULL)
		fclose(cert);
	if (key != NULL)
		fclose(key);
	return issuer->cert != NULL && issuer->key != NULL && issuer->machines_key != NULL;
}

static void issuer_close(struct issuer *issuer)
{
	X509_free(issuer->cert);
	EVP_PKEY_free(issuer->key);
	EVP_PKEY_free(issuer->machines_key);
}

static bool extend(X509 *cert, X509 *ca, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, ca, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	const bool added = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return added;
}

static bool number(X509 *cert)
{
	BIGNUM *random = BN_new();
	const bool numbered = random != NULL && BN_rand(random, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
	                      BN_to_ASN1_INTEGER(random, X509_get_serialNumber(cert)) != NULL;
	BN_free(random);
	return numbered;
}

static bool fill(X509 *cert, const struct issuer *issuer, const char *id)
{
	X509_NAME *name = X509_get_subject_name(cert);
	return X509_set_version(cert, X509_VERSION_3) == 1 && number(cert) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)id, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(cert, X509_get_subject_name(issuer->cert)) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(cert), -3600) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(cert), VALID_S) != NULL &&
	       X509_set_pubkey(cert, issuer->machines_key) == 1 &&
	       extend(cert, issuer->cert, NID_basic_constraints, "critical,CA:false") &&
	       extend(cert, issuer->cert, NID_key_usage, "critical,digitalSignature") &&
	       extend(cert, issuer->cert, NID_ext_key_usage, "clientAuth") &&
	       extend(cert, issuer->cert, NID_subject_key_identifier, "hash") &&
	       extend(cert, issuer->cert, NID_authority_key_identifier, "keyid") &&
	       X509_sign(cert, issuer->key, EVP_sha256()) > 0;
}

/* The chain a machine sends: its own and the issuing CA's. */
static bool write_pair(const struct issuer *issuer, const char *devices, const char *id, X509 *cert)
{
	char name[ID_SIZE + 4];
	snprintf(name, sizeof(name), "%.63s.pem", id);
	FILE *pem = open_in(devices, name, "w");
	snprintf(name, sizeof(name), "%.63s.key", id);
	FILE *key = open_in(devices, name, "w");
	bool written = pem != NULL && key != NULL && PEM_write_X509(pem, cert) == 1 &&
	               PEM_write_X509(pem, issuer->cert) == 1 &&
	               PEM_write_PrivateKey(key, issuer->machines_key, NULL, NULL, 0, NULL, NULL) == 1;
	if (pem != NULL && fclose(pem) != 0)
		written = false;
	if (key != NULL && fclose(key) != 0)
		written = false;
	return written;
}

int many_certs_make(const char *pki, const char *prefix, unsigned count)
{
	struct issuer issuer;
	char devices[PATH_SIZE], id[ID_SIZE];
	bool made = issuer_open(&issuer, pki);

	snprintf(devices, sizeof(devices), "%s/devices", pki);
	for (unsigned i = 1; i <= count && made; i++) {
		X509 *cert = X509_new();
		snprintf(id, sizeof(id), "%.50s-%02u", prefix, i);
		made = cert != NULL && fill(cert, &issuer, id) && write_pair(&issuer, devices, id, cert);
		X509_free(cert);
	}
	issuer_close(&issuer);
	if (!made)
		ERR_print_errors_fp(stderr);
	return made ? 0 : -1;
}
