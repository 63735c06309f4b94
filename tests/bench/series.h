/* SPDX-License-Identifier: MPL-2.0 */
/* Measured values, and what is said of them. */
#ifndef THUNDERSEAL_BENCH_SERIES_H
#define THUNDERSEAL_BENCH_SERIES_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* What one measurement gave, time by time. */
struct series {
    double *values;
    size_t count;
};

static inline _Noreturn void give_up(const char *what, const char *name)
{
    fprintf(stderr, "round_trips: %s: %s\n", name, what);
    exit(1);
}

static inline void add(struct series *series, double value)
{
    series->values = realloc(series->values, (series->count + 1) * sizeof *series->values);
    if (series->values == NULL)
        give_up("out of memory", "series");
    series->values[series->count++] = value;
}

static inline int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* Sorts the series. 0 when it is empty. */
static inline double quantile(struct series *series, double part)
{
    if (series->count == 0)
        return 0;
    qsort(series->values, series->count, sizeof *series->values, compare);
    return series->values[(size_t)((double)(series->count - 1) * part + 0.5)];
}

static inline json_t *turns(const struct series *series)
{
    json_t *array = json_array();

    for (size_t i = 0; i < series->count; i++)
        json_array_append_new(array, json_real(series->values[i]));
    return array;
}

#endif
