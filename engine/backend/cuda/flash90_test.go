package cuda

import (
	"flag"
	"slices"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/cuda/sim"
	"tunebook/engine/tensor"
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
	return []flashCase{
		{backend.Segments{List: segments(70, 1, 0, 33)}, 4, 2, 40},
		{backend.Segments{List: segments(300)}, 2, 1, 64},
		{backend.Segments{List: segments(290), Window: 20}, 1, 1, 128},
		{backend.Segments{List: segments(129, 128)}, 1, 1, 100},
		{backend.Segments{List: segments(420), Window: 200}, 1, 1, 64},
		{backend.Segments{List: segments(40, 275), Full: true}, 1, 1, 33},
		{backend.Segments{List: segments(190), Full: true, Window: 127}, 1, 1, 64},
		{backend.Segments{List: []backend.Segment{{QStart: 2, QLen: 5, KStart: 0, KLen: 180}, {QStart: 7, QLen: 130, KStart: 180, KLen: 400}}}, 2, 2, 64},
		{backend.Segments{List: segments(150), Full: true, Window: 9}, 1, 1, 64},
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
	{"flash90", 1, "barrier_expect(full_k + stage, size * 2)", "barrier_expect(full_k + stage, size * 2 - 16)", "", "deadlock"},
	{"flash90", 1, "barrier_expect(full_v + stage, size * 2)", "barrier_arrive(full_v + stage)", "", "copy in flight"},

	// where things lie
	{"hopper.cuh", 1, "((c ^ r) % 8)", "(c % 8)", "", "wanted"},
	{"hopper.cuh", 1, "(c / 8 * rows + r)", "r", bothSizes, ""},
	{"hopper.cuh", 1, "(u64)(1024 >> 4) << 32", "(u64)(128 >> 4) << 32", "", "misaligned"},
	{"hopper.cuh", 1, "(u64)1 << 62", "(u64)2 << 62", "", "descriptor"},
	{"hopper.cuh", 1, "k / tile_columns * rows * 128", "k / tile_columns * 64 * 128", bothSizes, "wanted"},
	{"hopper.cuh", 1, "k % tile_columns * 2 >> 4", "k % tile_columns >> 4", "", ""},
	{"hopper.cuh", 1, "(rows * 128 >> 4)", "(rows * 64 >> 4)", "", ""},
	{"hopper.cuh", 1, "i < n ? from[i] : 0.0f", "from[i]", "", ""},
	{"flash90", 1, "values = descriptor(vs, tile_rows * 128)", "values = descriptor(vs, 64 * 128)", bothSizes, "wanted"},
	{"flash90", 1, "keys + (stage * size * 2 >> 4)", "keys + (stage * size >> 4)", "", ""},
	{"hopper.cuh", 1, "%36, p, 1, 1, 1;}", "%36, p, 1, 1, 0;}", "", ""},
	{"hopper.cuh", 1, "START WGMMA(128)", "ADD WGMMA(128)", "", ""},
	{"flash90", 1, "own = qs + group * 64 * DP", "own = qs + group * 32 * DP", "", ""},
	{"flash90.cuh", 1, "s[8 * k + 2 * i]", "s[8 * k + i]", "", "wanted"},
	{"flash90", 1, "if (r < tile.n) load8", "load8", "", ""},
	{"flash90", 1, "if (group * 64 + r < tile.n) load8", "load8", "", ""},
	{"flash90", 1, "(end - 1 - i) * size", "i * size", "", ""},
	{"flash90", 1, "tiles_k + firsts[at])", "tiles_k)", "", "wanted"},

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
	{"flash90", 1, "row_max(most)", "most", "", "wanted"},
	{"flash90.cuh", 1, "if (r >= n) continue;", "", "", ""},
	{"flash90", 1, "* ln_2 + logf(sum[h])", "+ logf(sum[h])", "", "wanted"},

	// backward, dQ
	{"flash90.cuh", 1, "firsts[i] + tile.at / tile_rows", "firsts[i]", "", ""},
	{"flash90.cuh", 1, "firsts ? firsts[i] + tile.at / tile_rows : i", "i", "", ""},
	{"back90", 1, "for (int l = DP / 16;", "for (int l = DP / 32;", "", "wanted"},
	{"back90", 1, "delta = fmaf(x[e], y[e], delta)", "delta = fmaf(x[e], x[e], delta)", "", "wanted"},
	{"back90", 1, "tile + (2 * c + sub) * part", "tile + (c + sub) * part", bothSizes, ""},
	{"back90", 1, "barrier_expect(own, 4 * size)", "barrier_expect(own, 2 * size)", "", "copy in flight"},
	{"back90", 1, "barrier_expect(there + stage, 4 * block)", "barrier_expect(there + stage, 2 * block)", "", "copy in flight"},
	{"back90", 1, "        barrier_wait(empty + stage, parity ^ 1);\n", "", "", ""},
	{"back90", 1, "i / 2) * size, i % 2, there", "i / 2) * size, 0, there", "", "wanted"},
	{"back90", 1, "    barrier_wait(there + stage, i / stages % 2);\n", "", "", "copy in flight"},
	{"back90", 1, "barrier_wait(there + stage, i / stages % 2)", "barrier_wait(there + stage, i % 2)", "", ""},
	{"back90", 1, "  barrier_wait(own, 0);\n", "", "", "copy in flight"},
	{"back90", 1, "    products_fence();\n", "", "", "missing fence"},
	{"back90", 1, "    wait_products<2>();\n", "    wait_products<3>();\n", "", "product in flight"},
	{"back90", 1, "    wait_products<1>();\n", "    wait_products<2>();\n", "", "product in flight"},
	{"back90", 1, "    wait_products<0>();\n", "", "", "product in flight"},
	{"back90", 1, "    if (lane == 0) barrier_arrive(empty + (i - 1) % stages);\n", "", "", "deadlock"},
	{"back90", 1, "barrier_arrive(empty + (i - 1) % stages)", "barrier_arrive(empty + i % stages)", "", ""},
	{"back90", 1, "barrier_init(empty + i, 8)", "barrier_init(empty + i, 7)", "", ""},
	{"back90", 1, "k0 < all.first || k0 + block_rows", "k0 + block_rows", "", "wanted"},
	{"back90", 1, "k0 + block_rows > all.end", "k0 + block_rows > all.end + 1", "", ""},
	{"back90", 1, "key < seen[j / 2 % 2].first", "key <= seen[j / 2 % 2].first", "", "wanted"},
	{"back90", 1, "key >= seen[j / 2 % 2].end", "key > seen[j / 2 % 2].end", "", "wanted"},
	{"back90", 1, "-base[j / 2 % 2]", "-base[j % 2]", "", "wanted"},
	{"back90", 1, "s[j] *= dp[j] - mean[j / 2 % 2]", "s[j] *= dp[j]", "", "wanted"},
	{"back90", 1, "group * numbers + (r0", "(r0", "", "wanted"},
	{"back90", 1, "gradients = down(descriptor(ds, tile_rows * 128), group * 64)", "gradients = descriptor(ds, tile_rows * 128)", "", "wanted"},

	// backward, dK and dV
	{"back90", 1, "blocks = (queries.end + block_rows - 1) / block_rows - begin", "blocks = queries.end / block_rows - begin", "", ""},
	{"back90", 1, "begin = queries.first / block_rows", "begin = queries.first / block_rows + 1", "", ""},
	{"back90", 1, "at - tile.at / tile_rows + b / 2", "at + b / 2", "", ""},
	{"back90", 1, "kv * heads + i / blocks", "kv + i / blocks", "", "wanted"},
	{"back90", 1, "4 * block + 4 * numbers", "4 * block", "", "copy in flight"},
	{"back90", 1, "(2 * from + b % 2) * numbers", "2 * from * numbers", "", "wanted"},
	{"back90", 2, "        barrier_wait(empty + stage, parity ^ 1);\n", "", "", ""},
	{"back90", 1, "    barrier_wait(there + i % stages, i / stages % 2);\n", "", "", "copy in flight"},
	{"back90", 2, "  barrier_wait(own, 0);\n", "", "", "copy in flight"},
	{"back90", 1, "first < visible(q0 + block_rows - 1, 0", "first < visible(q0, 0", "", "wanted"},
	{"back90", 1, "last >= visible(q0", "last > visible(q0", "", "wanted"},
	{"back90", 1, "key < seen.first", "key <= seen.first", "", "wanted"},
	{"back90", 1, "key >= seen.end", "key > seen.end", "", "wanted"},
	{"back90", 1, "e % 2 ? -base.y : -base.x", "-base.x", "", "wanted"},
	{"back90", 1, "e % 2 ? mean.y : mean.x", "e / 2 ? mean.y : mean.x", "", "wanted"},
	{"back90", 1, "    __syncwarp();  //", "    //", "", "race"},
	{"back90", 1, "    if (i > 0 && lane == 0) barrier_arrive(empty + (i - 1) % stages);\n", "", "", "deadlock"},
	{"back90", 1, "(i > 0 && lane == 0) barrier_arrive(empty + (i - 1) % stages)", "(lane == 0) barrier_arrive(empty + i % stages)", "", ""},
	{"back90", 1, "    round(p, s);\n    products_fence();\n    add_weighted(sum_v", "    round(p, s);\n    add_weighted(sum_v", "", "missing fence"},
	{"back90", 1, "    wait_products<1>();\n    differ(i);", "    differ(i);", "", "product in flight"},
	{"back90", 1, "query + from(i - 1)", "query + from(i)", "", ""},
	{"back90", 1, "query + from(count - 1)", "query + from(count)", "", ""},
	{"back90", 1, "values = down(descriptor(vs, tile_rows * 128), group * 64)", "values = descriptor(vs, tile_rows * 128)", "", "wanted"},
	{"back90", 1, "sum_v, one, r0", "sum_v, scales, r0", "", "wanted"},
}

// bothSizes marks mistakes that heads of more than 64 elements find.
const bothSizes = "both sizes"

var allMutants = flag.Bool("mutants", false, "plant every mistake in the kernels for compute capability 9.0, not every sixth")

// tried90 are the mistakes that are planted.
func tried90() []mutant {
	if *allMutants {
		return mutants90
	}
	var some []mutant
	for i := 0; i < len(mutants90); i += 6 {
		some = append(some, mutants90[i])
	}
	return some
}

// mutant90Cases are few, and small as far as the loops' stages let them be.
func mutant90Cases(large bool) []flashCase {
	cases := flash90Cases()
	long := backend.Segments{List: []backend.Segment{{QStart: 0, QLen: 22, KStart: 3, KLen: 660}}}
	few := []flashCase{cases[0], {long, 2, 2, 64}, cases[4], cases[6], cases[7]}
	if large {
		few = append([]flashCase{cases[3]}, few...)
	}
	return few
}

// TestTables: a list of documents keeps its tables for tiles of both sizes that heads of several sizes ask for, and gives all back.
func TestTables(t *testing.T) {
	right, err := shippedKernels()
	if err != nil {
		t.Fatal(err)
	}
	b := sim90(t, &simulated{d: sim.NewDevice(), kernels: right})
	const n, d = 5, 64
	x, lse := b.Alloc(tensor.F32, n*d), b.Alloc(tensor.F32, n)
	segs := oneSegment(n)
	var first []*tables
	for range 2 {
		o := b.Alloc(tensor.F32, n*d)
		b.AttentionForward(o, lse, x, x, x, segs, 1, 1, d, 1)
		b.AttentionForward(o, lse, x, x, x, segs, 1, 1, d/2, 1) // heads of 32: the kernels for older cards
		if first == nil {
			first = slices.Clone(segs.Dev.(*documents).of)
		}
		b.Free(o)
	}
	if of := segs.Dev.(*documents).of; len(of) != 2 || of[0].each != tileRows90 || of[1].each != flashRows || !slices.Equal(of, first) {
		t.Errorf("%d tables, then %d; wanted the same two", len(first), len(of))
	}
	if err := b.Sync(); err != nil {
		t.Fatal(err)
	}
	c := fakeBackend(t, newFake())
	y, o := c.Alloc(tensor.F32, n*d), c.Alloc(tensor.F32, n*d)
	used := c.dev.(*card).inUse
	for range 2 {
		c.AttentionForward(o, nil, y, y, y, segs, 1, 1, d, 1) // on another card: tables of its own
		if now := c.dev.(*card).inUse; now <= used {
			t.Errorf("%d bytes in use, %d with tables", used, now)
		}
		segs.Release()
		if now := c.dev.(*card).inUse; now != used {
			t.Errorf("%d bytes in use, %d after the tables were given back", used, now)
		}
	}
	if err := c.Sync(); err != nil {
		t.Error(err)
	}
}
