/* surrogate_mpi.h - call a trained model from a solver whose domain lies in blocks on the ranks of MPI.
 *
 * Every rank hands over its own block of the state and receives its block of the frame.  The answer is that of one
 * process with the whole domain, on any number of ranks:
 *
 *     surrogate_mpi_model *m;
 *     if (surrogate_mpi_open(&m, comm, "flow.surrogate", NULL, NULL) < 0) die(surrogate_last_error());
 *     surrogate_step_options step;
 *     surrogate_step_options_init(&step, sizeof step);
 *     step.origin[0] = y0; step.origin[1] = x0;                 (the block's first cell in the whole domain)
 *     step.global_shape[0] = ny; step.global_shape[1] = nx;     (slowest axis first)
 *     switch (surrogate_mpi_predict(m, next, now, 5, &step)) {
 *     case SURROGATE_OK:       swap(&now, &next);             break;
 *     case SURROGATE_REJECTED: solver_advance(u, time_step);  break;   (on all ranks)
 *     default:                 die(surrogate_last_error());            (on all ranks)
 *     }
 *     surrogate_mpi_close(m);
 *
 * Library libsurrogate_mpi, over libsurrogate and the MPI that it was built with.  The rules of surrogate.h hold here,
 * and these:
 * - Every function marked "collective" is called by all ranks of the communicator, in the same order.  Its outcome is
 *   agreed: all ranks return the same status, and surrogate_last_error names the rank that caused it.
 * - The communicator is duplicated, with its own error handler; MPI_COMM_WORLD is never used, MPI_Abort never called.
 * - MPI must be initialised and not finalised (else SURROGATE_ERROR_ARGUMENT), with MPI_THREAD_FUNNELED or more if the
 *   program has threads; all calls on one communicator come from one thread at a time.
 * - Waiting ranks sleep between looks: they leave their cores to ranks that compute.
 * - A rank that is not heard of within the deadline: the others return SURROGATE_ERROR_TIMEOUT, which names it, within
 *   four deadlines.  After that only surrogate_mpi_close is legal (others: SURROGATE_ERROR_TIMEOUT at once), which then
 *   does not communicate; what was sent to the silent rank is leaked.  A rank that waits is not silent; one that
 *   computes or loads a program without a pause for longer than the deadline is.  A rank that falls silent after it
 *   gave its opinion of a call, before it handed on that of all: those that depend on it time out in that call, the
 *   others get its outcome and time out in their next call.
 * - Every wait for another rank has that deadline, in open and close too.
 * - A rank in another call than the rest: SURROGATE_ERROR_ARGUMENT on all, which names it.  If it closes, every later
 *   call of the others is SURROGATE_ERROR_ARGUMENT at once, and their close does not communicate.
 */
#ifndef SURROGATE_SURROGATE_MPI_H
#define SURROGATE_SURROGATE_MPI_H

#include <mpi.h>

#include <surrogate/surrogate.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------- 1 modes -- */

/* Where programs run.  Packed values travel: float32 and normalised, whatever the fields' dtype.
 * TILES   each rank runs its own block plus a halo of the receptive field from the ranks that hold it; none at walls,
 *         nor along an axis that the rank holds whole.  Blocks of any size, 1-D to 3-D: a halo may reach past the
 *         neighbour.  Tiles begin on the stride and are as large as the grid rule asks; cells that this adds beyond the
 *         receptive field change nothing, are not exchanged, and are 0 after normalisation.
 * GATHER  the whole domain is put together on one rank, predicted there, and scattered: for nets that reduce over space
 *         (surrogate_info.reduces_over_space), for fixed grids, and for blocks smaller than their halo.  That rank
 *         holds it twice, as a tile and as messages; no other rank holds more than its block.
 * BATCH   ranks hand their tiles to a leader (options.leaders a node), which runs tiles of one shape in one engine
 *         call: many ranks, few GPUs.
 * AUTO    GATHER where tiles cannot be cut or a block is smaller than its halo; else BATCH where ranks outnumber the
 *         GPUs of a node and the device is "cuda"; else TILES.  The blocks are not known when a model is opened: a
 *         GATHER that they lead to has the threads of TILES.  Name the mode where it is known, and for bits that do not
 *         depend on the number of ranks.
 * SURROGATE_ERROR_UNSUPPORTED only where a mode was named that is impossible: TILES and BATCH of a model that reduces
 * over space or takes one shape only, or where the stride does not divide a periodic axis that is cut.
 * Frames of all modes equal those of one process to rounding (libraries choose kernels by shape: about 1e-5 of the
 * increment in fp32), with the same random numbers.  TILES with options.tile_shape and a fixed number of threads runs
 * the same tiles on any number of ranks: identical bits, unless policy "project" shifts a field by a sum over ranks,
 * which differs in rounding. */
enum surrogate_mpi_mode {
    SURROGATE_MPI_AUTO = 0,
    SURROGATE_MPI_TILES = 1,
    SURROGATE_MPI_GATHER = 2,
    SURROGATE_MPI_BATCH = 3
};
SURROGATE_API const char *surrogate_mpi_mode_name(int mode); /* "tiles"; "unknown" for a number that is none */

/* ------------------------------------------------------------------------------------- 2 open and close -- */

typedef struct surrogate_mpi_model surrogate_mpi_model;

/* Equal on all ranks, else SURROGATE_ERROR_ARGUMENT.  Initialise with surrogate_mpi_options_init. */
typedef struct surrogate_mpi_options {
    size_t struct_size; /* sizeof(surrogate_mpi_options) */
    int32_t mode;       /* enum surrogate_mpi_mode; default AUTO */
    int32_t leaders; /* BATCH: ranks of a node that run programs; 0 (default): one a GPU with device "cuda", else 1 */
    int32_t reader;  /* rank that reads the bundle and that GATHER runs on; default 0 */
    double deadline; /* seconds that a rank may be silent; default 600 */
    int64_t tile_shape[3]; /* TILES: cells of a tile without its halo, slowest axis first; best multiples of the
                              stride.  0 (default): tiles are the blocks.  All of the spatial axes or none */
} surrogate_mpi_options;
SURROGATE_API void surrogate_mpi_options_init(surrogate_mpi_options *options, size_t size);

/* Open a bundle on all ranks of `comm`.  Collective.
 * One rank reads bundle and overlay, the others receive what they need (one copy a node, in memory that its ranks
 * share); programs that must be files are unpacked by one rank a node, in a folder of $TMPDIR that is removed before
 * open returns (surrogate_verify of a bundle that holds such a program itself is then ERROR_NOT_FOUND).  Programs of an
 * overlay are made for one kind of machine: nodes of another kind pass them over, with a warning to `log` that ranks
 * run different programs.  Ranks that run no program load none.
 * path      of `reader`, who alone must see it; other ranks give NULL or the same text.
 * open      of `reader`, too (NULL: defaults); other ranks give NULL or the same, but for engine_options and log, which
 *           are each rank's own.  device "cuda" without a number: the rank's number among those of its node that run
 *           programs, modulo the GPUs that it sees (a warning to `log` where several share one).  threads 0: the cores
 *           that this rank may use, divided by the ranks of the node that share them and run programs; at least 1, at
 *           most OMP_NUM_THREADS.  record_calls: ERROR_UNSUPPORTED on more than one rank (use surrogate_mpi_recorder).
 * options   NULL: defaults.
 * comm      an intra-communicator of any size; borrowed during the call.  An inter-communicator or MPI_COMM_NULL:
 *           SURROGATE_ERROR_ARGUMENT.  If ranks are missing, the others find out which by messages on `comm` itself,
 *           with tags 32601 and 32602; no others are sent on it.
 * *model    NULL unless OK, then on all ranks.
 * On one rank this is surrogate_open. */
SURROGATE_API int surrogate_mpi_open(surrogate_mpi_model **model, MPI_Comm comm, const char *path,
                                     const surrogate_open_options *open, const surrogate_mpi_options *options);

/* Collective, unless a call timed out.  Frees the handle, whatever is returned; NULL is allowed. */
SURROGATE_API int surrogate_mpi_close(surrogate_mpi_model *model);

/* This rank's part as a model of surrogate.h, for surrogate_get_info, _get_field_info, _get_statistics, ...; it must be
 * neither closed nor asked to predict.  NULL for a closed handle. */
SURROGATE_API surrogate_model *surrogate_mpi_local(surrogate_mpi_model *model);

/* --------------------------------------------------------------------------------------------- 3 predict -- */

/* Predict the state one time step later.  Collective; arguments as in surrogate_predict, for this rank's block.
 * step->origin, step->global_shape: where the block lies in the whole domain, in cells, slowest axis first; NULL or 0
 * is legal on a communicator of size 1 only.  Blocks are boxes of any sizes that cover the domain once: gaps, overlaps
 * and blocks outside it are SURROGATE_ERROR_SHAPE, which names the ranks.  global_shape, seed, step, member,
 * parameters, steps, guidance, caption, dtype and the set of fields must be equal on all ranks, whichever of them run
 * programs: SURROGATE_ERROR_ARGUMENT, which names two ranks and what they gave.  What the bundle does not hold is an
 * error on all as soon as one rank asks for it.  On several ranks programs of all steps are loaded by
 * surrogate_mpi_open.  A decomposition is kept until any rank gives another one; a new one costs a gathering of all
 * blocks and a plan. The domain obeys the model's grid rule, blocks need not.  Host memory; fields in CUDA memory on a
 * communicator of size 1 only.  No batch axis. The guards decide by sums over the whole domain.  The output is written
 * on all ranks (OK), or on none. */
SURROGATE_API int surrogate_mpi_predict(surrogate_mpi_model *model, const surrogate_field *output,
                                        const surrogate_field *input, size_t count, const surrogate_step_options *step);

/* The short form, as surrogate_predict_array: this rank's block [C][ny][nx], dense. */
SURROGATE_API int surrogate_mpi_predict_array(surrogate_mpi_model *model, void *output, const void *input, int dtype,
                                              int rank, const int64_t *shape, const surrogate_step_options *step);

/* What the last REJECTED was about, the same on all ranks. */
typedef struct surrogate_mpi_rejection {
    size_t struct_size; /* sizeof(surrogate_mpi_rejection), set by the caller */
    int32_t rank;       /* lowest rank with a value of this reason; -1: a sum over all ranks broke the guard */
    int32_t reason;     /* enum surrogate_reason */
    int32_t field, component;
    int64_t cell[3]; /* in the whole domain */
    double value, lower, upper;
} surrogate_mpi_rejection;
SURROGATE_API int surrogate_mpi_last_rejection(surrogate_mpi_model *model, surrogate_mpi_rejection *rejection);

/* How the last prediction went on this rank. */
typedef struct surrogate_mpi_report {
    size_t struct_size; /* sizeof(surrogate_mpi_report), set by the caller */
    int32_t mode;       /* enum surrogate_mpi_mode that was used */
    const char *choice; /* one sentence: why this mode; lives until the next call */
    int32_t ranks, rank, node_ranks, node_rank, nodes;
    int32_t device; /* CUDA ordinal that this rank's program runs on; -1: the CPU, or no program */
    int32_t threads;
    int64_t tiles;                      /* that this rank ran */
    int64_t tile_shape[3];              /* of the largest of them, halo included */
    int64_t halo[3];                    /* cells beyond their output that tiles are read from, at most */
    int64_t bytes_sent, bytes_received; /* packed values and increments; check-ins: 0.6 KiB, 0.1 more a channel */
    int64_t minimum_bytes;              /* TILES: 4 bytes a channel and cell of an exact halo; else what it received */
    double pack_seconds;                /* reading and normalising the block */
    double exchange_seconds;            /* packed values and increments on their way */
    double program_seconds;             /* the program */
    double agree_seconds;               /* check-ins: waiting for the slowest rank is in here */
    double output_seconds;              /* guards and writing */
    double open_read_seconds, open_seconds; /* of surrogate_mpi_open: reading and distributing; all of it */
} surrogate_mpi_report;
SURROGATE_API int surrogate_mpi_get_report(surrogate_mpi_model *model, surrogate_mpi_report *report);

/* -------------------------------------------------------------------------------------------- 4 recorder -- */

/* surrogate_recorder of a domain that lies in blocks: one file of the same layout, to the bit what one process would
 * have written of the same frames, for all ranks. Rank 0 lays out the file of a frame; the blocks of a node go, in
 * pieces of some MiB, to the lowest rank of the node, which writes them at their places; when all are done rank 0 gives
 * the file its name.  No rank holds more than its own largest field and two pieces; rank 0, in close, 16 MiB or one
 * layer of cells across the slowest axis (with `compression` one of chunks, which are whole fields by default).  The
 * file system must let several nodes write to different parts of one file, and show a file to all of them at once
 * (POSIX; an NFS mount with `noac`, or one node).  No parallel HDF5 is needed, and HDF5 on rank 0 only. Every frame
 * whose write returned OK survives kill -9 of any rank, and what is no whole frame never has a frame's name; as in
 * section 9 of surrogate.h, until close. */
typedef struct surrogate_mpi_recorder surrogate_mpi_recorder;

/* Collective.  deadline: in seconds, <= 0: 600; the slowest node must be heard of within it while it writes a frame.
 * path and options: equal on all ranks, else SURROGATE_ERROR_ARGUMENT; plugin_path is that of rank 0.  Otherwise as
 * surrogate_recorder_open.  On a communicator of size 1 the recorder is a surrogate_recorder. */
SURROGATE_API int surrogate_mpi_recorder_open(surrogate_mpi_recorder **recorder, MPI_Comm comm, const char *path,
                                              const surrogate_recorder_options *options, double deadline);

/* Collective.  Add the frame of `time`; fields as in surrogate_recorder_write, of this rank's block, which begins at
 * origin[spatial rank] of the domain global_shape[spatial rank], slowest axis first (NULL is legal on a communicator of
 * size 1 only).  The blocks may change from frame to frame.  Stored whole or not at all; then the next may pass.
 * ERROR_ARGUMENT: time, global_shape, or the fields' number, names, units, dtypes or components differ between ranks.
 * ERROR_SHAPE: blocks leave gaps, overlap or reach out of the domain.  ERROR_UNSUPPORTED: a batch axis (on more than
 * one rank), or device memory.  ERROR_WRITE: a rank could not write; the earlier frames stay.  Else as
 * surrogate_recorder_write. */
SURROGATE_API int surrogate_mpi_recorder_write(surrogate_mpi_recorder *recorder, double time,
                                               const surrogate_field *fields, size_t count, const int64_t *origin,
                                               const int64_t *global_shape);

/* Collective, unless a call timed out.  Rank 0 joins the frames as surrogate_recorder_close does, however long it
 * takes, and the others wait; after a timeout it does so for itself.  Frees the handle, whatever is returned; NULL is
 * allowed. A closed handle is SURROGATE_ERROR_ARGUMENT to every function. */
SURROGATE_API int surrogate_mpi_recorder_close(surrogate_mpi_recorder *recorder);

/* ------------------------------------------------------------------------------------ 5 other languages -- */

/* The two functions that take a communicator, for languages that know it as an integer of Fortran (MPI_Comm_c2f, or the
 * member MPI_VAL of type(MPI_Comm) in mpi_f08).  An integer that is no communicator: SURROGATE_ERROR_ARGUMENT where MPI
 * can tell. */
SURROGATE_API int surrogate_mpi_open_f(surrogate_mpi_model **model, MPI_Fint comm, const char *path,
                                       const surrogate_open_options *open, const surrogate_mpi_options *options);
SURROGATE_API int surrogate_mpi_recorder_open_f(surrogate_mpi_recorder **recorder, MPI_Fint comm, const char *path,
                                                const surrogate_recorder_options *options, double deadline);

#ifdef __cplusplus
}
#endif
#endif
