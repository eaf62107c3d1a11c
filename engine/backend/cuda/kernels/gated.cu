// Gated activations (Shazeer 2020, arXiv:2002.05202; GELU: Hendrycks & Gimpel 2016, arXiv:1606.08415).
#include "common.cuh"

enum Kind { silu = 0, gelu_erf = 1, gelu_tanh = 2 };

// share returns s of activation(v) = v·s and its derivative.
__device__ __forceinline__ float share(int kind, float v, float* ds) {
  if (kind == gelu_erf) {
    *ds = 0.3989422804014327f * exp_fast(-0.5f * v * v);  // 1/sqrt(2π)
    return 0.5f * erfcf(-0.7071067811865476f * v);
  }
  if (kind == gelu_tanh) {
    // (1+tanh(u))/2 = sigmoid(2u)
    constexpr float a = 0.7978845608028654f, k = 0.044715f;  // sqrt(2/π)
    float s = sigmoid(2 * a * (v + k * v * v * v));
    *ds = 2 * s * (1 - s) * a * (1 + 3 * k * v * v);
    return s;
  }
  float s = sigmoid(v);
  *ds = s * (1 - s);
  return s;
}

// y = activation(gate)·up, up 1 where null. y may be gate or up.
KERNEL gated_forward(float* y, const float* gate, const float* up, i64 n, int kind) {
  i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float g = gate[i], unused;
  float s = g * share(kind, g, &unused);
  y[i] = up ? s * up[i] : s;
}

// dGate = dY·up·(s + gate·s'), dUp = dY·gate·s. up and dUp are null together. dGate may be gate, dUp up, either dY.
KERNEL gated_backward(float* dGate, float* dUp, const float* dY, const float* gate, const float* up, i64 n, int kind) {
  i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float d = dY[i], g = gate[i], u = up ? up[i] : 1.0f, ds;
  float s = share(kind, g, &ds);
  dGate[i] = d * u * (s + g * ds);
  if (dUp) dUp[i] = d * g * s;
}
