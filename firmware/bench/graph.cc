// One Invoke of a whole .tflite under TensorFlow Lite Micro: inputs copied in, outputs left where they are.
#include <cstring>
#include <new>

#include "bench/bench.h"
#include "bench_graph.h" // made by toolchain/bench/graph.py: operators and arena
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

using Resolver = tflite::MicroMutableOpResolver<TL_GRAPH_OPERATORS>;
using Interpreter = tflite::MicroInterpreter;

extern "C" {

// data.S
extern const uint8_t bench_model_image[], bench_model_image_end[];
extern const uint8_t bench_inputs[];

// RAM of the engine. bench_arena_used is what TFLM records, the rest of the arena is not counted.
alignas(8) unsigned char bench_resolver[sizeof(Resolver)];
alignas(8) unsigned char bench_interpreter[sizeof(Interpreter)];
alignas(16) unsigned char bench_arena[TL_GRAPH_ARENA_BYTES];

// The bench's own, not counted.
uint32_t bench_arena_used;
uint32_t bench_next;
const void *bench_outputs[TL_GRAPH_OUTPUTS];

static Interpreter *running() {
    return reinterpret_cast<Interpreter *>(bench_interpreter);
}

int bench_setup(void) {
    Resolver *resolver = ::new (static_cast<void *>(bench_resolver)) Resolver;
    bool good = true;
    const auto check = [&good](TfLiteStatus status) { good = good && status == kTfLiteOk; };
    TL_GRAPH_REGISTER(*resolver, check);
    const tflite::Model *graph = tflite::GetModel(bench_model_image);
    Interpreter *interpreter =
        ::new (static_cast<void *>(bench_interpreter)) Interpreter(graph, *resolver, bench_arena, sizeof bench_arena);
    if (!good || interpreter->AllocateTensors() != kTfLiteOk) {
        return 1;
    }
    bench_arena_used = static_cast<uint32_t>(interpreter->arena_used_bytes());
    for (size_t i = 0; i < TL_GRAPH_OUTPUTS; ++i) {
        bench_outputs[i] = interpreter->output(i)->data.raw;
    }
    bench_next = 0;
    return 0;
}

int bench_step(void) {
    const uint8_t *from = bench_inputs + bench_next * TL_BENCH_INPUT_BYTES;
    bench_next = bench_next + 1 < bench_count ? bench_next + 1 : 0;
    Interpreter *interpreter = running();
    for (size_t i = 0; i < TL_GRAPH_INPUTS; ++i) {
        TfLiteTensor *input = interpreter->input(i);
        std::memcpy(input->data.raw, from, input->bytes);
        from += input->bytes;
    }
    return interpreter->Invoke();
}

} // extern "C"
