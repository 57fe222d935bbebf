#define _POSIX_C_SOURCE 200809L
#include "frame_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

static const char *const NAME[FRAME_FIELDS] = {"rho", "vx", "vy", "p", "az"};
static const char *const UNITS[FRAME_FIELDS] = {"rho0", "v0", "v0", "rho0 v0^2", "sqrt(mu0 rho0) v0 l0"};
static const char *const STAGGERING[FRAME_FIELDS] = {"cell", "cell", "cell", "cell", "corner"};

static int put_attribute(hid_t object, const char *name, hid_t type, const void *value) {
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    int bad = H5Awrite(attribute, type, value) < 0;
    bad |= H5Aclose(attribute) < 0;
    H5Sclose(space);
    return bad;
}

static int put_number(hid_t object, const char *name, double value) {
    return put_attribute(object, name, H5T_NATIVE_DOUBLE, &value);
}

static int put_text(hid_t object, const char *name, const char *value) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    int bad = put_attribute(object, name, type, &value);
    H5Tclose(type);
    return bad;
}

static hid_t make_dataset(hid_t file, const char *name, hid_t type, int rank, const hsize_t *shape) {
    hid_t space = H5Screate_simple(rank, shape, NULL);
    hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Sclose(space);
    return dataset;
}

int frame_writer_open(frame_writer *w, const char *path, int frames, int nx, int ny, int in_double,
                      const run_constants *c) {
    memset(w, 0, sizeof *w);
    w->file = -1;
    w->frames = frames;
    w->nx = nx;
    w->ny = ny;
    if ((size_t)snprintf(w->path, sizeof w->path, "%s", path) >= sizeof w->path)
        return fail("--output: the path has more than %zu characters; use a shorter one", sizeof w->path - 1);
    snprintf(w->partial, sizeof w->partial, "%s.%ld.partial", path, (long)getpid()); /* no two runs share one */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);                                           /* errors are ours to tell */
    w->file = H5Fcreate(w->partial, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    if (w->file < 0)
        return fail("--output: cannot create %s; check that its folder exists and is writable", w->partial);
    int bad = put_number(w->file, "gamma", c->gamma) | put_number(w->file, "b0x", c->b0.x) |
              put_number(w->file, "b0y", c->b0.y) | put_number(w->file, "lx", c->lx) |
              put_number(w->file, "ly", c->ly) | put_number(w->file, "cfl", c->cfl) |
              put_text(w->file, "problem", c->problem) | put_text(w->file, "solver", "mhd2d") |
              put_attribute(w->file, "seed", H5T_NATIVE_ULONG, &c->seed);
    hsize_t shape[3] = {(hsize_t)frames, (hsize_t)ny, (hsize_t)nx};
    for (int k = 0; k < FRAME_FIELDS; k++) {
        w->dataset[k] = make_dataset(w->file, NAME[k], in_double ? H5T_IEEE_F64LE : H5T_IEEE_F32LE, 3, shape);
        bad |= w->dataset[k] < 0 || put_text(w->dataset[k], "units", UNITS[k]) ||
               put_text(w->dataset[k], "staggering", STAGGERING[k]);
    }
    w->time = make_dataset(w->file, "time", H5T_IEEE_F64LE, 1, shape);
    bad |= w->time < 0 || put_text(w->time, "units", "l0/v0");
    return bad ? fail("--output: cannot write to %s; check the space left on its disk", w->partial) : 0;
}

/* Move slab `index` of a dataset from (`write`) or to `values`. */
static int move_slab(hid_t dataset, int rank, int index, int ny, int nx, double *values, int write) {
    hsize_t start[3] = {(hsize_t)index, 0, 0}, count[3] = {1, (hsize_t)ny, (hsize_t)nx};
    hid_t whole = H5Dget_space(dataset), slab = H5Screate_simple(rank, count, NULL);
    int bad = H5Sselect_hyperslab(whole, H5S_SELECT_SET, start, NULL, count, NULL) < 0;
    if (!bad)
        bad = write ? H5Dwrite(dataset, H5T_NATIVE_DOUBLE, slab, whole, H5P_DEFAULT, values) < 0
                    : H5Dread(dataset, H5T_NATIVE_DOUBLE, slab, whole, H5P_DEFAULT, values) < 0;
    H5Sclose(slab);
    H5Sclose(whole);
    return bad;
}

int frame_writer_append(frame_writer *w, const frame *f) {
    double time = f->time;
    int bad = move_slab(w->time, 1, w->written, 1, 1, &time, 1);
    for (int k = 0; k < FRAME_FIELDS; k++)
        bad |= move_slab(w->dataset[k], 3, w->written, w->ny, w->nx, f->field[k], 1);
    w->written++;
    return bad ? fail("--output: cannot write frame %d to %s; check the space left on its disk", w->written - 1,
                      w->partial)
               : 0;
}

int frame_writer_close(frame_writer *w) {
    if (w->file <= 0)
        return 0;
    int bad = 0;
    for (int k = 0; k < FRAME_FIELDS; k++)
        bad |= H5Dclose(w->dataset[k]) < 0;
    bad |= H5Dclose(w->time) < 0;
    bad |= H5Fclose(w->file) < 0;
    w->file = -1;
    if (w->written < w->frames)
        return 0; /* stays under its partial name */
    if (bad || rename(w->partial, w->path) != 0)
        return fail("--output: cannot finish %s (%s); the frames are in %s", w->path, strerror(errno), w->partial);
    return 0;
}

static int get_attribute(hid_t file, const char *name, hid_t type, void *value) {
    hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    int bad = attribute < 0 || H5Aread(attribute, type, value) < 0;
    if (attribute >= 0)
        H5Aclose(attribute);
    return bad;
}

static hid_t open_frames(const char *path) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    FILE *probe = fopen(path, "rb");
    if (!probe)
        return fail("--restart: cannot read %s: %s; give a file that mhd2d wrote (an unfinished one ends "
                    "in .partial)",
                    path, strerror(errno));
    fclose(probe);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0)
        return fail("--restart: %s is not a complete HDF5 file; write it again with mhd2d --output", path);
    return file;
}

int frame_file_inspect(const char *path, int *frames, int *nx, int *ny, run_constants *c) {
    hid_t file = open_frames(path);
    if (file < 0)
        return -1;
    int bad = 0;
    for (int k = 0; k < FRAME_FIELDS && !bad; k++) {
        hsize_t shape[3] = {0, 0, 0};
        hid_t dataset = H5Dopen2(file, NAME[k], H5P_DEFAULT), space = dataset < 0 ? -1 : H5Dget_space(dataset);
        bad = space < 0 || H5Sget_simple_extent_ndims(space) != 3 || H5Sget_simple_extent_dims(space, shape, NULL) < 0;
        if (space >= 0)
            H5Sclose(space);
        if (dataset >= 0)
            H5Dclose(dataset);
        bad |= k > 0 && (*frames != (int)shape[0] || *ny != (int)shape[1] || *nx != (int)shape[2]);
        *frames = (int)shape[0];
        *ny = (int)shape[1];
        *nx = (int)shape[2];
    }
    struct {
        const char *name;
        double *value;
    } number[] = {{"gamma", &c->gamma}, {"b0x", &c->b0.x}, {"b0y", &c->b0.y}, {"lx", &c->lx}, {"ly", &c->ly}};
    for (int k = 0; k < 5; k++)
        bad |= get_attribute(file, number[k].name, H5T_NATIVE_DOUBLE, number[k].value);
    bad |= get_attribute(file, "seed", H5T_NATIVE_ULONG, &c->seed);
    snprintf(c->problem, sizeof c->problem, "restart");
    H5Fclose(file);
    return bad ? fail("--restart: %s is not a file of frames: expected /rho /vx /vy /p /az of one shape (frames, ny, "
                      "nx) "
                      "and the attributes gamma b0x b0y lx ly seed; write it with mhd2d --output",
                      path)
               : 0;
}

int frame_file_read(const char *path, int index, frame *f) {
    hid_t file = open_frames(path);
    if (file < 0)
        return -1;
    int bad = 0;
    for (int k = 0; k < FRAME_FIELDS; k++) {
        hid_t dataset = H5Dopen2(file, NAME[k], H5P_DEFAULT);
        bad |= move_slab(dataset, 3, index, f->ny, f->nx, f->field[k], 0);
        H5Dclose(dataset);
    }
    hid_t time = H5Dopen2(file, "time", H5P_DEFAULT);
    bad |= move_slab(time, 1, index, 1, 1, &f->time, 0);
    H5Dclose(time);
    H5Fclose(file);
    return bad ? fail("--restart: cannot read frame %d of %s; is the file damaged?", index, path) : 0;
}
