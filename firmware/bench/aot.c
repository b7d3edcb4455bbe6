/* One call of the C that `tinyltc generate` makes of a whole .tflite: inputs copied in, outputs left where they are. */
#include "bench/bench.h"

#include <string.h>

#include "bench_aot.h" /* made by toolchain/bench/aot.py: the model's inputs and outputs */

/* data.S */
extern const uint8_t bench_inputs[];

/* RAM of the model: where TensorFlow Lite Micro has its tensors in the arena, a caller of the generated code has
 * arrays, and they count like those. */
#define ARRAY(type, name, size) type name[size];
bench_model_context bench_context;
bench_model_arena bench_arena;
struct {
    TL_AOT_INPUTS(ARRAY)
} bench_input_arrays;
struct {
    TL_AOT_OUTPUTS(ARRAY)
} bench_output_arrays;

/* The bench's own, not counted. */
uint32_t bench_next;
const void *bench_outputs[TL_AOT_OUTPUT_COUNT];

int bench_setup(void) {
#define ADDRESS(type, name, size) bench_output_arrays.name,
    const void *const outputs[] = {TL_AOT_OUTPUTS(ADDRESS)};
    memcpy(bench_outputs, outputs, sizeof bench_outputs);
    bench_next = 0;
    return bench_model_init(&bench_context, &bench_arena, sizeof bench_arena) ? 0 : 1;
}

int bench_step(void) {
    const uint8_t *from = bench_inputs + bench_next * TL_BENCH_INPUT_BYTES;
    bench_next = bench_next + 1 < bench_count ? bench_next + 1 : 0;
#define FILL(type, name, size)                                                                                         \
    memcpy(bench_input_arrays.name, from, sizeof bench_input_arrays.name);                                             \
    from += sizeof bench_input_arrays.name;
    TL_AOT_INPUTS(FILL)
#define INPUT(type, name, size) bench_input_arrays.name,
    const bench_model_inputs in = {TL_AOT_INPUTS(INPUT)};
    const bench_model_outputs out = {TL_AOT_OUTPUTS(ADDRESS)};
    bench_model_invoke(&bench_context, &in, &out);
    return 0;
}
