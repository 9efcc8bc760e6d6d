"""timing.py: do the times of two kinds of refusal tell themselves apart?  What the tests over HTTP and over PAM share.

The samples, taken interleaved in random order, are compared with the test of Mann and Whitney: the chance that times of
one kind tell themselves apart from those of the other, were they alike.  At least 300 samples a side.  ALIKE is set so
that even noise fails a look once in ten thousand; the noise of a busy machine comes in bursts and does worse, so a kind
counts as told apart when three looks in a row say so, each in the same direction."""

import math
import random
import statistics

SAMPLES = 300
ALIKE = 0.0001
LOOKS = 3


def mann_whitney(one, other):
    """The two-sided p value, by the normal approximation with the correction for ties."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks, ties, at = [0.0, 0.0], 0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        for _, side in ranked[at:end]:
            ranks[side] += (at + 1 + end) / 2
        ties += (end - at) ** 3 - (end - at)
        at = end
    n, m = len(one), len(other)
    u = ranks[0] - n * (n + 1) / 2
    spread = math.sqrt(n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1))))
    return math.erfc(abs(u - n * m / 2) / spread / math.sqrt(2))


def interleaved(kinds, samples=SAMPLES):
    """SAMPLES of each of KINDS, in random order."""
    return [kind for _ in range(samples) for kind in random.sample(list(kinds), len(kinds))]


def told_apart(times):
    """Of {kind: seconds, ...} the kinds that tell themselves apart from the first: {(kind, "slower" or "faster")}."""
    first, *others = times
    found = {kind: mann_whitney(times[first], times[kind]) for kind in others}
    print({kind: f"median {statistics.median(values) * 1000:.2f} ms" for kind, values in times.items()}, found)
    middle = statistics.median(times[first])
    return {(kind, "slower" if statistics.median(times[kind]) > middle else "faster")
            for kind, p in found.items() if p < ALIKE}


def told_apart_each_time(measure, names):
    """The kinds that do so in every look; MEASURE gives the times of NAMES {kind: logins}, the first being compared with."""
    found = told_apart(measure(names))
    for _ in range(LOOKS - 1):
        if found:
            first = next(iter(names))
            found &= told_apart(measure({first: names[first], **{kind: names[kind] for kind, _ in found}}))
    return found
