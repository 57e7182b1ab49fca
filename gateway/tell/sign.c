#include "gateway/tell/sign.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "proto/base/text.h"

enum { SECONDS_MAX = 24, SHA256_LEN = 32 };

int sign_header(const void *secret, size_t secret_len, int64_t unix_s, const void *body, size_t len,
                char ret_value[static SIGN_MAX])
{
	char seconds[SECONDS_MAX], hex[2 * SHA256_LEN + 1];
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	int prefix = snprintf(seconds, sizeof(seconds), "%" PRId64 ".", unix_s);
	unsigned char *text = malloc((size_t)prefix + len);

	if (text == NULL)
		return -ENOMEM;
	memcpy(text, seconds, (size_t)prefix);
	if (len > 0)
		memcpy(text + prefix, body, len);
	/* No key at all would be taken for "the same key as before". */
	const void *key = secret_len > 0 ? secret : "";
	bool made = HMAC(EVP_sha256(), key, (int)secret_len, text, (size_t)prefix + len, mac, &mac_len) != NULL &&
	            mac_len == SHA256_LEN;
	free(text);
	if (!made)
		return -ENOMEM;
	gf_hex(mac, SHA256_LEN, hex);
	(void)snprintf(ret_value, SIGN_MAX, "t=%" PRId64 ",v1=%s", unix_s, hex);
	return 0;
}
