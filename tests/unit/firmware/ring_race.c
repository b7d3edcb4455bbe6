/* The burst ring between two threads, under the thread sanitizer: an access that the C11 memory model leaves undefined
 * ends the program. Every sample must arrive whole, in order, once, or be counted as lost. Usage: ring_race samples */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/ring.h"

static tl_ring ring;
static uint32_t samples;

static void *produce(void *unused) {
    (void)unused;
    for (uint32_t n = 0; n < samples; ++n) {
        const int16_t code = (int16_t)(n & 0x7FFFu);
        const tl_sample sample = {.t_us = n, .read_us = n, .code = {code, code, code, code, code, code}};
        (void)tl_ring_push(&ring, &sample);
        if (n % 13u == 0) {
            sched_yield();
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    samples = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000u;
    tl_ring_init(&ring);
    pthread_t producer;
    if (pthread_create(&producer, NULL, produce, NULL) != 0) {
        return 2;
    }
    uint32_t taken = 0, next = 0;
    while (taken + tl_ring_lost(&ring) < samples || tl_ring_waiting(&ring) > 0) {
        tl_sample burst[5];
        const uint32_t n = tl_ring_take(&ring, burst, 5);
        for (uint32_t i = 0; i < n; ++i) {
            const tl_sample *sample = &burst[i];
            if (sample->t_us < next || sample->read_us != sample->t_us ||
                sample->code[5] != (int16_t)(sample->t_us & 0x7FFFu)) {
                puts("a sample came twice, late or torn");
                return 1;
            }
            next = (uint32_t)sample->t_us + 1u;
        }
        taken += n;
        if (n == 0) {
            sched_yield();
        }
    }
    pthread_join(producer, NULL);
    printf("%u %u\n", (unsigned)taken, (unsigned)tl_ring_lost(&ring));
    return 0;
}
