/* The end-of-run report. */
#ifndef MHD2D_REPORT_H
#define MHD2D_REPORT_H

#include "jump.h"
#include "run.h"
#include "solver.h"

/* Print on rank 0, as text or one line of JSON. -1 when there is no memory. Collective. */
int report(solver *s, const jumper *jumps, totals initial, const interval_cost *cost, int intervals, int json);

#endif
