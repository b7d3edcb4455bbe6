// A body for the declarations in tensorflow/: tensors in plain memory, and Invoke as a function of the test, which runs
// the real TensorFlow Lite Micro on them. So the engine's own code (tensor places, sizes, errors) runs on the host.
#include <vector>

#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

struct Port {
    std::vector<int8_t> values;
    TfLiteTensor tensor;
};

std::vector<Port> inputs, outputs;
size_t arena_needed;
int (*invoke)(void);
unsigned registered;

std::vector<Port> MakePorts(size_t count, const size_t *sizes) {
    std::vector<Port> ports(count);
    for (size_t i = 0; i < count; ++i) {
        ports[i].values.resize(sizes[i]);
        ports[i].tensor = {kTfLiteInt8, {ports[i].values.data()}, sizes[i]};
    }
    return ports;
}

TfLiteStatus Register(unsigned operation) {
    registered |= 1u << operation;
    return kTfLiteOk;
}

size_t arena_given;

} // namespace

extern "C" {

void fake_setup(size_t arena, size_t n_inputs, const size_t *in, size_t n_outputs, const size_t *out,
                int (*run)(void)) {
    arena_needed = arena;
    inputs = MakePorts(n_inputs, in);
    outputs = MakePorts(n_outputs, out);
    invoke = run;
    registered = 0;
}

int8_t *fake_input(size_t index) {
    return inputs[index].values.data();
}

int8_t *fake_output(size_t index) {
    return outputs[index].values.data();
}

unsigned fake_registered(void) {
    return registered;
}
}

namespace tflite {

MicroInterpreter::MicroInterpreter(const Model *, const MicroOpResolver &, uint8_t *, size_t size,
                                   MicroResourceVariables *, MicroProfilerInterface *, bool) {
    arena_given = size;
}

MicroInterpreter::~MicroInterpreter() {}

TfLiteStatus MicroInterpreter::AllocateTensors() {
    return arena_given < arena_needed ? kTfLiteError : kTfLiteOk;
}

TfLiteStatus MicroInterpreter::Invoke() {
    return invoke() == 0 ? kTfLiteOk : kTfLiteError;
}

TfLiteTensor *MicroInterpreter::input(size_t index) {
    return index < inputs.size() ? &inputs[index].tensor : nullptr;
}

TfLiteTensor *MicroInterpreter::output(size_t index) {
    return index < outputs.size() ? &outputs[index].tensor : nullptr;
}

size_t MicroInterpreter::inputs_size() const {
    return inputs.size();
}

size_t MicroInterpreter::outputs_size() const {
    return outputs.size();
}

template <> TfLiteStatus MicroMutableOpResolver<3>::AddConcatenation() {
    return Register(0);
}

template <> TfLiteStatus MicroMutableOpResolver<3>::AddFullyConnected() {
    return Register(1);
}

template <> TfLiteStatus MicroMutableOpResolver<3>::AddTanh() {
    return Register(2);
}

uint32_t Model::version() const {
    return TFLITE_SCHEMA_VERSION;
}

const Model *GetModel(const void *buffer) {
    return static_cast<const Model *>(buffer);
}

bool ModelBufferHasIdentifier(const void *buffer) {
    const char *bytes = static_cast<const char *>(buffer);
    return bytes[4] == 'T' && bytes[5] == 'F' && bytes[6] == 'L' && bytes[7] == '3';
}

} // namespace tflite
