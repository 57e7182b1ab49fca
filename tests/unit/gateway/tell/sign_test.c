/* The signature over what it is made of, against vectors of RFC 4231. */
#include "gateway/tell/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "proto/base/text.h"

/* What sign_header signs is "t.body": a vector whose text begins with "<number>." would be needed to check it alone, so the
 * vectors check the library as it is called there, and the same call checks the header. */
static void hmac(const void *key, size_t key_len, const void *text, size_t len, char ret_hex[static 65])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;

	assert_non_null(HMAC(EVP_sha256(), key, (int)key_len, text, len, mac, &mac_len));
	assert_int_equal(mac_len, 32);
	gf_hex(mac, 32, ret_hex);
}

static void hmac_is_that_of_rfc_4231(void **state)
{
	char hex[65];
	unsigned char key[131], data[50];

	(void)state;
	memset(key, 0x0b, 20);
	hmac(key, 20, "Hi There", 8, hex);
	assert_string_equal(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	hmac("Jefe", 4, "what do ya want for nothing?", 28, hex);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, 20);
	memset(data, 0xdd, 50);
	hmac(key, 20, data, 50, hex);
	assert_string_equal(hex, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
	memset(key, 0xaa, 131);
	hmac(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54, hex);
	assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void the_header_signs_time_and_body(void **state)
{
	static const char secret[] = "0123456789abcdef0123", body[] = "{\"id\":7}";
	char value[SIGN_MAX], hex[65], expected[SIGN_MAX + 16];

	(void)state;
	assert_int_equal(sign_header(secret, strlen(secret), 1795176000, body, strlen(body), value), 0);
	hmac(secret, strlen(secret), "1795176000.{\"id\":7}", 19, hex);
	strcpy(expected, "t=1795176000,v1=");
	strcat(expected, hex);
	assert_string_equal(value, expected);
}

/* By another program: printf '1795176000.{"id":7}' | openssl dgst -sha256 -hmac 0123456789abcdef0123 */
static void the_header_is_what_openssl_says_on_the_command_line(void **state)
{
	char value[SIGN_MAX];

	(void)state;
	assert_int_equal(sign_header("0123456789abcdef0123", 20, 1795176000, "{\"id\":7}", 8, value), 0);
	assert_string_equal(value, "t=1795176000,v1=e5344016d5cedb568613c379c69dc5e92260f6d2a81712f31c7c8ea8920aa196");
}

static void a_byte_or_a_second_more_is_another_signature(void **state)
{
	char one[SIGN_MAX], other[SIGN_MAX];

	(void)state;
	assert_int_equal(sign_header("secret", 6, 100, "body", 4, one), 0);
	assert_int_equal(sign_header("secret", 6, 100, "bodY", 4, other), 0);
	assert_string_not_equal(one + strcspn(one, ","), other + strcspn(other, ","));
	assert_int_equal(sign_header("secret", 6, 101, "body", 4, other), 0);
	assert_string_not_equal(one + strcspn(one, ","), other + strcspn(other, ","));
	assert_int_equal(sign_header("secreT", 6, 100, "body", 4, other), 0);
	assert_string_not_equal(one, other);
	assert_int_equal(sign_header(NULL, 0, INT64_MAX, NULL, 0, other), 0);
	assert_int_equal(strlen(other), strlen("t=9223372036854775807,v1=") + 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hmac_is_that_of_rfc_4231),
	    cmocka_unit_test(the_header_signs_time_and_body),
	    cmocka_unit_test(the_header_is_what_openssl_says_on_the_command_line),
	    cmocka_unit_test(a_byte_or_a_second_more_is_another_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
