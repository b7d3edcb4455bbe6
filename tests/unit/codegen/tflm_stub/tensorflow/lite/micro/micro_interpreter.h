// Just the symbols of TensorFlow Lite Micro that engine_tflm.cc uses, with the types of TFLM's public headers, so
// that the engine is compiled in every test run. Declarations only: nothing links against this.
#ifndef TFLM_STUB_MICRO_INTERPRETER_H
#define TFLM_STUB_MICRO_INTERPRETER_H

#include <cstddef>
#include <cstdint>

typedef enum { kTfLiteOk = 0, kTfLiteError = 1 } TfLiteStatus;
typedef enum { kTfLiteNoType = 0, kTfLiteInt8 = 9 } TfLiteType;

typedef union {
    int8_t *int8;
    void *data;
} TfLitePtrUnion;

typedef struct {
    TfLiteType type;
    TfLitePtrUnion data;
    size_t bytes;
} TfLiteTensor;

namespace tflite {

struct Model;
class MicroOpResolver;
class MicroProfilerInterface;
class MicroResourceVariables;

class MicroInterpreter {
  public:
    MicroInterpreter(const Model *model, const MicroOpResolver &op_resolver, uint8_t *tensor_arena,
                     size_t tensor_arena_size, MicroResourceVariables *resource_variables = nullptr,
                     MicroProfilerInterface *profiler = nullptr, bool preserve_all_tensors = false);
    ~MicroInterpreter();
    TfLiteStatus AllocateTensors();
    TfLiteStatus Invoke();
    TfLiteTensor *input(size_t index);
    TfLiteTensor *output(size_t index);
    size_t inputs_size() const;
    size_t outputs_size() const;
};

} // namespace tflite

#endif
