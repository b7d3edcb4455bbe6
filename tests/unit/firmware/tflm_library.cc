// Enough of TensorFlow Lite Micro's library for the firmware to link: it prints and checks as one that was not built
// with BUILD_TYPE=release. With DEBUG_LOG, the object of that library that would bring newlib's printf.
#include <cstdarg>
#include <cstddef>

extern "C" {
void DebugLog(const char *format, va_list arguments);
int DebugVsnprintf(char *text, size_t size, const char *format, va_list arguments);
}

#ifdef DEBUG_LOG

#include <cstdio>

void DebugLog(const char *format, va_list arguments) {
    char text[256];
    vsnprintf(text, sizeof text, format, arguments);
}

int DebugVsnprintf(char *text, size_t size, const char *format, va_list arguments) {
    return vsnprintf(text, size, format, arguments);
}

#else

#include <cassert>

#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

// TFLM's classes hide theirs.
void operator delete(void *) noexcept {}
void operator delete(void *, size_t) noexcept {}

static void Print(const char *format, ...) {
    va_list arguments;
    char text[8];
    va_start(arguments, format);
    DebugLog(format, arguments);
    DebugVsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
}

namespace tflite {

MicroInterpreter::MicroInterpreter(const Model *model, const MicroOpResolver &, uint8_t *, size_t,
                                   MicroResourceVariables *, MicroProfilerInterface *, bool) {
    assert(model != nullptr);
}

MicroInterpreter::~MicroInterpreter() {}

TfLiteStatus MicroInterpreter::AllocateTensors() {
    Print("Failed to allocate %d bytes", 1);
    return kTfLiteError;
}

TfLiteStatus MicroInterpreter::Invoke() {
    return kTfLiteError;
}

TfLiteTensor *MicroInterpreter::input(size_t) {
    return nullptr;
}

TfLiteTensor *MicroInterpreter::output(size_t) {
    return nullptr;
}

size_t MicroInterpreter::inputs_size() const {
    return 0;
}

size_t MicroInterpreter::outputs_size() const {
    return 0;
}

template <> TfLiteStatus MicroMutableOpResolver<3>::AddConcatenation() {
    return kTfLiteOk;
}

template <> TfLiteStatus MicroMutableOpResolver<3>::AddFullyConnected() {
    return kTfLiteOk;
}

template <> TfLiteStatus MicroMutableOpResolver<3>::AddTanh() {
    return kTfLiteOk;
}

uint32_t Model::version() const {
    return TFLITE_SCHEMA_VERSION;
}

const Model *GetModel(const void *buffer) {
    return static_cast<const Model *>(buffer);
}

bool ModelBufferHasIdentifier(const void *) {
    return true;
}

} // namespace tflite

#endif
