package cuda

import (
	"testing"

	"tunebook/engine/backend"
)

// sim90 is a simulated card of compute capability 9.0 whose products and attention run on tensor cores.
func sim90(t testing.TB, kernels *simulated) *Backend {
	t.Helper()
	kernels.hopper = true
	return bf16Sim(t, kernels)
}

// flash90Cases have segments longer and shorter than a tile, masks whose edges lie within and at the end of one, several heads,
// and every size of kernel.
func flash90Cases() []flashCase {
	list := func(lengths ...int) (l []backend.Segment) {
		at := 1 // a row that no segment names
		for _, n := range lengths {
			l = append(l, backend.Segment{QStart: at, QLen: n, KStart: at, KLen: n})
			at += n
		}
		return l
	}
	return []flashCase{
		{backend.Segments{List: list(70, 1, 0, 33)}, 4, 2, 40},
		{backend.Segments{List: list(300)}, 2, 1, 64},
		{backend.Segments{List: list(290), Window: 20}, 1, 1, 128},
		{backend.Segments{List: list(129, 128)}, 1, 1, 100},
		{backend.Segments{List: list(420), Window: 200}, 1, 1, 64},
		{backend.Segments{List: list(40, 275), Full: true}, 1, 1, 33},
		{backend.Segments{List: list(190), Full: true, Window: 9}, 1, 1, 64},
		{backend.Segments{List: []backend.Segment{{QStart: 2, QLen: 5, KStart: 0, KLen: 180}, {QStart: 7, QLen: 130, KStart: 180, KLen: 400}}}, 2, 2, 64},
	}
}

// TestFlash90: the kernels for compute capability 9.0 are as right as those for all.
func TestFlash90(t *testing.T) {
	dev, err := newSimulated()
	if err != nil {
		t.Fatal(err)
	}
	if err := attentions(sim90(t, dev), flash90Cases()); err != nil {
		t.Error(err)
	}
}

// mutants90 are mistakes in kernels for compute capability 9.0.
var mutants90 = []mutant{
	// the order of things
	{"flash90", 1, "    share_writes();\n", "", "", "missing fence"},
	{"flash90", 1, "    sync_some(3 + group, 128);\n", "", "", ""},
	{"flash90", 1, "    barriers_ready();\n", "", "", "missing fence"},
	{"flash90", 1, "  __syncthreads();\n", "", "", ""},
	{"flash90", 1, "        barrier_wait(empty_k + stage, parity ^ 1);\n", "", "", ""},
	{"flash90", 1, "        barrier_wait(empty_v + stage, parity ^ 1);\n", "", "", ""},
	{"flash90", 1, "barrier_wait(empty_k + stage, parity ^ 1)", "barrier_wait(empty_k + stage, parity)", "", "deadlock"},
	{"flash90", 1, "int stage = i % stages, parity = i / stages % 2;", "int stage = i % stages, parity = 0;", "", ""},
	{"flash90", 1, "  barrier_wait(full_k, 0);\n", "", "", "copy in flight"},
	{"flash90", 1, "    barrier_wait(full_k + stage, i / stages % 2);\n", "", "", "copy in flight"},
	{"flash90", 1, "    barrier_wait(full_k + stage, i / stages % 2);\n", "    barrier_wait(full_k + stage, 0);\n", "", ""},
	{"flash90", 1, "    barrier_wait(full_v + last, (i - 1) / stages % 2);\n", "", "", "copy in flight"},
	{"flash90", 1, "barrier_wait(full_v + last, (i - 1) / stages % 2)", "barrier_wait(full_v + last, i / stages % 2)", "", ""},
	{"flash90", 1, "  barrier_wait(full_v + stage, i / stages % 2);\n", "", "", "copy in flight"},
	{"flash90", 1, "  products_fence();\n", "", "", "missing fence"},
	{"flash90", 2, "  products_fence();\n", "", "", "missing fence"},
	{"flash90", 4, "  products_fence();\n", "", "", "missing fence"},
	{"flash90", 1, "  wait_products<0>();\n", "", "", "product in flight"},
	{"flash90", 1, "    wait_products<1>();\n", "    wait_products<2>();\n", "", "product in flight"},
	{"flash90", 1, "    wait_products<0>();\n", "    wait_products<1>();\n", "", "product in flight"},
	{"flash90", 3, "  wait_products<0>();\n", "", "", "product in flight"},
	{"flash90", 1, "  done(empty_k);\n", "", "", "deadlock"},
	{"flash90", 1, "    done(empty_k + stage);\n    weigh", "    weigh", "", "deadlock"},
	{"flash90", 1, "    wait_products<0>();\n    done(empty_v + last);\n", "    done(empty_v + last);\n    wait_products<0>();\n", "", "race"},
	{"flash90", 1, "barrier_init(empty_k + i, 8)", "barrier_init(empty_k + i, 7)", "", ""},
	{"flash90", 1, "barrier_init(empty_v + i, 8)", "barrier_init(empty_v + i, 9)", "", "deadlock"},
	{"flash90", 1, "  if (group == 1) arrive_some(1, 256);", "  ", "", "deadlock"},
	{"flash90", 1, "arrive_some(2 - group, 256)", "arrive_some(1 + group, 256)", "", ""},
	{"flash90", 1, "barrier_init(full_v + i, 1)", "barrier_init(full_v + i, 2)", "", "deadlock"},
	{"hopper.cuh", 1, "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;\" ::\"r\"(shared_address(b)), \"r\"(bytes)", "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;\" ::\"r\"(shared_address(b)), \"r\"(bytes - 16)", "", ""},

	// where things lie
	{"hopper.cuh", 1, "((c ^ r) % 8)", "(c % 8)", "", "wanted"},
	{"hopper.cuh", 1, "(c / 8 * rows + r)", "r", "", ""},
	{"hopper.cuh", 1, "(u64)(1024 >> 4) << 32", "(u64)(128 >> 4) << 32", "", "misaligned"},
	{"hopper.cuh", 1, "(u64)1 << 62", "(u64)2 << 62", "", "descriptor"},
	{"hopper.cuh", 1, "k / tile_columns * rows * 128", "k / tile_columns * 64 * 128", "", "wanted"},
	{"hopper.cuh", 1, "k % tile_columns * 2 >> 4", "k % tile_columns >> 4", "", ""},
	{"hopper.cuh", 1, "(rows * 128 >> 4)", "(rows * 64 >> 4)", "", ""},
	{"hopper.cuh", 1, "i < n ? from[i] : 0.0f", "from[i]", "", ""},
	{"flash90", 1, "values = descriptor(vs, tile_rows * 128)", "values = descriptor(vs, 64 * 128)", "", "wanted"},
	{"flash90", 1, "keys + (stage * size * 2 >> 4)", "keys + (stage * size >> 4)", "", ""},
	{"flash90", 1, "multiply_group<1>(sum", "multiply_group<0>(sum", "", ""},
	{"flash90", 1, "own = qs + group * 64 * DP", "own = qs + group * 32 * DP", "", ""},
	{"flash90", 1, "k > 0);", "1);", "", ""},
	{"flash90", 1, "s[8 * k + 2 * i]", "s[8 * k + i]", "", "wanted"},
	{"flash90", 1, "if (r < tile.n) v = pack8", "v = pack8", "", ""},
	{"flash90", 1, "if (group * 64 + r < tile.n) x = pack8", "x = pack8", "", ""},
	{"flash90", 1, "(end - 1 - i) * size", "i * size", "", ""},
	{"flash90", 1, "firsts[at])", "0)", "", "wanted"},

	// masks and weights
	{"flash90", 1, "k0 < all.first || ", "", "", "wanted"},
	{"flash90", 1, "k0 + tile_rows > all.end", "k0 + tile_rows > all.end + 1", "", "wanted"},
	{"flash90", 1, "tile.at + group * 64 + 63, lead", "tile.at + group * 64, lead", "", "wanted"},
	{"flash90", 1, "tile.at + group * 64, lead", "tile.at + group * 64 + 63, lead", "", "wanted"},
	{"flash90", 1, "key < seen[j / 2 % 2].first", "key <= seen[j / 2 % 2].first", "", "wanted"},
	{"flash90", 1, "key >= seen[j / 2 % 2].end", "key > seen[j / 2 % 2].end", "", "wanted"},
	{"flash90", 1, "j / 4 * 8 + lane % 4 * 2 + j % 2", "j / 4 * 8 + lane % 4 + j % 2 * 4", "", "wanted"},
	{"flash90", 1, ".end + tile_rows - 1) / tile_rows", ".end) / tile_rows", "", ""},
	{"flash90", 1, "most == -infinity() ? 0.0f : most * scale2", "most * scale2", "", "wanted"},
	{"flash90", 1, "sum[h] *= shrink[h];", "", "", "wanted"},
	{"flash90", 1, "acc[j] *= shrink[j / 2 % 2]", "acc[j] *= shrink[j % 2]", "", "wanted"},
	{"flash90", 1, "__shfl_xor_sync(all_lanes, v, 2)", "__shfl_xor_sync(all_lanes, v, 4)", "", "wanted"},
	{"flash90", 1, "if (r >= n) continue;", "", "", ""},
	{"flash90", 1, "* ln_2 + logf(sum[h])", "+ logf(sum[h])", "", "wanted"},
}

// mutant90Cases are few, and small as far as the loops' stages let them be.
func mutant90Cases() []flashCase {
	cases := flash90Cases()
	long := backend.Segments{List: []backend.Segment{{QStart: 0, QLen: 22, KStart: 3, KLen: 660}}}
	return []flashCase{cases[0], cases[3], {long, 2, 2, 64}, cases[4], cases[6], cases[7]}
}
