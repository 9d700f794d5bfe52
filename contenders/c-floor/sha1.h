/* SHA-1 (RFC 3174) of less than 120 bytes: all that the handshake's answer needs (RFC 6455, 1.3). */
#ifndef SHA1_H
#define SHA1_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t rotate(uint32_t word, int bits)
{
	return word << bits | word >> (32 - bits);
}

static inline void sha1_block(uint32_t state[5], const uint8_t *block)
{
	uint32_t words[80];
	for (int i = 0; i < 16; i++)
		words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		           (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 80; i++)
		words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
	for (int i = 0; i < 80; i++) {
		uint32_t mixed;
		if (i < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999;
		else if (i < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1;
		else if (i < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
		else mixed = (b ^ c ^ d) + 0xca62c1d6;
		const uint32_t next = rotate(a, 5) + mixed + e + words[i];
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}

static inline void sha1(const uint8_t *message, size_t length, uint8_t digest[20])
{
	uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	uint8_t padded[128] = {0};
	const size_t total = length < 56 ? 64 : 128;
	memcpy(padded, message, length);
	padded[length] = 0x80;
	padded[total - 2] = (uint8_t)(length >> 5);
	padded[total - 1] = (uint8_t)(length << 3);
	for (size_t at = 0; at < total; at += 64) sha1_block(state, padded + at);
	for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

/* Writes 28 characters and a final zero. */
static inline void base64_of_digest(const uint8_t digest[20], char out[29])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (int i = 0; i < 7; i++) {
		const uint32_t third = i < 6 ? digest[3 * i + 2] : 0;
		const uint32_t bits = (uint32_t)digest[3 * i] << 16 | (uint32_t)digest[3 * i + 1] << 8 | third;
		for (int j = 0; j < 4; j++) out[4 * i + j] = letters[bits >> (18 - 6 * j) & 63];
	}
	out[27] = '=';
	out[28] = '\0';
}

#endif
