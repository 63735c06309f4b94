/* SPDX-License-Identifier: MPL-2.0 */
/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators). */
#include "sim.h"

#include <math.h>

uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15U;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

int64_t random_between(struct random *random, int64_t low, int64_t high)
{
    return low + (int64_t)(random_next(random) % (uint64_t)(high - low + 1));
}

static double random_unit(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1.0p-53;
}

bool random_chance(struct random *random, double probability)
{
    return random_unit(random) < probability;
}

int64_t random_after(struct random *random, double mean)
{
    return 1 + (int64_t)(-log(1.0 - random_unit(random)) * mean);
}
