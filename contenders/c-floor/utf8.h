/* Whether bytes are UTF-8 (RFC 3629, section 4), eight at a time where they are ASCII. */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline int is_utf8(const uint8_t *at, size_t length)
{
	const uint8_t *end = at + length;
	while (at < end) {
		uint64_t word;
		if (end - at >= 8 && (memcpy(&word, at, 8), (word & 0x8080808080808080) == 0)) {
			at += 8;
			continue;
		}
		const uint8_t first = *at++;
		if (first < 0x80) continue;
		/* The second byte's range keeps out overlong forms, surrogates and what is past U+10FFFF. */
		uint8_t low = 0x80, high = 0xbf;
		int more;
		if (first < 0xc2 || first > 0xf4) return 0;
		if (first < 0xe0) more = 1;
		else if (first < 0xf0) more = 2;
		else more = 3;
		if (first == 0xe0) low = 0xa0;
		if (first == 0xed) high = 0x9f;
		if (first == 0xf0) low = 0x90;
		if (first == 0xf4) high = 0x8f;
		if (end - at < more || *at < low || *at > high) return 0;
		for (at++; --more > 0; at++)
			if ((*at & 0xc0) != 0x80) return 0;
	}
	return 1;
}

#endif
