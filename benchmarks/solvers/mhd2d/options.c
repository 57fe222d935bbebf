#define _POSIX_C_SOURCE 200809L
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <surrogate/surrogate_mpi.h>

#include "error.h"

static const char HELP[] =
    "mhd2d: 2-D compressible ideal MHD on a periodic rectangle (MUSCL, HLLD, constrained transport, MPI)\n"
    "\n"
    "  mhd2d [options]                           one run to --t-end\n"
    "  mhd2d --frames K --interval DT [options]  K frames at exactly T0 + k DT\n"
    "\n"
    "start\n"
    "  --problem NAME       random (default), orszag-tang, wave, brio-wu\n"
    "  --seed N             of the random family (0)\n"
    "  --mach M --beta B    rms Mach number and plasma beta of the random family (drawn: 0.3-0.6, 3-10)\n"
    "  --b0x B --b0y B      mean field (the problem's)\n"
    "  --gamma G            adiabatic index (5/3; brio-wu 2)\n"
    "  --nx N --ny N        cells (128, ny = nx); on restart an integer fraction of the frame's\n"
    "  --lx L --ly L        size of the domain (1)\n"
    "  --restart FILE       start from a frame; time, gamma, size and mean field come from the file\n"
    "  --restart-frame K    which (0); negative counts from the end\n"
    "run\n"
    "  --t-end T            when to stop (0.5; with --frames, the last frame)\n"
    "  --cfl C              Courant number (0.4)\n"
    "output\n"
    "  --output FILE        HDF5; written aside and renamed when complete\n"
    "  --frames K           number of frames; without it, one at --t-end\n"
    "  --first-frame T0     time of the first (the start)\n"
    "  --interval DT        time between frames\n"
    "  --precision P        single or double: how frames are stored (double)\n"
    "  --json               report as one line of JSON\n"
    "  --repeat R           with --restart: start R times from that frame, to time the interval; the last is stored\n"
    "surrogate\n"
    "  --surrogate BUNDLE   each interval in one jump of a surrogate, stepping natively where it refuses\n"
    "  --surrogate-mode M   where its program runs: tiles, gather, batch, auto (auto)\n"
    "  --surrogate-threads N  of a rank that runs it (0: the cores of the node, shared among those)\n"
    "  --surrogate-tile NYxNX  cells of a tile without its halo (the rank's block)\n"
    "  --help               this text\n";

static int parse_double(const char *name, const char *text, double *value) {
    char *end;
    *value = strtod(text, &end);
    if (end == text || *end || !isfinite(*value))
        return fail("--%s: got '%s', expected a number", name, text);
    return 0;
}

static int parse_int(const char *name, const char *text, long least, int *value) {
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (end == text || *end || errno || number < least || number > 1000000000)
        return fail("--%s: got '%s', expected an integer of at least %ld", name, text, least);
    *value = (int)number;
    return 0;
}

static int parse_seed(const char *text, unsigned long *seed) {
    char *end;
    errno = 0;
    *seed = strtoul(text, &end, 10);
    if (end == text || *end || errno || text[0] == '-')
        return fail("--seed: got '%s', expected an integer of at least 0", text);
    return 0;
}

static int parse_precision(const char *text, int *in_double) {
    *in_double = strcmp(text, "double") == 0;
    if (*in_double || strcmp(text, "single") == 0)
        return 0;
    return fail("--precision: got '%s', expected single or double", text);
}

static int parse_mode(const char *text, int *mode) {
    for (*mode = SURROGATE_MPI_AUTO; *mode <= SURROGATE_MPI_BATCH; ++*mode)
        if (strcmp(text, surrogate_mpi_mode_name(*mode)) == 0)
            return 0;
    return fail("--surrogate-mode: got '%s', expected auto, tiles, gather or batch", text);
}

static int parse_tile(const char *text, int tile[2]) {
    char rest;
    if (sscanf(text, "%dx%d%c", &tile[0], &tile[1], &rest) == 2 && tile[0] > 0 && tile[1] > 0)
        return 0;
    return fail("--surrogate-tile: got '%s', expected two positive numbers as 64x128 (ny, nx)", text);
}

enum {
    O_PROBLEM = 1,
    O_SEED,
    O_MACH,
    O_BETA,
    O_B0X,
    O_B0Y,
    O_GAMMA,
    O_NX,
    O_NY,
    O_LX,
    O_LY,
    O_RESTART,
    O_RESTART_FRAME,
    O_T_END,
    O_CFL,
    O_OUTPUT,
    O_FRAMES,
    O_FIRST_FRAME,
    O_INTERVAL,
    O_PRECISION,
    O_JSON,
    O_REPEAT,
    O_SURROGATE,
    O_SURROGATE_MODE,
    O_SURROGATE_THREADS,
    O_SURROGATE_TILE,
    O_HELP
};

static const struct option LONG[] = {{"problem", 1, NULL, O_PROBLEM},
                                     {"seed", 1, NULL, O_SEED},
                                     {"mach", 1, NULL, O_MACH},
                                     {"beta", 1, NULL, O_BETA},
                                     {"b0x", 1, NULL, O_B0X},
                                     {"b0y", 1, NULL, O_B0Y},
                                     {"gamma", 1, NULL, O_GAMMA},
                                     {"nx", 1, NULL, O_NX},
                                     {"ny", 1, NULL, O_NY},
                                     {"lx", 1, NULL, O_LX},
                                     {"ly", 1, NULL, O_LY},
                                     {"restart", 1, NULL, O_RESTART},
                                     {"restart-frame", 1, NULL, O_RESTART_FRAME},
                                     {"t-end", 1, NULL, O_T_END},
                                     {"cfl", 1, NULL, O_CFL},
                                     {"output", 1, NULL, O_OUTPUT},
                                     {"frames", 1, NULL, O_FRAMES},
                                     {"first-frame", 1, NULL, O_FIRST_FRAME},
                                     {"interval", 1, NULL, O_INTERVAL},
                                     {"precision", 1, NULL, O_PRECISION},
                                     {"json", 0, NULL, O_JSON},
                                     {"repeat", 1, NULL, O_REPEAT},
                                     {"surrogate", 1, NULL, O_SURROGATE},
                                     {"surrogate-mode", 1, NULL, O_SURROGATE_MODE},
                                     {"surrogate-threads", 1, NULL, O_SURROGATE_THREADS},
                                     {"surrogate-tile", 1, NULL, O_SURROGATE_TILE},
                                     {"help", 0, NULL, O_HELP},
                                     {NULL, 0, NULL, 0}};

static int take(options *o, int which, const char *name, const char *text) {
    problem_choice *p = &o->problem;
    switch (which) {
    case O_PROBLEM:
        p->name = text;
        return 0;
    case O_SEED:
        return parse_seed(text, &p->seed);
    case O_MACH:
        return parse_double(name, text, &p->mach);
    case O_BETA:
        return parse_double(name, text, &p->beta);
    case O_B0X:
        return parse_double(name, text, &p->b0x);
    case O_B0Y:
        return parse_double(name, text, &p->b0y);
    case O_GAMMA:
        return parse_double(name, text, &p->gamma);
    case O_NX:
        return parse_int(name, text, 1, &o->nx);
    case O_NY:
        return parse_int(name, text, 1, &o->ny);
    case O_LX:
        return parse_double(name, text, &p->lx);
    case O_LY:
        return parse_double(name, text, &p->ly);
    case O_RESTART:
        o->restart = text;
        return 0;
    case O_RESTART_FRAME:
        return parse_int(name, text, -1000000, &o->restart_frame);
    case O_T_END:
        return parse_double(name, text, &o->t_end);
    case O_CFL:
        return parse_double(name, text, &o->cfl);
    case O_OUTPUT:
        o->output = text;
        return 0;
    case O_FRAMES:
        return parse_int(name, text, 1, &o->frames);
    case O_FIRST_FRAME:
        return parse_double(name, text, &o->first_frame);
    case O_INTERVAL:
        return parse_double(name, text, &o->interval);
    case O_PRECISION:
        return parse_precision(text, &o->in_double);
    case O_JSON:
        o->json = 1;
        return 0;
    case O_REPEAT:
        return parse_int(name, text, 1, &o->repeat);
    case O_SURROGATE:
        o->surrogate = text;
        return 0;
    case O_SURROGATE_MODE:
        return parse_mode(text, &o->surrogate_mode);
    case O_SURROGATE_THREADS:
        return parse_int(name, text, 0, &o->surrogate_threads);
    case O_SURROGATE_TILE:
        return parse_tile(text, o->tile);
    default:
        return fail("unknown option or missing value; see mhd2d --help");
    }
}

static int check(const options *o) {
    const problem_choice *p = &o->problem;
    if (!(o->cfl > 0.0))
        return fail("--cfl: got %g, expected a positive number (0.4 is safe, 0.5 the limit)", o->cfl);
    if (p->gamma <= 1.0 || p->lx <= 0.0 || p->ly <= 0.0 || p->mach < 0.0 || p->beta <= 0.0)
        return fail(
            "--gamma must exceed 1, --lx, --ly and --beta 0, and --mach not be negative; got %g, %g, %g, %g, %g",
            p->gamma, p->lx, p->ly, p->beta, p->mach);
    if (o->frames > 1 && !(o->interval > 0.0))
        return fail("--frames %d needs a positive --interval", o->frames);
    if (!o->frames && !(isnan(o->interval) && isnan(o->first_frame)))
        return fail("--interval and --first-frame need --frames");
    if (o->repeat && (!o->restart || o->frames))
        return fail("--repeat needs --restart and excludes --frames: it times one interval, to --t-end");
    if (o->frames && !isnan(o->t_end))
        return fail("--t-end and --frames exclude each other: the run ends with its last frame");
    return 0;
}

int options_parse(options *o, int argc, char **argv, int rank) {
    *o = (options){
        .problem =
            {.name = "random", .gamma = NAN, .lx = NAN, .ly = NAN, .b0x = NAN, .b0y = NAN, .mach = NAN, .beta = NAN},
        .cfl = 0.4,
        .t_end = NAN,
        .first_frame = NAN,
        .interval = NAN,
        .in_double = 1};
    int which, index = 0;
    opterr = 0;
    while ((which = getopt_long(argc, argv, "", LONG, &index)) != -1) {
        if (which == O_HELP) {
            if (rank == 0)
                fputs(HELP, stdout);
            return 1;
        }
        if (which == '?')
            return fail("%s: unknown option, or its value is missing or not wanted; see mhd2d --help",
                        argv[optind - 1]);
        if (take(o, which, LONG[index].name, optarg))
            return -1;
    }
    if (optind < argc)
        return fail("'%s': expected options only; see mhd2d --help", argv[optind]);
    return check(o);
}
