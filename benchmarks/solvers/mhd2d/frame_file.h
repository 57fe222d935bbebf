/* Frames in HDF5: /rho /vx /vy /p /az of shape (frames, ny, nx), /time of (frames), and the run's constants as
 * attributes of the file. Only rank 0 calls these. A file appears under its name when complete, never before. */
#ifndef MHD2D_FRAME_FILE_H
#define MHD2D_FRAME_FILE_H

#include <hdf5.h>

#include "frame.h"

typedef struct {
    double gamma, lx, ly, cfl;
    mean_field b0;
    char problem[32];
    unsigned long seed;
} run_constants;

typedef struct {
    hid_t file, dataset[FRAME_FIELDS], time;
    int frames, written, nx, ny;
    char path[1024], partial[1100];
} frame_writer;

/* Open PATH.<process>.partial for `frames` frames, stored as doubles or as singles. */
int frame_writer_open(frame_writer *w, const char *path, int frames, int nx, int ny, int in_double,
                      const run_constants *constants);
int frame_writer_append(frame_writer *w, const frame *f);
/* Close and, if all frames are there, rename to the final name. Safe to call on a writer that never opened. */
int frame_writer_close(frame_writer *w);

/* The shape of a file's frames, their number, and its constants. */
int frame_file_inspect(const char *path, int *frames, int *nx, int *ny, run_constants *constants);
/* Frame `index` into f, which has the file's shape. */
int frame_file_read(const char *path, int index, frame *f);

#endif
