/* mpi_predict_faults SCENES BUNDLE MODES, scenes as nan,place and modes as 123: whatever one rank does wrong, all ranks
 * return the same status and text, no output is written, and the next call works. The domain is 24 x 40, the ranks hold
 * equal parts of its rows. */
#include "domain.h"

static int rank, size, last;
static const domain whole = {2, {24, 40, 1}};

typedef struct call {
    surrogate_mpi_model *m;
    box block;
    surrogate_step_options step;
    state now, next;
} call;

static void open_model(call *c, const char *path, int mode, int64_t tile) {
    surrogate_mpi_options options;
    surrogate_mpi_options_init(&options, sizeof options);
    options.mode = mode;
    options.deadline = 20;
    options.tile_shape[0] = options.tile_shape[1] = tile;
    if (!CHECK_STATUS(surrogate_mpi_open(&c->m, MPI_COMM_WORLD, path, NULL, &options), SURROGATE_OK, ""))
        exit(1);
}

static box rows(int64_t from, int64_t to) {
    const box b = {{from, 0, 0}, {to, whole.shape[1], 1}};
    return b;
}

static void hold(call *c, box block) {
    c->block = block;
    c->step = step_of(&whole, &block);
    c->now = make_state(&whole, 2, &block, SURROGATE_FLOAT64, 0);
    c->next = make_state(NULL, 2, &block, SURROGATE_FLOAT64, -1);
}

static void hold_equal_part(call *c) {
    hold(c, rows(24 * rank / size, 24 * (rank + 1) / size));
}

static void release(call *c) {
    free(c->now.values);
    free(c->next.values);
}

/* The status and text of this rank are those of all. */
static void check_same(int status) {
    char mine[1024], theirs[1024];
    int root = status;
    snprintf(mine, sizeof mine, "%s", status == SURROGATE_OK ? "" : surrogate_last_error());
    memcpy(theirs, mine, sizeof mine);
    MPI_Bcast(&root, 1, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Bcast(theirs, sizeof theirs, MPI_CHAR, 0, MPI_COMM_WORLD);
    CHECK(status == root);
    CHECK(!strcmp(mine, theirs));
}

/* A call that ends so on all ranks, before it writes anything. */
static void check_refused(call *c, int expected, const char *part) {
    const int status = surrogate_mpi_predict(c->m, c->next.fields, c->now.fields, FIELDS, &c->step);
    CHECK_STATUS(status, expected, part);
    check_same(status);
    CHECK(untouched(&c->next, -1));
}

static void check_works(surrogate_mpi_model *m) {
    call c;
    c.m = m;
    hold_equal_part(&c);
    CHECK_STATUS(surrogate_mpi_predict(m, c.next.fields, c.now.fields, FIELDS, &c.step), SURROGATE_OK, "");
    CHECK(!untouched(&c.next, -1));
    release(&c);
}

static const char *about_rank(int number, const char *rest) {
    static char texts[8][256];
    static int next = 0;
    char *text = texts[next++ % 8];
    if (size > 1)
        snprintf(text, 256, "rank %d: %s", number, rest);
    else
        snprintf(text, 256, "%s", rest);
    return text;
}

/* ------------------------------------------------------------------------------------------------ rejections -- */

static surrogate_mpi_rejection rejection_of(surrogate_mpi_model *m) {
    surrogate_mpi_rejection r;
    r.struct_size = sizeof r;
    CHECK_STATUS(surrogate_mpi_last_rejection(m, &r), SURROGATE_OK, "");
    return r;
}

/* NaN in v_y at row 20, column 13 of the domain. */
static void value_that_is_no_number(call *c) {
    surrogate_mpi_rejection r = rejection_of(c->m);
    const int64_t row = 20 - c->block.lower[0];
    CHECK(r.reason == SURROGATE_REASON_NONE && r.rank == -1);
    hold_equal_part(c);
    if (rank == last)
        set(&c->now, at(&c->now, 2, row, 13, 0), NAN);
    check_refused(c, SURROGATE_REJECTED, size > 1 ? "cell [20, 13] of the domain of component 1" : "[20, 13]");
    CHECK(strstr(surrogate_last_error(), "'v'") && strstr(surrogate_last_error(), "surrogate_mpi_predict: rejected"));
    r = rejection_of(c->m);
    CHECK(r.rank == last && r.reason == SURROGATE_REASON_INPUT_NOT_FINITE && r.field == 1 && r.component == 1);
    CHECK(r.cell[0] == 20 && r.cell[1] == 13 && r.cell[2] == 0 && r.value != r.value);
    release(c);
}

/* NaN where the frames of other ranks depend on the last rank's block, which is named all the same. */
static void value_that_spreads(call *c) {
    surrogate_mpi_rejection r;
    hold_equal_part(c);
    if (rank == last) {
        set(&c->now, at(&c->now, 2, 0, 13, 0), NAN);
        set(&c->now, at(&c->now, 2, c->block.upper[0] - c->block.lower[0] - 1, 13, 0), NAN);
    }
    check_refused(c, SURROGATE_REJECTED, "'v'");
    r = rejection_of(c->m);
    CHECK(r.rank == last && r.reason == SURROGATE_REASON_INPUT_NOT_FINITE && r.field == 1);
    CHECK(r.cell[0] == 24 * last / size && r.cell[1] == 13);
    release(c);
}

/* The bundle bounds rho by 50; ranks 0 and the last give more, and the program doubles v_y into rho. */
static void values_out_of_bounds(call *c) {
    surrogate_mpi_rejection r;
    hold_equal_part(c);
    if (rank == 0 || rank == last)
        set(&c->now, at(&c->now, 0, 1, 2, 0), 51.0 + rank);
    check_refused(c, SURROGATE_REJECTED, "bounds");
    r = rejection_of(c->m);
    CHECK(r.rank == 0 && r.reason == SURROGATE_REASON_INPUT_OUT_OF_BOUNDS && r.field == 0 && r.value == 51.0);
    CHECK(r.cell[0] == 1 && r.cell[1] == 2 && r.upper == 50.0);
    release(c);
}

/* The bundle conserves the integral of rho, which the program does not. */
static void integral_over_all_ranks(call *c) {
    surrogate_mpi_rejection r;
    hold_equal_part(c);
    check_refused(c, SURROGATE_REJECTED, "'rho'");
    r = rejection_of(c->m);
    CHECK(r.rank == -1 && r.reason == SURROGATE_REASON_NOT_CONSERVED && r.field == 0 && r.value > r.upper);
    release(c);
}

/* ------------------------------------------------------------------------------------------------- arguments -- */

static void arguments_of_one_rank(call *c) {
    surrogate_field fields[FIELDS];
    hold_equal_part(c);
    memcpy(fields, c->now.fields, sizeof fields);
#define GIVE(change, status, part)                                                                                     \
    memcpy(c->now.fields, fields, sizeof fields);                                                                      \
    if (rank == last)                                                                                                  \
        change;                                                                                                        \
    check_refused(c, status, about_rank(last, part))
    GIVE(c->now.fields[0].data = NULL, SURROGATE_ERROR_ARGUMENT, "surrogate_");
    GIVE(c->now.fields[0].name = "nothing", SURROGATE_ERROR_FIELD, "surrogate_");
    GIVE(c->now.fields[0].shape[0] += 1, SURROGATE_ERROR_SHAPE, "surrogate_");
    GIVE(c->now.fields[0].shape[1] = -1, SURROGATE_ERROR_SHAPE, "surrogate_");
    GIVE(c->now.fields[0].rank = 99, SURROGATE_ERROR_SHAPE, "surrogate_");
    GIVE(c->now.fields[1].dtype = 9, SURROGATE_ERROR_DTYPE, "surrogate_");
    GIVE(c->step.struct_size = 1, SURROGATE_ERROR_ARGUMENT, "surrogate_");
    release(c);
}

static void array_of_one_rank(call *c) {
    int64_t shape[3] = {CHANNELS, 24 * (rank + 1) / size - 24 * rank / size, 40};
    double *array = calloc((size_t)(CHANNELS * shape[1] * shape[2]), sizeof *array);
    int status;
    hold_equal_part(c);
    shape[0] += rank == last;
    status = surrogate_mpi_predict_array(c->m, array, array, SURROGATE_FLOAT64, 3, shape, &c->step);
    CHECK_STATUS(status, SURROGATE_ERROR_FIELD, about_rank(last, ""));
    check_same(status);
    status = surrogate_mpi_predict_array(c->m, array, rank == last ? NULL : array, SURROGATE_FLOAT64, 3, shape, NULL);
    CHECK_STATUS(status, SURROGATE_ERROR_ARGUMENT, "");
    check_same(status);
    free(array);
    release(c);
}

static void ranks_that_disagree(call *c) {
    const double large = 0.9;
    surrogate_step_options step;
    hold_equal_part(c);
    step = c->step;
#define DISAGREE(change, part)                                                                                         \
    c->step = step;                                                                                                    \
    if (rank == last)                                                                                                  \
        change;                                                                                                        \
    check_refused(c, SURROGATE_ERROR_ARGUMENT, part)
    DISAGREE(c->step.step = 8, "step: rank");
    DISAGREE(c->step.seed = 8, "seed: rank");
    DISAGREE(c->step.member = 8, "member: rank");
    DISAGREE(c->step.global_shape[0] = 48, "global_shape[0]: rank");
    DISAGREE((c->step.parameters = &large, c->step.parameter_count = 1), "parameter 'nu': rank");
    DISAGREE(c->step.steps = 1, "steps: rank");
    DISAGREE(c->step.guidance = 2, "parameter 'guidance': rank");
    DISAGREE(c->step.caption = "red", "caption: rank");
    c->step = step;
    if (rank == last)
        c->step.steps = 3;
    check_refused(c, SURROGATE_ERROR_PARAMETER, "step.steps 3 given, expected one of [1, 2]");
    c->step = step;
    c->step.steps = 1; /* of all ranks */
    CHECK_STATUS(surrogate_mpi_predict(c->m, c->next.fields, c->now.fields, FIELDS, &c->step), SURROGATE_OK, "");
    release(c);
    c->step = step;
    if (rank == last)
        c->now = make_state(&whole, 2, &c->block, SURROGATE_FLOAT32, 0),
        c->next = make_state(NULL, 2, &c->block, SURROGATE_FLOAT32, -1);
    else
        hold_equal_part(c);
    check_refused(c, SURROGATE_ERROR_ARGUMENT, "dtype: rank");
    release(c);
}

/* ---------------------------------------------------------------------------------------------- decomposition -- */

static void place(call *c, box block, int status, const char *part) {
    hold(c, block);
    check_refused(c, status, part);
    release(c);
}

static void blocks_that_do_not_cover_once(call *c) {
    const int64_t from = 24 * rank / size, to = 24 * (rank + 1) / size;
    char text[64];
    place(c, rank == last ? rows(from + 1, to) : rows(from, to), SURROGATE_ERROR_SHAPE, "belong to no rank");
    snprintf(text, sizeof text, "ranks %d ", size > 1 ? last - 1 : 0);
    if (size > 1)
        place(c, rank == last ? rows(from - 1, to) : rows(from, to), SURROGATE_ERROR_SHAPE, text);
    if (size > 1)
        place(c, rank == last ? rows(from - 1, to - 1) : rows(from, to), SURROGATE_ERROR_SHAPE, "overlap");
    snprintf(text, sizeof text, "rank %d gave the block", last);
    place(c, rank == last ? rows(from, to + 1) : rows(from, to), SURROGATE_ERROR_SHAPE, text);
    hold_equal_part(c);
    if (rank == last)
        c->step.origin[1] = INT64_MAX;
    check_refused(c, SURROGATE_ERROR_SHAPE, "");
    release(c);
}

static void place_not_given(call *c) {
    int status;
    hold_equal_part(c);
    status = surrogate_mpi_predict(c->m, c->next.fields, c->now.fields, FIELDS, NULL);
    if (size == 1)
        CHECK_STATUS(status, SURROGATE_OK, "");
    else
        CHECK_STATUS(status, SURROGATE_ERROR_ARGUMENT, "global_shape [0, 0] given");
    check_same(status);
    release(c);
}

/* Its stride does not divide the domain: no tiles over the periodic edge. */
static void tiles_out_of_phase(call *c) {
    hold_equal_part(c);
    if (size > 1)
        check_refused(c, SURROGATE_ERROR_UNSUPPORTED, "out of phase");
    release(c);
}

/* -------------------------------------------------------------------------------------------------- programs -- */

/* The last rank holds the first cells of all tiles of 8 x 8, the others a row each and no tile: it alone comes to the
 * run that fails. */
static void program_that_fails_on_one_rank(call *c) {
    hold(c, rank == last ? rows(0, 24 - last) : rows(24 - last + rank, 24 - last + rank + 1));
    check_refused(c, SURROGATE_ERROR_EXECUTION, about_rank(last, "surrogate_parts_run"));
    CHECK_STATUS(surrogate_mpi_predict(c->m, c->next.fields, c->now.fields, FIELDS, &c->step), SURROGATE_OK, "");
    CHECK(!untouched(&c->next, -1));
    release(c);
}

static const struct {
    const char *name;
    void (*run)(call *);
    int64_t tile;
    int works_after;
} SCENES[] = {{"nan", value_that_is_no_number, 0, 1},
              {"spread", value_that_spreads, 0, 1},
              {"bounds", values_out_of_bounds, 0, 1},
              {"integral", integral_over_all_ranks, 0, 0},
              {"arguments", arguments_of_one_rank, 0, 1},
              {"array", array_of_one_rank, 0, 1},
              {"disagree", ranks_that_disagree, 0, 1},
              {"blocks", blocks_that_do_not_cover_once, 0, 1},
              {"place", place_not_given, 0, 1},
              {"phase", tiles_out_of_phase, 0, 0},
              {"program", program_that_fails_on_one_rank, 8, 0}};

static void play(const char *name, const char *path, int mode) {
    call c;
    size_t i = 0;
    while (strcmp(SCENES[i].name, name))
        if (++i == sizeof SCENES / sizeof *SCENES) {
            fprintf(stderr, "no scene: %s\n", name);
            exit(2);
        }
    memset(&c, 0, sizeof c);
    open_model(&c, path, mode, SCENES[i].tile);
    c.block = rows(24 * rank / size, 24 * (rank + 1) / size);
    SCENES[i].run(&c);
    if (SCENES[i].works_after)
        check_works(c.m);
    CHECK_STATUS(surrogate_mpi_close(c.m), SURROGATE_OK, "");
}

int main(int argc, char **argv) {
    char *scene, *mode;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    last = size - 1;
    if (argc < 4)
        return 2;
    for (scene = strtok(argv[1], ","); scene; scene = strtok(NULL, ","))
        for (mode = argv[3]; *mode; ++mode)
            play(scene, argv[2], *mode - '0');
    MPI_Finalize();
    return finish();
}
