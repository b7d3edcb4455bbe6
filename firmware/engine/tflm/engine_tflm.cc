// The right-hand side through TensorFlow Lite Micro: the .tflite of the model image, interpreted.
//
// Operators, tensor positions and the arena's size are rendered from the model (generated tflm_model.h), so the
// resolver cannot lack an operator. Nothing here is a writable global: every object lives in the caller's context.
#include <cstring>
#include <new>

#include "engine/engine.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

using Resolver = tflite::MicroMutableOpResolver<TL_TFLM_OPERATORS>;
using Interpreter = tflite::MicroInterpreter;

static_assert(sizeof(Interpreter) <= TL_TFLM_INTERPRETER_BYTES, "make TL_TFLM_INTERPRETER_BYTES larger");
static_assert(sizeof(Resolver) <= TL_TFLM_RESOLVER_BYTES, "make TL_TFLM_RESOLVER_BYTES larger");
static_assert(alignof(Interpreter) <= 8 && alignof(Resolver) <= 8, "align the objects in engine_context.h");

// A flatbuffer starts with the root's offset and the file identifier.
constexpr uint32_t kIdentifierEnd = 8;

constexpr size_t kUnits[TL_LAYERS] = TL_UNITS;
constexpr size_t kH[TL_LAYERS] = TL_TFLM_H;
constexpr size_t kF[TL_LAYERS] = TL_TFLM_F;
constexpr size_t kZ[TL_LAYERS] = TL_TFLM_Z;

Interpreter *running(const tl_engine *engine) {
    return static_cast<Interpreter *>(engine->running);
}

bool RegisterOperators(Resolver *resolver) {
    bool good = true;
    const auto check = [&good](TfLiteStatus status) { good = good && status == kTfLiteOk; };
    TL_TFLM_REGISTER(*resolver, check);
    return good;
}

bool IsInt8(const TfLiteTensor *tensor, size_t values) {
    return tensor != nullptr && tensor->type == kTfLiteInt8 && tensor->bytes == values;
}

// True if every tensor stands where the generator found it, with the type and size it had there.
bool TensorsMatch(Interpreter *interpreter) {
    if (interpreter->inputs_size() != 1 + TL_LAYERS || interpreter->outputs_size() != 2 * TL_LAYERS + 1) {
        return false;
    }
    bool good = IsInt8(interpreter->input(TL_TFLM_X), TL_INPUTS) && IsInt8(interpreter->output(TL_TFLM_Y), TL_OUTPUTS);
    for (size_t layer = 0; layer < TL_LAYERS; ++layer) {
        good = good && IsInt8(interpreter->input(kH[layer]), kUnits[layer]) &&
               IsInt8(interpreter->output(kF[layer]), kUnits[layer]) &&
               IsInt8(interpreter->output(kZ[layer]), kUnits[layer]);
    }
    return good;
}

} // namespace

extern "C" {

extern const uint8_t tl_engine_kind = 1;

tl_engine_status tl_engine_init(tl_engine *engine, const tl_model *model) {
    engine->running = nullptr;
    if (model->tflite == nullptr) {
        return TL_ENGINE_NO_WEIGHTS;
    }
    if (model->tflite_size < kIdentifierEnd || !tflite::ModelBufferHasIdentifier(model->tflite)) {
        return TL_ENGINE_MODEL;
    }
    const tflite::Model *graph = tflite::GetModel(model->tflite);
    if (graph->version() != TFLITE_SCHEMA_VERSION) {
        return TL_ENGINE_MODEL;
    }
    Resolver *resolver = ::new (static_cast<void *>(engine->resolver)) Resolver;
    if (!RegisterOperators(resolver)) {
        return TL_ENGINE_MODEL;
    }
    Interpreter *interpreter = ::new (static_cast<void *>(engine->interpreter))
        Interpreter(graph, *resolver, engine->arena, sizeof engine->arena);
    if (interpreter->AllocateTensors() != kTfLiteOk) {
        return TL_ENGINE_MEMORY;
    }
    if (!TensorsMatch(interpreter)) {
        return TL_ENGINE_MODEL;
    }
    engine->running = interpreter;
    return TL_ENGINE_OK;
}

tl_engine_status tl_engine_rhs(tl_engine *engine, const int8_t *x, const int8_t *h, int8_t *f, int8_t *z, int8_t *y) {
    Interpreter *interpreter = running(engine);
    if (interpreter == nullptr) {
        return TL_ENGINE_NO_WEIGHTS;
    }
    std::memcpy(interpreter->input(TL_TFLM_X)->data.int8, x, TL_INPUTS);
    for (size_t layer = 0; layer < TL_LAYERS; h += kUnits[layer], ++layer) {
        std::memcpy(interpreter->input(kH[layer])->data.int8, h, kUnits[layer]);
    }
    if (interpreter->Invoke() != kTfLiteOk) {
        return TL_ENGINE_RUN;
    }
    for (size_t layer = 0; layer < TL_LAYERS; f += kUnits[layer], z += kUnits[layer], ++layer) {
        std::memcpy(f, interpreter->output(kF[layer])->data.int8, kUnits[layer]);
        std::memcpy(z, interpreter->output(kZ[layer])->data.int8, kUnits[layer]);
    }
    std::memcpy(y, interpreter->output(TL_TFLM_Y)->data.int8, TL_OUTPUTS);
    return TL_ENGINE_OK;
}

uint32_t tl_engine_ram(const tl_engine *engine) {
    return static_cast<uint32_t>(sizeof *engine);
}

} // extern "C"
