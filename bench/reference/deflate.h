/* permessage-deflate (RFC 7692) without context takeover: one stream for each direction, begun anew for each message. */
#ifndef DEFLATE_H
#define DEFLATE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#define EXTENSION "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n"

enum { RSV1 = 0x40, MAX_INFLATED = 65536 + 64, MAX_DEFLATED = 65536 + 16384, TAIL = 4 };

static z_stream deflater, inflater;

static inline void open_streams(void)
{
	if (deflateInit2(&deflater, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    inflateInit2(&inflater, -15) != Z_OK)
		exit(1);
}

/* The compressed message, until the next one. */
static inline const uint8_t *deflate_message(const uint8_t *message, size_t *length)
{
	static uint8_t deflated[MAX_DEFLATED];
	deflateReset(&deflater);
	deflater.next_in = (Bytef *)message;
	deflater.avail_in = (uInt)*length;
	deflater.next_out = deflated;
	deflater.avail_out = sizeof deflated;
	if (deflate(&deflater, Z_SYNC_FLUSH) != Z_OK) exit(1);
	*length = sizeof deflated - deflater.avail_out - TAIL;
	return deflated;
}

/* The message, until the next one; NULL when it is corrupt. */
static inline const uint8_t *inflate_message(const uint8_t *payload, size_t *length)
{
	static uint8_t inflated[MAX_INFLATED];
	static const uint8_t tail[TAIL] = {0x00, 0x00, 0xff, 0xff};
	inflateReset(&inflater);
	inflater.next_in = (Bytef *)payload;
	inflater.avail_in = (uInt)*length;
	inflater.next_out = inflated;
	inflater.avail_out = sizeof inflated;
	if (inflate(&inflater, Z_SYNC_FLUSH) != Z_OK || inflater.avail_in > 0) return NULL;
	inflater.next_in = (Bytef *)tail;
	inflater.avail_in = TAIL;
	if (inflate(&inflater, Z_SYNC_FLUSH) != Z_OK) return NULL;
	*length = sizeof inflated - inflater.avail_out;
	return inflated;
}

#endif
