/*
 * A small catalog, signed with two keys. Its bytes were written by protoc --encode, its signatures by openssl pkeyutl, so both are
 * independent of our code. The keys are the public ones of RFC 8032, section 7.1.
 */
#ifndef TESTS_CATALOG_SAMPLES_H
#define TESTS_CATALOG_SAMPLES_H

#include "proto/catalog_sign.h"

/* Of the sections "TEST 1" to "TEST 3"; the messages and signatures are over nothing of gymfleet's. */
static const struct {
	const char *seed, *key, *message, *signature;
} rfc_8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
     "655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
     "b00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
     "c027beceea1ec40a"},
};

/* percussion@8: one routine, created, expires, min_agent 0.2.1, rollback_floor 6, the first two keys as the next ones. */
#define SAMPLE_MANIFEST                                                                                            \
	"0a0a70657263757373696f6e10011808223a0a0573686f7274120b412073686f7274206f6e651a01013a21080a1001180420e0d4032d" \
	"0000c8413500002042389875450000c0414d0000f04128d2d995ffbc3130d28987fbd9313a05302e322e3140064a4608021220d75a98" \
	"0182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a12203d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec496" \
	"8cc0cd55f12af4660c"
/* By the first two keys, over the prefix and the manifest. */
#define SAMPLE_SIGNATURE_1                                                                                         \
	"6c3f726e986eb3145046764bb69c2349f86e3c8e327add2d7ef1067f5c881694b6d82e35bc8363a990f44b930cb65402d75cccabaad5" \
	"bdd15ee590bc07c1d601"
#define SAMPLE_SIGNATURE_2                                                                                         \
	"0d9898c21e42a77869b22575dbb6c052463b16249cdabd2dadf7a9b0000f8e31b1f643c30092e82bd70646a4aedf836497b0561fba15" \
	"ecde94afcf1443807002"
#define SAMPLE_KEY_ID_1 "21fe31dfa154a261"
#define SAMPLE_KEY_ID_2 "39f713d0a644253f"
#define SAMPLE_SEALED                                                                                        \
	"0aab01" SAMPLE_MANIFEST "124c0a08" SAMPLE_KEY_ID_1 "1240" SAMPLE_SIGNATURE_1 "124c0a08" SAMPLE_KEY_ID_2 \
	"1240" SAMPLE_SIGNATURE_2
#define SAMPLE_DIGEST "3c2ffd136a0f30589b703037c9dc0e371ac9a6b77da7503b89a89b2f700e6388"

#endif
