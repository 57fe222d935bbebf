/* How far a case's frame is from that of one process with the whole domain. */
#ifndef SCALING_PARITY_H
#define SCALING_PARITY_H

#include "cases.h"

/* A frame of the whole domain on every rank, by surrogate_predict with one thread. */
typedef struct {
    int64_t ny, nx;
    double *frame;    /* [channels][ny][nx] */
    double increment; /* largest |frame - input|, over the leading fields if `pairs` */
} reference;

/* Collective over the world; -1 with a text on stderr. */
int reference_make(reference *r, const char *bundle, const state *s, int64_t ny, int64_t nx, int pairs);
void reference_free(reference *r);

/* Largest difference of c's last output from the reference, over r->increment; -1 on ranks that are not in the case.
 * pairs: the second half of the channels is the rest of the first half, and the sums are compared. Collective over
 * c->comm. */
double reference_difference(const reference *r, const scaling_case *c, int64_t channels, int pairs);

#endif
