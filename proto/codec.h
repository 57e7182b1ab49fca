/*
 * Bytes to model and back; the only user of protobuf-c.
 *
 * Decoding is safe for any bytes: the packet is capped first, protobuf-c allocates from a budgeted arena that is
 * freed in one go, and what was decoded is then validated (UTF-8 without NUL or control characters, lengths, enum values,
 * ranges, no NaN or infinity where a number must be one; the ranges are in proto/PROTOCOL.md). Unknown fields and unknown
 * sensors are ignored; an unknown record kind is delivered as GF_RECORD_UNSPECIFIED.
 */
#ifndef GF_CODEC_H
#define GF_CODEC_H

#include "proto/model.h"

enum {
	GF_CODEC_E_MALFORMED = 1, /* not the message it should be */
	GF_CODEC_E_TOO_LARGE,     /* over the cap, or its decoding over the arena's budget */
	GF_CODEC_E_INVALID,       /* well-formed, but a value is out of its range; `diag` names field and value */
};

enum { GF_CODEC_ARENA_BUDGET = 512 * 1024 };

/*
 * Encoders write into `buf` of `size` bytes. Return 0, or -ENOSPC when it doesn't fit. Enum values and strings are
 * trusted (they come from our own code).
 */
GF_MUST_CHECK int gf_record_encode(const struct gf_record *record, void *buf, size_t size, size_t *ret_len);
GF_MUST_CHECK int gf_status_encode(const struct gf_status *status, void *buf, size_t size, size_t *ret_len);
GF_MUST_CHECK int gf_ack_encode(const struct gf_ack *ack, void *buf, size_t size, size_t *ret_len);
GF_MUST_CHECK int gf_gateway_status_encode(const struct gf_gateway_status *status, void *buf, size_t size,
                                           size_t *ret_len);
GF_MUST_CHECK int gf_desired_encode(const struct gf_desired *desired, void *buf, size_t size, size_t *ret_len);
GF_MUST_CHECK int gf_command_encode(const struct gf_command_order *command, void *buf, size_t size, size_t *ret_len);
GF_MUST_CHECK int gf_reply_encode(const struct gf_reply *reply, void *buf, size_t size, size_t *ret_len);

/*
 * A report is put together from records that are encoded already, so that a spool can send what it stored without
 * decoding it: gf_report_begin writes the header, gf_report_add appends one encoded record.
 * gf_report_add returns -ENOSPC, and leaves the report as it was, when it would exceed `size` or GF_REPORT_MAX.
 */
struct gf_report_writer {
	unsigned char *buf;
	size_t size, len, records;
};
GF_MUST_CHECK int gf_report_begin(struct gf_report_writer *w, void *buf, size_t size, const struct gf_stream_id *stream,
                                  uint64_t first_seq);
GF_MUST_CHECK int gf_report_add(struct gf_report_writer *w, const void *record, size_t len);

/*
 * Decoders return 0, a GF_CODEC_E_... with `diag` set, or -ENOMEM. *ret_report is one block; the caller frees it with
 * free(). A record that alone is invalid makes the report GF_CODEC_E_INVALID; gf_report_decode_each is for the
 * reader that wants the good ones: it marks bad[i] (which has room for GF_REPORT_RECORDS_MAX), leaves that record zeroed
 * but for seq, its place in the report (`diag` tells of the last bad one), and fails only when the report itself can't be read.
 * Rules of a report: records_count 1..GF_REPORT_RECORDS_MAX; record[0].seq == first_seq; each following record's seq ==
 * gf_record_through(previous) + 1, or the record is a bad one; stream id 16 bytes; seq >= 1. A bad record counts as one seq,
 * but as it may have been a Lost, the good record after it may stand further on: the bad one then stands for all seqs between.
 */
GF_MUST_CHECK int gf_report_decode(const void *data, size_t len, struct gf_report **ret_report, struct gf_diag *diag);
GF_MUST_CHECK int gf_report_decode_each(const void *data, size_t len, struct gf_report **ret_report, bool *bad,
                                        struct gf_diag *diag);
GF_MUST_CHECK int gf_record_decode(const void *data, size_t len, struct gf_record *ret_record, struct gf_diag *diag);
GF_MUST_CHECK int gf_status_decode(const void *data, size_t len, struct gf_status *ret_status, struct gf_diag *diag);
GF_MUST_CHECK int gf_ack_decode(const void *data, size_t len, struct gf_ack *ret_ack, struct gf_diag *diag);
GF_MUST_CHECK int gf_gateway_status_decode(const void *data, size_t len, struct gf_gateway_status *ret_status,
                                           struct gf_diag *diag);
GF_MUST_CHECK int gf_desired_decode(const void *data, size_t len, struct gf_desired *ret_desired, struct gf_diag *diag);
GF_MUST_CHECK int gf_command_decode(const void *data, size_t len, struct gf_command_order *ret_command,
                                    struct gf_diag *diag);
GF_MUST_CHECK int gf_reply_decode(const void *data, size_t len, struct gf_reply *ret_reply, struct gf_diag *diag);

#endif
