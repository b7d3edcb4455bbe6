/* A bench image: core, engine and model without a HAL, for counting what a step costs (toolchain/bench).
 *
 * Memory is that of bench.ld: flash at 0, RAM at 0x20000000. No peripheral is touched but for the FPU, which the
 * start-up code switches on. Whoever counts may let the image run from its reset (it calls bench_setup, then bench_step
 * once per stored input, and ends in a breakpoint), or load the ELF's segments, zero the RAM, switch the FPU on, set SP
 * to tl_link_stack_top and call the functions below; nothing lies in .data but what TensorFlow Lite Micro may bring.
 *
 * Results, to be read after any step: of the recognizer's image (bench.c)
 *   bench_state   float[TL_STATES]   the state after the step
 *   bench_logits  int8_t[TL_OUTPUTS] the logits of the step
 * of the images of a whole step graph, which keep no state of their own: under TensorFlow Lite Micro (graph.cc), and as
 * C made ahead of time (aot.c)
 *   bench_outputs const void *[]     where each output tensor lies */
#ifndef TL_BENCH_H
#define TL_BENCH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* From power-on to ready: opens and checks the model image, starts the engine, zeroes the state. Returns 0, else
 * tl_model_status, or 256 + tl_engine_status; of a whole graph, 1 for memory or operators that do not fit. */
int bench_setup(void);

/* One whole step on the next stored input, the first again after the last: IMU codes and the time since the sample
 * before in, state and logits out. Decision and transmission are not part of it. Returns tl_engine_status. */
int bench_step(void);

/* The SHA-256 check of the model image alone, as bench_setup makes it too: 0 if the image is whole. Not in graph.cc
 * and aot.c: a .tflite carries no hash. */
int bench_hash(void);

/* Stored inputs: how many. */
extern const uint32_t bench_count;

#ifdef __cplusplus
}
#endif

#endif
