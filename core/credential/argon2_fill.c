#include "core/credential/argon2_fill.h"

#include <string.h>

/* Words of the block that pseudo-random addresses are made from (RFC 9106 section 3.4.1.2). */
enum { INPUT_PASS, INPUT_LANE, INPUT_SLICE, INPUT_BLOCKS, INPUT_PASSES, INPUT_TYPE, INPUT_COUNTER };
enum { TYPE_ARGON2ID = 2 };

/* Where a lane stands. */
struct position {
	uint32_t pass, slice;
	uint32_t index;                 /* within the segment */
	uint32_t segment_length;
};

static bool
is_data_independent(uint32_t pass, uint32_t slice)
{
	return pass == 0 && slice < ARGON2_SLICES / 2;
}

/* What the block at AT may refer to (RFC 9106 section 3.4.2): the last three finished segments, in the first pass all
 * that there are, and what this segment has so far without its last block. */
static struct argon2_window
window_at(const struct argon2_lane *lane, const struct position *at)
{
	struct argon2_window window = { .blocks = lane->blocks, .block_count = lane->block_count };

	if (at->pass == 0) {
		window.count = at->slice * at->segment_length + at->index - 1;
	} else {
		window.count = lane->block_count - at->segment_length + at->index - 1;
		window.first = (at->slice + 1) % ARGON2_SLICES * at->segment_length;
	}
	return window;
}

/* The addresses of the 128 blocks from index on. */
static void
make_addresses(const struct argon2_kernel *kernel, struct argon2_lane *lane, const struct position *at)
{
	static const struct argon2_block zero;
	struct argon2_block input = { { 0 } };

	input.words[INPUT_PASS] = at->pass;
	input.words[INPUT_LANE] = 0;
	input.words[INPUT_SLICE] = at->slice;
	input.words[INPUT_BLOCKS] = lane->block_count;
	input.words[INPUT_PASSES] = lane->passes;
	input.words[INPUT_TYPE] = TYPE_ARGON2ID;
	input.words[INPUT_COUNTER] = at->index / ARGON2_BLOCK_WORDS + 1;
	for (int i = 0; i < 2; i++) {
		kernel->compress(&(struct argon2_step){
		    .next = &lane->addresses, .prev = &zero, .ref = &input, .scratch = &lane->scratch });
		input = lane->addresses;
	}
}

/* The word that chooses the reference of the block at AT. */
static uint64_t
choosing_word(const struct argon2_lane *lane, const struct position *at, const struct argon2_block *prev)
{
	if (is_data_independent(at->pass, at->slice))
		return lane->addresses.words[at->index % ARGON2_BLOCK_WORDS];
	return prev->words[0];
}

static void
fill_block(const struct argon2_kernel *kernel, struct argon2_lane *lane, const struct position *at)
{
	struct position after = { at->pass, at->slice, at->index + 1, at->segment_length };
	uint32_t here = at->slice * at->segment_length + at->index;
	struct argon2_window window = window_at(lane, at);
	struct argon2_step step = {
		.next = &lane->blocks[here], .prev = &lane->blocks[(here > 0 ? here : lane->block_count) - 1],
		.scratch = &lane->scratch, .over = at->pass > 0,
	};

	step.ref = argon2_window_block(&window, choosing_word(lane, at, step.prev));
	if (after.index < at->segment_length)
		step.ahead = window_at(lane, &after);
	if (is_data_independent(at->pass, at->slice)) {
		if (step.ahead.count > 0 && after.index % ARGON2_BLOCK_WORDS != 0)
			argon2_prefetch(argon2_window_block(&step.ahead, choosing_word(lane, &after, NULL)));
		step.ahead.count = 0;
	}
	kernel->compress(&step);
}

void
argon2_fill_segment(const struct argon2_kernel *kernel, struct argon2_lane *const lanes[], unsigned count, uint32_t pass,
    uint32_t slice)
{
	struct position at = { pass, slice, 0, lanes[0]->block_count / ARGON2_SLICES };
	bool independent = is_data_independent(pass, slice);

	/* The first two blocks of all come from the password (argon2_engine.c). */
	if (pass == 0 && slice == 0)
		at.index = 2;
	if (independent && at.index % ARGON2_BLOCK_WORDS != 0)
		for (unsigned i = 0; i < count; i++)
			make_addresses(kernel, lanes[i], &at);
	for (; at.index < at.segment_length; at.index++)
		for (unsigned i = 0; i < count; i++) {
			if (independent && at.index % ARGON2_BLOCK_WORDS == 0)
				make_addresses(kernel, lanes[i], &at);
			fill_block(kernel, lanes[i], &at);
		}
}
