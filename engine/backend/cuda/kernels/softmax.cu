// Rows of logits: cross-entropy with its gradient.
#include "bf16.cuh"

constexpr int threads = 256, warps = threads / 32;

// For each row of a chunk of logits (n, V): nll = log Σ exp(logit) - logit[target], and, with gradient, logit is replaced by
// scale·weight·(softmax - 1[target]), or, where rounded is not null, that is written there in bf16 (V even). A row without a target has nll 0 and gradient 0. One pass finds the largest and
// the sum together (Milakov & Gimelshein 2018, arXiv:1805.02867), a second writes the gradient: 12·V bytes a row.
KERNEL softmax_loss(float* nll, float* logits, u32* rounded, const int* targets, const float* weights, int V, float scale, int gradient, int ignore,
                    Fault* fault, int code, int first_row) {
  __shared__ float tops[warps], sums[warps];
  i64 row = blockIdx.x;
  float* x = logits + row * V;
  int target = targets[row];
  bool none = target == ignore;
  if (none || (u32)target >= (u32)V) {
    if (!none && threadIdx.x == 0) inside(fault, code, first_row + (int)row, target, V);
    if (threadIdx.x == 0) nll[row] = 0;
    if (gradient && rounded) {
      for (int i = threadIdx.x; i < V / 2; i += threads) rounded[row * (V / 2) + i] = 0;
    } else if (gradient) {
      for (int i = threadIdx.x; i < V; i += threads) x[i] = 0;
    }
    return;
  }
  float top = -infinity(), sum = 0;
  for (int i = threadIdx.x; i < V; i += threads) {
    float v = x[i];
    if (v > top) {
      sum *= exp_fast(top - v);
      top = v;
    }
    sum += exp_fast(v - top);  // the difference first: the largest counts 1 exactly
  }
  float most = warp_max(top);
  sum = top == -infinity() ? 0.0f : sum * exp_fast(top - most);
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) {
    tops[threadIdx.x / 32] = most;
    sums[threadIdx.x / 32] = sum;
  }
  __syncthreads();
  top = tops[0];
  for (int i = 1; i < warps; i++) top = fmaxf(top, tops[i]);
  sum = 0;
  for (int i = 0; i < warps; i++) {
    if (tops[i] != -infinity()) sum += sums[i] * exp_fast(tops[i] - top);
  }
  if (threadIdx.x == 0) nll[row] = logf(sum) + (top - x[target]);
  if (!gradient) return;
  __syncthreads();  // the target's logit is read before it is overwritten
  float share = scale * (weights ? weights[row] : 1.0f), inverse = 1.0f / sum;
  auto gradient_of = [&](int i) {
    float p = exp_fast(x[i] - top) * inverse;
    return share * (i == target ? p - 1.0f : p);
  };
  if (rounded) {
    for (int i = threadIdx.x; i < V / 2; i += threads) rounded[row * (V / 2) + i] = pair(gradient_of(2 * i), gradient_of(2 * i + 1));
    return;
  }
  for (int i = threadIdx.x; i < V; i += threads) x[i] = gradient_of(i);
}
