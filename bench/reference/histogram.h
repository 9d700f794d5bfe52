/* A log-linear histogram: 128 steps per power of two, so a value is off by less than 0.8 %. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

enum { STEP_BITS = 7, STEPS = 1 << STEP_BITS, BUCKETS = (64 - STEP_BITS + 1) * STEPS };

struct histogram {
	uint64_t buckets[BUCKETS];
	uint64_t count, sum, max;
};

static inline void record(struct histogram *histogram, int64_t signed_value)
{
	const uint64_t value = signed_value < 0 ? 0 : (uint64_t)signed_value;
	const int magnitude = 63 - __builtin_clzll(value | 1);
	const int shift = magnitude > STEP_BITS ? magnitude - STEP_BITS : 0;
	histogram->buckets[(uint64_t)shift * STEPS + (value >> shift)]++;
	histogram->count++;
	histogram->sum += value;
	if (value > histogram->max) histogram->max = value;
}

/* The upper edge of the bucket in which the quantile lies. */
static inline uint64_t value_at(const struct histogram *histogram, double quantile)
{
	const uint64_t wanted = (uint64_t)(quantile * (double)histogram->count + 0.5);
	uint64_t seen = 0;
	for (int i = 0; i < BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen < wanted || seen == 0) continue;
		/* Shifted buckets hold 128 to 255; the unshifted ones 0 to 255. */
		const int shift = i < 2 * STEPS ? 0 : i / STEPS - 1;
		const uint64_t edge = ((uint64_t)(i - shift * STEPS) + 1) * ((uint64_t)1 << shift) - 1;
		return edge < histogram->max ? edge : histogram->max;
	}
	return 0;
}

/* Values are nanoseconds, what is printed is microseconds. */
static inline void print_us(const char *name, const struct histogram *histogram)
{
	printf("\"%s\":{\"count\":%llu", name, (unsigned long long)histogram->count);
	printf(",\"mean\":%.1f", histogram->count ? (double)histogram->sum / (double)histogram->count / 1e3 : 0.0);
	static const struct { const char *name; double quantile; } printed[] = {
		{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999},
	};
	for (int i = 0; i < 4; i++)
		printf(",\"%s\":%.1f", printed[i].name, (double)value_at(histogram, printed[i].quantile) / 1e3);
	printf(",\"max\":%.1f}", (double)histogram->max / 1e3);
}

#endif
