/* Calls tl_one_over_one_plus (engine/kernels/softmax.h) with every argument that it can get, 0 to 2^31 - 1, or with
 * every n-th and the last: no other way to prove it ends, since Newton's method is all products. Built with UBSan,
 * which ends the program at the first overflow. Exit code 1: a result below 0. */
#include <stdlib.h>

#include "engine/kernels/softmax.h"

int main(int argc, char **argv) {
    const uint32_t step = argc > 1 ? (uint32_t)atoi(argv[1]) : 1u;
    int32_t together = tl_one_over_one_plus(INT32_MAX);
    for (uint32_t a = 0; a <= INT32_MAX; a += step) {
        together |= tl_one_over_one_plus((int32_t)a);
    }
    return together < 0;
}
