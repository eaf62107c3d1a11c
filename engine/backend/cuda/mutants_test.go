package cuda

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/conform"
	"tunebook/engine/backend/cuda/nvrtc"
	"tunebook/engine/backend/cuda/sim"
)

// mutant is a mistake that is easily made in a kernel: the n-th old of a source (NAME.cu, or a header) is replaced by new. The
// checks named must find each.
type mutant struct {
	source string
	n      int
	old    string
	new    string
	checks string // prefix of the conformance checks that are tried
	found  string // what at least one report must say; empty: anything
}

var mutants = []mutant{
	{"rmsnorm", 1, "t >= T", "t > T", "RMSNormForward", "out of bounds"},
	{"rmsnorm", 1, "+ eps", "", "RMSNormForward", "beyond"},
	{"rmsnorm", 1, "v += res[t * C + i];", "", "RMSNormForward", "beyond"},
	{"rmsnorm", 2, "i < C", "i < C - 1", "RMSNormForward", "beyond"},
	{"rmsnorm", 3, "i < C", "i <= C", "RMSNormBackward", ""},
	{"rmsnorm", 1, "* r * mean", "* mean", "RMSNormBackward", "beyond"},
	{"rmsnorm", 1, "d += dSum", "d -= dSum", "RMSNormBackward", "beyond"},
	{"layernorm", 1, "s[i] - m - rest", "s[i] - m", "LayerNormForward/large mean", "beyond"},
	{"layernorm", 1, "warp_sum(total)", "total", "LayerNormForward", ""},
	{"layernorm", 1, "- mean_g - ", "- ", "LayerNormBackward", "beyond"},
	{"columns", 1, "__syncthreads();", "", "SumRows", "uninitialised"},
	{"columns", 1, "t += 8", "t += 9", "SumRows", "beyond"},
	{"columns", 1, "i < 8", "i < 7", "SumRows", "beyond"},
	{"columns", 1, "if (threadIdx.y == 0 && c < C) {", "if (c < C) {", "SumRows", "race"},
	{"columns", 1, "out[c] += d", "out[c] = d", "SumRows", "beyond"},
	{"columns", 1, "t >= T", "t > T", "AddBias", ""},
	{"rows", 1, "(i64)row * C + c", "(i64)i * C + c", "Gather", ""},
	{"rows", 1, "__syncthreads_or(i < t && ids[i] == id)", "__syncthreads_or(i <= t && ids[i] == id)", "EmbeddingBackward", "beyond"},
	{"rows", 1, "      __syncthreads();\n", "", "EmbeddingBackward", "race"},
	{"rows", 1, "        __syncwarp();\n", "", "EmbeddingBackward", "race"},
	{"rows", 1, "(1u << lane) - 1", "(2u << lane) - 1", "EmbeddingBackward", ""},
	{"rows", 1, "j < n; j++", "j < n - 1; j++", "EmbeddingBackward", "beyond"},
	{"rope", 1, "s *= sign;", "", "RoPE", "beyond"},
	{"rope", 1, "p + half", "p + 1", "RoPE", "beyond"},
	{"rope", 1, "quarter & 2 ? -u : u", "u", "RoPE", "beyond"},
	{"rope", 1, "(float)fma(turns, -1.5707963267948966, (double)a)", "fmaf((float)turns, -1.5707963267948966f, a)", "RoPE", "beyond"},
	{"gated", 1, "i >= n", "i > n", "SwiGLUForward", "out of bounds"},
	{"gated", 1, "(s + g * ds)", "s", "SwiGLUBackward", "beyond"},
	{"gated", 1, "* a * (1 + 3", "* a * (1 + 2", "GeGLUBackward", "beyond"},
	{"gated", 1, "0.5f * erfcf", "erfcf", "GeGLUForward", "beyond"},
	{"vector", 3, "if (i < n)", "if (i <= n)", "AddScaled", "out of bounds"},
	{"optimizer", 1, "  __syncthreads();\n", "", "SumSquares", ""},
	{"optimizer", 1, "j < block_elements && j < n", "j < block_elements && j <= n", "SumSquares", ""},
	{"optimizer", 1, "j < block_elements && j < n", "j < n", "SumSquares", "beyond"},
	{"optimizer", 1, "partial[t.first + i]", "partial[i]", "SumSquares/many", "beyond"},
	{"optimizer", 1, "all[mid].first <= (int)blockIdx.x", "all[mid].first < (int)blockIdx.x", "AdamW/many", ""},
	{"optimizer", 1, "fmaf(-k.decay, w, w)", "w", "AdamW/values", "beyond"},
	{"optimizer", 1, "k.rest2 * d * d", "k.rest2 * d", "AdamW/values", "beyond"},
	{"optimizer", 1, "lr *= t.rate;", "", "AdamW/many", "beyond"},
	{"optimizer", 1, "p += first;", "", "AdamW/values", ""},
	{"optimizer", 1, "if (i >= n) break;", "", "AdamW/values", ""},
	{"optimizer", 1, "at += each * threads", "at += threads", "AdamW/values", "beyond"},
	{"optimizer", 1, "(u + 0x7fff + (u >> 16 & 1)) &", "u &", "AdamW/many", "codes"},
	{"optimizer", 1, "(u + (noise & 0xffffu)) >> 16", "(u + 0x8000u) >> 16", "AdamW/bf16", "codes"},
	{"optimizer", 1, "stochastic_bf16(v, x >> 16)", "stochastic_bf16(v, x)", "AdamW/bf16", "codes"},
	{"optimizer", 1, "t.from + first + i", "first + i", "AdamW/bf16", "codes"},
	{"optimizer", 1, "mnew = vnew = 0;\n        }", "}", "AdamW/bf16", "codes"},
	{"optimizer", 1, "  __syncthreads();\n  // A warp", "  // A warp", "AdamW/8 bits", ""},
	{"optimizer", 1, "mmax = warp_max(mmax);", "", "AdamW/8 bits", ""},
	{"optimizer", 1, "if (code == 0 && v[j] > 0) code = 1;", "", "AdamW/8 bits", "codes"},
	{"optimizer", 1, "if (top == 0) return zero;", "", "AdamW/8 bits", "codes"},
	{"optimizer", 1, "middle[code + s - 1]", "middle[code + s]", "AdamW/8 bits", ""},
	{"optimizer", 1, "if (i < n) w[j] = p[i], d[j] = g[i], ms[j / 4]", "w[j] = p[i], d[j] = g[i], ms[j / 4]", "AdamW/8 bits", "out of bounds"},
	{"optimizer", 1, "table[1][vs", "table[0][vs", "AdamW/8 bits", ""},
	{"optimizer", 1, "j % 4 == 3 && 4 * word < n", "j % 4 == 3", "AdamW/8 bits", "out of bounds"},
	{"softmax", 1, "__syncthreads();", "", "LinearCrossEntropy/values", ""},
	{"softmax", 1, "  __syncthreads();  //", "  //", "LinearCrossEntropy/no weights", "race"},
	{"softmax", 1, "sum *= exp_fast(top - v);", "", "LinearCrossEntropy/values", "beyond"},
	{"softmax", 2, "i < warps", "i < warps - 1", "LinearCrossEntropy/values", ""},
	{"softmax", 1, "i == target ? p - 1.0f : p", "p", "LinearCrossEntropy/values", "beyond"},
	{"sample", 1, "bad = bad || !(z < infinity());", "", "Sample/values", "first is"},
	{"sample", 1, "z == 0 ? 0 : ", "", "Sample/values", "first is"},
	{"sample", 1, "bits >> 31 ? ~bits : bits", "bits", "Sample/values", "first is"},
	{"sample", 1, "(u32)~i", "(u32)i", "Sample/values", ""},
	{"sample", 1, "turn ^= 1;", "", "Sample/values", "race"},
	{"sample", 1, "    __syncthreads();\n", "", "Sample/values", ""},
	{"sample", 1, ">= need", "> need", "Sample/values", ""},
	{"sample", 1, "row.find(d.k,", "row.find(d.k + 1,", "Sample/values", "first is"},
	{"sample", 1, "left = at.weight;", "left = all.weight;", "Sample/values", "first is"},
	{"sample", 2, "left = at.weight;", "left = all.weight;", "Sample/values", "first is"},
	{"sample", 1, "heavy.weight < left", "heavy.weight > left", "Sample/values", "first is"},
	{"sample", 1, "w >= least && ", "", "Sample/values", "first is"},
	{"sample", 1, "22.0f", "2.0f", "Sample/values", "first is"},
	{"sample", 1, " && weight(z, row.top, d.scale) > 0", "", "Sample/values", ""},
	{"sample", 1, "tops[i] > most", "tops[i] < most", "Sample/values", "first is"},
	{"scale", 1, "sqrtf(total)", "total", "RowNorms", "beyond"},
	{"scale", 1, "* m[i] / d[i]", "* d[i] / m[i]", "ScaleColumnsForward", "beyond"},
	{"quant", 1, "24 - 8 *", "16 - 8 *", "Dequantize", "elements"},
	{"quant", 1, "? 64 : 32", "? 32 : 32", "Dequantize", ""},
	{"quant", 1, "(i64)row * C + c", "(i64)t * C + c", "EmbeddingPacked", ""},
	{"quant", 1, "if (t >= T) return;", "", "EmbeddingPacked", "out of bounds"},
	{"quant", 1, "c < C; c += 32", "c <= C; c += 32", "EmbeddingPacked", ""},
	{"quant", 1, "codes[i / 2] >> (16 * (int)(i % 2)) << 16", "codes[i / 2] << 16", "EmbeddingPacked", "elements"},
	{"quant", 1, "4 * (int)(i % 8)", "4 * (int)(7 - i % 8)", "EmbeddingPacked", "elements"},
	{"quant", 1, "rintf(", "truncf(", "MatMulPacked", "beyond"},
	{"quant", 1, "min(32, ", "max(32, ", "MatMulPacked", "out of bounds"},
	{"product", 1, "    __syncthreads();\n", "", "MatMul/gradient", "race"},
	{"product", 2, "    __syncthreads();\n", "", "MatMul/values", "race"},
	{"product", 1, "k0 + l < K", "k0 + l <= K", "MatMul/gradient", ""},
	{"product", 1, "n0 + j < N", "n0 + j <= N", "MatMul/gradient", "out of bounds"},
	{"product", 1, "if (row >= M) return;", "", "MatMul/gradient", "out of bounds"},
	{"product", 1, "if (beta != 0)", "", "MatMul/values", ""},
	{"product", 1, "tx * 4]", "tx * 4 + 1]", "MatMul/gradient", "misaligned"},
	{"bf16", 1, "k + lane / 16 * 8", "k + lane / 16 * 4", "", ""},
	{"bf16", 1, "lane % 8 + lane / 16 * 8", "lane % 8 + lane / 8 % 2 * 8", "", "wanted"},
	{"bf16", 1, "k + lane / 8 % 2 * 8", "k + lane / 16 * 8", "", "wanted"},
	{"bf16", 1, "y[j / 2][j % 2 * 2 + 1]", "y[j / 2][j % 2 * 2]", "", "wanted"},
	{"bf16", 1, "lane % 4 * 2 + f", "lane % 4 + f * 4", "", "wanted"},
	{"bf16", 1, "(stages - 2)", "(stages - 1)", "", "copy in flight"},
	{"bf16", 1, "    __syncthreads();  //", "    //", "", "race"},
	{"bf16", 1, "load(s + stages - 1);", "load(s + stages);", "", ""},
	{"bf16", 1, "  __syncthreads();\n", "", "", "uninitialised"},
	{"bf16", 1, "pair(low, high)", "pair(high, low)", "", "wanted"},
	{"bf16", 1, "2 * p + 1 < K", "2 * p + 1 <= K", "", ""},
	{"bf16", 1, "k0 + j < K && r < R", "r < R", "", "out of bounds"},
	{"bf16", 1, "if (col >= N) continue;", "", "", ""},
	{"bf16", 1, "pair(a.z, a.w)", "pair(a.w, a.z)", "", "wanted"},
	{"bf16", 1, "if (i >= n) return;", "", "", "out of bounds"},
	{"flash", 1, "lane / 8 % 2 * 8", "lane / 16 * 8", "", "wanted"},
	{"flash", 1, "(j * 16 + lane % 8 + lane / 16 * 8)", "(j * 16 + lane % 8 + lane / 8 % 2 * 8)", "", "wanted"},
	{"flash", 1, "load_turned(y, &b[", "load_matrices(y, &b[", "", "wanted"},
	{"flash", 1, "(k * 16 + lane % 16)", "(lane % 16)", "", "wanted"},
	{"flash", 1, "pair(p[2 * k][2], p[2 * k][3])", "pair(p[2 * k][3], p[2 * k][2])", "", "wanted"},
	{"bf16.cuh", 1, "__shfl_xor_sync(all_lanes, v, 2)", "__shfl_xor_sync(all_lanes, v, 4)", "", "wanted"},
	{"flash", 1, "r < n ? 16 : 0", "16", "", ""},
	{"flash", 1, "i < n ? 4 : 0", "4", "", ""},
	{"flash", 1, "  __syncthreads();\n", "", "", "race"},
	{"flash", 1, "wait_group 0", "wait_group 1", "", "copy in flight"},
	{"flash", 1, "next(k0 + key_rows, place ^ 1)", "next(k0 + key_rows, place)", "", ""},
	{"flash", 1, "next(it + 1, place ^ 1)", "next(it + 1, place)", "", ""},
	{"flash", 1, "k0 + key_rows <= all.end", "k0 + key_rows <= all.end + 1", "", "wanted"},
	{"flash", 1, "k0 >= all.first", "k0 + 1 >= all.first", "", "wanted"},
	{"flash", 1, "k0 + block_rows <= all.end", "k0 + block_rows <= all.end + 1", "", "wanted"},
	{"flash", 1, "window, full).end > tile.at", "window, full).end >= tile.at", "", "wanted"},
	{"flash", 1, "<= tile.at + r0 &&", "<= tile.at + r0 + 1 &&", "", "wanted"},
	{"flash", 1, "(threadIdx.x < 32 ? lse : delta)", "(threadIdx.x < 32 ? delta : lse)", "", "wanted"},
	{"flash", 1, "window, full).first / key_rows * key_rows", "window, full).first / key_rows * key_rows + key_rows", "", ""},
	{"flash", 1, "it / blocks;", "it % blocks;", "", "wanted"},
	{"flash", 1, "sum[h] *= shrink;", "", "", "wanted"},
	{"flash", 1, "acc[j][2 * h] *= shrink;", "", "", "wanted"},
	{"flash", 1, "* (p[j][e] - mean[h])", "* p[j][e]", "", "wanted"},
	{"flash", 1, "base[h] = lse[own + (i64)r * H]", "base[h] = lse[own + r]", "", "wanted"},
	{"flash", 1, "r += warps", "r += warps - 1", "", ""},
	{"flash", 1, "if (r >= n) continue;", "", "", ""},
	{"attention", 1, "    __syncthreads();\n    i64 from", "    i64 from", "AttentionForward/values", "race"},
	{"attention", 1, "    __syncthreads();\n    if (r0", "    if (r0", "AttentionForward/values", ""},
	{"attention", 1, "    __syncwarp();\n", "", "AttentionForward/values", ""},
	{"attention.cuh", 1, "own + 1 : window", "own : window", "AttentionForward/values", ""},
	{"attention.cuh", 1, "own + 1 - window : 0", "own - window : 0", "AttentionForward/window", "beyond"},
	{"attention", 1, "sum[r] * shrink", "sum[r]", "AttentionForward/values", "beyond"},
	{"attention", 1, "acc[r][e] *= shrink", "", "AttentionForward/values", "beyond"},
	{"attention", 1, "lane + 32 * e;\n        if (d >= D) break;", "lane + 32 * e;", "AttentionForward/values", ""},
	{"attention", 1, "top[r] * ln_2 +", "top[r] +", "AttentionForward/values", "beyond"},
	{"attention", 2, "    __syncthreads();\n    i64 from", "    i64 from", "AttentionBackward/values", "race"},
	{"attention", 2, "    __syncwarp();\n", "", "AttentionBackward/values", ""},
	{"attention", 1, "* (p[r] - mean[r])", "* p[r]", "AttentionBackward/values", "beyond"},
	{"attention", 1, "(p[r] - mean);", "p[r];", "AttentionBackward/values", "beyond"},
	{"attention", 1, "      __syncthreads();\n      i64 from", "      i64 from", "AttentionBackward/values", "race"},
	{"attention", 1, "      __syncwarp();\n", "", "AttentionBackward/values", ""},
	{"attention.cuh", 1, "tile.n - 1 + window;", "tile.n - 2 + window;", "AttentionBackward/window", "beyond"},
}

// found stops a check at its first failure.
type found struct {
	conform.Recorder
	calls int
}

func (f *found) Skip(call string) bool {
	return len(f.Failures) > 0 || thinned{keep: 6}.Skip(call)
}

// mistake puts new in the place of the n-th old.
func mistake(t *testing.T, name, source, old, new string, n int) string {
	t.Helper()
	parts := strings.SplitAfterN(source, old, n+1)
	if len(parts) <= n {
		t.Fatalf("kernels/%s has %d of %q; wanted %d", name, len(parts)-1, old, n)
	}
	parts[n-1] = strings.TrimSuffix(parts[n-1], old) + new
	return strings.Join(parts, "")
}

// TestMutants: every mistake is found, by wrong numbers or by the simulator. It compiles the sources, so it needs NVRTC.
func TestMutants(t *testing.T) {
	c, err := nvrtc.Open()
	if err != nil {
		t.Skip(err)
	}
	headers := map[string]string{}
	for _, h := range []string{"common.cuh", "attention.cuh", "bf16.cuh", "hopper.cuh", "flash90.cuh"} {
		b, err := os.ReadFile("kernels/" + h)
		if err != nil {
			t.Fatal(err)
		}
		headers[h] = string(b)
	}
	right, err := shippedKernels()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range slices.Concat(mutants, tried90()) {
		t.Run(m.source+" "+m.old+" to "+m.new, func(t *testing.T) {
			t.Parallel()
			op, header := strings.CutSuffix(m.source, ".cuh")
			arch := "compute_80"
			if user := map[string]string{"hopper.cuh": "flash90", "bf16.cuh": "flash"}[m.source]; user != "" {
				op = user
			}
			if for90(op) {
				arch = "compute_90a"
			}
			b, err := os.ReadFile(filepath.Join("kernels", op+".cu"))
			if err != nil {
				t.Fatal(err)
			}
			source, headers := string(b), maps.Clone(headers)
			if header {
				headers[m.source] = mistake(t, m.source, headers[m.source], m.old, m.new, m.n)
			} else {
				source = mistake(t, m.source, source, m.old, m.new, m.n)
			}
			define := []string{"SMALL_HEADS"}
			if m.checks == bothSizes {
				define = nil
			}
			p, err := c.Compile(op+".cu", source, nvrtc.Options{Arch: arch, Headers: headers, Define: define, Lines: true})
			if err != nil {
				t.Fatal(err)
			}
			mod, err := sim.Parse(p.Image)
			if err != nil {
				t.Fatal(err)
			}
			kernels := maps.Clone(right)
			maps.Copy(kernels, mod.Kernels)
			card := &simulated{d: sim.NewDevice(), kernels: kernels}
			if for90(op) {
				if err := attentions(sim90(t, card), mutant90Cases(m.checks == bothSizes)); err == nil || !strings.Contains(err.Error(), m.found) {
					t.Errorf("found: %v; wanted %q", err, m.found)
				} else {
					t.Log(err)
				}
				return
			}
			if op == "bf16" || op == "flash" {
				var err error
				if op == "bf16" {
					err = bf16Products(bf16Sim(t, card), bf16Shapes)
				}
				if err == nil {
					err = attentions(bf16Sim(t, card), flashCases())
				}
				if err == nil || !strings.Contains(err.Error(), m.found) {
					t.Errorf("found: %v; wanted %q", err, m.found)
				}
				return
			}
			dev, err := newBackend("cuda-sim", card)
			if err != nil {
				t.Fatal(err)
			}
			var r found
			for _, b := range []backend.Backend{apart{dev}, dev} {
				for _, check := range conform.Checks() {
					if strings.HasPrefix(check.Name, m.checks) && len(r.Failures) == 0 {
						check.Run(&r, b)
					}
				}
			}
			if len(r.Failures) == 0 {
				t.Fatal("nothing was found")
			}
			if !strings.Contains(strings.Join(r.Failures, "\n"), m.found) {
				t.Errorf("found, but without %q: %s", m.found, r.Failures[0])
			}
			t.Log(r.Failures[0])
		})
	}
}
