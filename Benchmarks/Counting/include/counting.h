#ifndef COUNTING_H
#define COUNTING_H

#include <stdint.h>

/// How often this process has asked for heap memory: calls of malloc, calloc, realloc, aligned_alloc, memalign and
/// posix_memalign by whoever in the process, the Swift runtime included.
uint64_t allocation_count(void);

/// Valgrind counts instructions between these two. Outside Valgrind they do nothing.
void instruction_count_begin(void);
/// Writes what was counted into Callgrind's next file, under this name.
void instruction_count_end(const char *name);

#endif
