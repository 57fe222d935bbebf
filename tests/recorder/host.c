/* A host that uses HDF5 itself: its error handler is there after every call and never hears of ours. Argument: a
 * folder. */
#include <hdf5.h>
#include <surrogate/surrogate.h>

#include <stdio.h>

static int heard = 0;

static herr_t listen(hid_t stack, void *data) {
    (void)stack, (void)data;
    ++heard;
    return 0;
}

static void check_handler(const char *when) {
    H5E_auto2_t function = NULL;
    void *data = NULL;
    H5Eget_auto2(H5E_DEFAULT, &function, &data);
    if (function != listen || data != &heard)
        printf("%s: the handler is another one\n", when);
}

int main(int argc, char **argv) {
    char path[2][4096];
    double u[3][4] = {{0}};
    const int64_t shape[2] = {3, 4};
    surrogate_field field;
    surrogate_recorder *recorder = NULL;
    if (argc < 2)
        return 2;
    snprintf(path[0], sizeof path[0], "%s/run.h5", argv[1]);
    snprintf(path[1], sizeof path[1], "%s/missing/run.h5", argv[1]);
    H5Eset_auto2(H5E_DEFAULT, listen, &heard);
    if (surrogate_recorder_open(&recorder, path[1], NULL) != SURROGATE_ERROR_WRITE)
        puts("a folder that is missing was taken");
    check_handler("open refused");
    if (surrogate_recorder_open(&recorder, path[0], NULL))
        puts(surrogate_last_error());
    check_handler("open");
    surrogate_field_init(&field, "u", u, SURROGATE_FLOAT64, 2, shape);
    if (surrogate_recorder_write(recorder, 0.0, &field, 1))
        puts(surrogate_last_error());
    check_handler("write");
    hid_t own = H5Fopen(path[0], H5F_ACC_RDONLY, H5P_DEFAULT); /* the host reads what is being recorded */
    if (own < 0 || H5Fclose(own) < 0 || heard)
        puts("the host cannot read the recording");
    if (surrogate_recorder_close(recorder))
        puts(surrogate_last_error());
    check_handler("close");
    if (heard)
        puts("our errors reached the host's handler");
    H5Fopen(path[1], H5F_ACC_RDONLY, H5P_DEFAULT);
    if (!heard)
        puts("the host's own errors no longer reach its handler");
    puts("done");
    return 0;
}
