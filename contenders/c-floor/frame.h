/* RFC 6455 section 5.2: the head of a frame, and masking. Shared with the client in bench/reference. */
#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { OP_CONTINUATION = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum { FIN = 0x80, MASKED = 0x80, MAX_HEAD = 14 };

struct frame {
	uint8_t first; /* FIN, reserved bits, opcode */
	int masked;
	uint32_t mask; /* as it lies in memory */
	size_t head;   /* bytes before the payload */
	size_t length; /* of the payload */
};

/* Reads a head from `have` bytes. Returns 0 while more are needed. */
static inline int parse_head(const uint8_t *bytes, size_t have, struct frame *frame)
{
	if (have < 2) return 0;
	frame->first = bytes[0];
	frame->masked = (bytes[1] & MASKED) != 0;
	frame->length = bytes[1] & 0x7f;
	frame->head = 2;
	if (frame->length == 126) {
		if (have < 4) return 0;
		frame->length = (size_t)bytes[2] << 8 | bytes[3];
		frame->head = 4;
	} else if (frame->length == 127) {
		if (have < 10) return 0;
		frame->length = 0;
		for (int i = 2; i < 10; i++) frame->length = frame->length << 8 | bytes[i];
		frame->head = 10;
	}
	if (frame->masked) {
		if (have < frame->head + 4) return 0;
		memcpy(&frame->mask, bytes + frame->head, 4);
		frame->head += 4;
	}
	return 1;
}

/* Writes a head and returns its size. A mask of 0 leaves the frame unmasked. */
static inline size_t write_head(uint8_t *out, uint8_t first, size_t length, uint32_t mask)
{
	const uint8_t mask_bit = mask ? MASKED : 0;
	size_t head = 2;
	out[0] = first;
	if (length < 126) {
		out[1] = mask_bit | (uint8_t)length;
	} else if (length < 65536) {
		out[1] = mask_bit | 126;
		out[2] = (uint8_t)(length >> 8);
		out[3] = (uint8_t)length;
		head = 4;
	} else {
		out[1] = mask_bit | 127;
		for (int i = 0; i < 8; i++) out[2 + i] = (uint8_t)(length >> (56 - 8 * i));
		head = 10;
	}
	if (mask) {
		memcpy(out + head, &mask, 4);
		head += 4;
	}
	return head;
}

/* Masks or unmasks, eight bytes at a time; `from` and `to` may be the same. */
static inline void apply_mask(uint8_t *to, const uint8_t *from, size_t length, uint32_t mask)
{
	const uint64_t wide = (uint64_t)mask << 32 | mask;
	size_t i = 0;
	for (; i + 8 <= length; i += 8) {
		uint64_t word;
		memcpy(&word, from + i, 8);
		word ^= wide;
		memcpy(to + i, &word, 8);
	}
	uint8_t bytes[4];
	memcpy(bytes, &mask, 4);
	for (; i < length; i++) to[i] = from[i] ^ bytes[i & 3];
}

#endif
