#include "report.h"

#include <stdio.h>
#include <stdlib.h>

#include "error.h"

static void print_totals(const char *name, double before, double after, int json) {
    if (json)
        printf(", \"%s_initial\": %.17g, \"%s_final\": %.17g", name, before, name, after);
    else
        printf("  %-12s %.15g -> %.15g (change %.2e)\n", name, before, after, after - before);
}

static void print_all_totals(totals a, totals b, int json) {
    print_totals("mass", a.mass, b.mass, json);
    print_totals("momentum_x", a.momentum_x, b.momentum_x, json);
    print_totals("momentum_y", a.momentum_y, b.momentum_y, json);
    print_totals("energy", a.energy, b.energy, json);
}

static void print_intervals(const double *seconds, const interval_cost *cost, int n) {
    printf(", \"seconds_per_interval\": [");
    for (int k = 0; k < n; k++)
        printf("%s%.6g", k ? ", " : "", seconds[k]);
    printf("], \"steps_per_interval\": [");
    for (int k = 0; k < n; k++)
        printf("%s%ld", k ? ", " : "", cost[k].steps);
    printf("]");
}

int report(solver *s, const jumper *jumps, totals initial, const interval_cost *cost, int intervals, int json) {
    const grid *g = &s->grid;
    double *own = malloc(2 * (size_t)(intervals + 1) * sizeof *own), *longest = own + intervals + 1;
    int bad = !own, anywhere;
    MPI_Allreduce(&bad, &anywhere, 1, MPI_INT, MPI_MAX, g->comm);
    if (anywhere) {
        free(own);
        return fail("report: no memory for %d intervals", intervals);
    }
    for (int k = 0; k < intervals; k++)
        own[k] = cost[k].seconds;
    own[intervals] = s->seconds;
    MPI_Reduce(own, longest, intervals + 1, MPI_DOUBLE, MPI_MAX, 0, g->comm);
    totals final = solver_totals(s);
    double div_b = solver_max_div_b(s);
    long floors = solver_floor_count(s);
    if (g->rank == 0) {
        double seconds = longest[intervals], work = (double)s->steps * g->global_nx * g->global_ny;
        double rate = seconds > 0.0 ? work / seconds / g->ranks : 0.0;
        if (json) {
            printf("{\"nx\": %d, \"ny\": %d, \"ranks\": %d, \"time\": %.17g, \"steps\": %ld, \"seconds\": %.6g, "
                   "\"cell_steps_per_second\": %.6g, \"max_div_b\": %.3e, \"floor_count\": %ld",
                   g->global_nx, g->global_ny, g->ranks, s->time, s->steps, seconds, rate, div_b, floors);
            print_all_totals(initial, final, 1);
            print_intervals(longest, cost, intervals);
        } else {
            printf("mhd2d: %d x %d cells on %d rank(s), time %g\n", g->global_nx, g->global_ny, g->ranks, s->time);
            printf("  %ld steps in %.3f s, %.2f million cell-steps per second and core\n", s->steps, seconds,
                   1e-6 * rate);
            printf("  max |div B| dx / max |B| = %.1e, cells lifted to a floor: %ld\n", div_b, floors);
            print_all_totals(initial, final, 0);
        }
    }
    jumper_report(jumps, s, json);
    if (g->rank == 0 && json)
        printf("}\n");
    free(own);
    return 0;
}
