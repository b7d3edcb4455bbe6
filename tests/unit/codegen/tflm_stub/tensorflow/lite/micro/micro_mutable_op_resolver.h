// See micro_interpreter.h beside this.
#ifndef TFLM_STUB_MICRO_MUTABLE_OP_RESOLVER_H
#define TFLM_STUB_MICRO_MUTABLE_OP_RESOLVER_H

#include "tensorflow/lite/micro/micro_interpreter.h"

namespace tflite {

class MicroOpResolver {
  public:
    virtual ~MicroOpResolver() {}
};

template <unsigned int tOpCount> class MicroMutableOpResolver : public MicroOpResolver {
  public:
    TfLiteStatus AddConcatenation();
    TfLiteStatus AddFullyConnected();
    TfLiteStatus AddTanh();
};

} // namespace tflite

#endif
