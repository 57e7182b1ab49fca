/* The outermost message of a catalog, and nothing of what is in the manifest. */
#include "proto/catalog_sign.h"
#include "proto/codec_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The bytes twice, and protobuf-c's notes on what it found. */
enum { ARENA_BUDGET = 4 * GF_CATALOG_MAX };

static int signature_from_wire(const Gymfleet__V1__Signature *wire, struct gf_signature *signature,
                               struct gf_diag *diag)
{
	if (wire->key_id.len != GF_KEY_ID_LEN) {
		gf_diag_set(diag, "key_id has %zu bytes, must be %d", wire->key_id.len, GF_KEY_ID_LEN);
		return GF_CODEC_E_INVALID;
	}
	if (wire->signature.len != GF_SIGNATURE_LEN) {
		gf_diag_set(diag, "signature has %zu bytes, must be %d", wire->signature.len, GF_SIGNATURE_LEN);
		return GF_CODEC_E_INVALID;
	}
	memcpy(signature->key_id.bytes, wire->key_id.data, GF_KEY_ID_LEN);
	memcpy(signature->bytes, wire->signature.data, GF_SIGNATURE_LEN);
	return 0;
}

static int sealed_from_wire(const Gymfleet__V1__Catalog *wire, struct gf_sealed *sealed, struct gf_diag *diag)
{
	if (wire->manifest.len == 0) {
		gf_diag_set(diag, "there is no manifest");
		return GF_CODEC_E_INVALID;
	}
	if (wire->n_signatures > GF_SIGNATURES_MAX) {
		gf_diag_set(diag, "signatures is %zu, must be 0..%d", wire->n_signatures, GF_SIGNATURES_MAX);
		return GF_CODEC_E_INVALID;
	}
	for (size_t i = 0; i < wire->n_signatures; i++) {
		int r = signature_from_wire(wire->signatures[i], &sealed->signatures[i], diag);
		if (r != 0) {
			gf_diag_prefix(diag, "signature %zu", i + 1);
			return r;
		}
	}
	sealed->signatures_count = wire->n_signatures;
	sealed->manifest = malloc(wire->manifest.len);
	if (sealed->manifest == NULL)
		return -ENOMEM;
	memcpy(sealed->manifest, wire->manifest.data, wire->manifest.len);
	sealed->manifest_len = wire->manifest.len;
	return 0;
}

int gf_unseal(const void *data, size_t len, struct gf_sealed *ret_sealed, struct gf_diag *diag)
{
	struct gf_arena arena;
	struct gf_sealed sealed = {0};
	Gymfleet__V1__Catalog *wire;

	gf_arena_init(&arena, ARENA_BUDGET);
	int r = gf_wire_unpack(&arena, &gymfleet__v1__catalog__descriptor, data, len, GF_CATALOG_MAX, &wire, diag);
	if (r == 0)
		r = sealed_from_wire(wire, &sealed, diag);
	gf_arena_deinit(&arena);
	if (r == 0)
		*ret_sealed = sealed;
	return r;
}

int gf_seal(const struct gf_sealed *sealed, unsigned char **ret_data, size_t *ret_len)
{
	Gymfleet__V1__Catalog wire = GYMFLEET__V1__CATALOG__INIT;
	Gymfleet__V1__Signature signatures[GF_SIGNATURES_MAX], *list[GF_SIGNATURES_MAX];
	/* Packing only reads; protobuf-c's structs know no const. */
	struct gf_signature copies[GF_SIGNATURES_MAX];

	memcpy(copies, sealed->signatures, sizeof(copies));
	wire.manifest = (ProtobufCBinaryData){.len = sealed->manifest_len, .data = sealed->manifest};
	for (size_t i = 0; i < sealed->signatures_count; i++) {
		gymfleet__v1__signature__init(&signatures[i]);
		signatures[i].key_id = (ProtobufCBinaryData){.len = GF_KEY_ID_LEN, .data = copies[i].key_id.bytes};
		signatures[i].signature = (ProtobufCBinaryData){.len = GF_SIGNATURE_LEN, .data = copies[i].bytes};
		list[i] = &signatures[i];
	}
	wire.n_signatures = sealed->signatures_count;
	wire.signatures = list;
	const size_t size = protobuf_c_message_get_packed_size(&wire.base);
	if (size > GF_CATALOG_MAX)
		return -EMSGSIZE;
	unsigned char *data = malloc(size > 0 ? size : 1);
	if (data == NULL)
		return -ENOMEM;
	*ret_len = protobuf_c_message_pack(&wire.base, data);
	*ret_data = data;
	return 0;
}

void gf_sealed_deinit(struct gf_sealed *sealed)
{
	if (sealed == NULL)
		return;
	free(sealed->manifest);
	*sealed = (struct gf_sealed){0};
}
