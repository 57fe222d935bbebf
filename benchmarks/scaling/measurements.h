/* The three measurements: 0, or another exit status after a text on stderr. Collective over MPI_COMM_WORLD. */
#ifndef SCALING_MEASUREMENTS_H
#define SCALING_MEASUREMENTS_H

int measure_jumps(int argc, char **argv);
int measure_overhead(char **argv);
int measure_messages(char **argv);

#endif
