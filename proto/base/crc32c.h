/* CRC-32C (Castagnoli, polynomial 0x1EDC6F41, reflected, as in RFC 3720 appendix B.4). */
#ifndef GF_BASE_CRC32C_H
#define GF_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continues `crc` (0 to begin) over `len` bytes. */
uint32_t gf_crc32c(uint32_t crc, const void *data, size_t len);

#endif
