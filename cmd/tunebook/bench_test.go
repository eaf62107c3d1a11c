package main

import (
	"bytes"
	"flag"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/bench"
	core "tunebook/engine/model"
	"tunebook/engine/model/base"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestBenchTables holds the tables of made-up results against a golden file.
func TestBenchTables(t *testing.T) {
	machine := &bench.Machine{CPU: "A Processor", Threads: 2, Peaks: []bench.PeakRate{{Name: "float32 AVX2", One: 117.5, All: 235}, {Name: "int8 VPDPBUSD", One: 470, All: 940.4}},
		Reads: []bench.Bandwidth{{Bytes: 1 << 20, Rate: 201.5}, {Bytes: 512 << 20, Rate: 61.25}}}
	rows := []benchRow{
		{"the machine and each kernel", bench.PartKernels, 3e8, bench.Result{Machine: machine, Info: "2 threads, AVX2", Kernels: []bench.Kernel{
			{Name: "product, up", Shape: "NT 1024×1536×576", Flops: 1.8e9, Bytes: 1.2e7, Seconds: 0.0095, Share: 0.806},
			{Name: "RoPE", Shape: "1024×576", Bytes: 4.7e6, Seconds: 1.5e-4}}}},
		{"full, a model", bench.PartSteps, 3.44e9, bench.Result{StepMin: 5.0123, Planned: 3.31e9, Best: 204.3, Median: 199.6, FirstStep: 7.2, Loss: []float64{10.9, 10.04567},
			Shares: map[string]float64{backend.Products: 0.7, backend.Attention: 0.1, "rest": 0.2}, Rates: map[string]float64{backend.Products: 171.3}}},
		{"LoRA, a model", bench.PartSteps, 1.9e9, bench.Result{StepMin: 3.3, Planned: 1.82e9, Best: 312, Median: 280, FirstStep: 5.6, Loss: []float64{10.9, 10.8}}},
		{"a model, batch 1", bench.PartGeneration, 7e8, bench.Result{Prefill: 812.5, Decode: 61.44, DecodeMed: 60.01}},
		{"a model, 16 questions", bench.PartEvaluation, 7e8, bench.Result{Rows: 14.21}},
		{"the model inside tunebook, first token", bench.PartStart, 6.7e7, bench.Result{FirstStep: 0.0688, SetUp: 0.066}},
	}
	var out bytes.Buffer
	for i, r := range rows {
		if err := printPart(&out, r, i == 0 || rows[i-1].Part != r.Part); err != nil {
			t.Fatal(err)
		}
	}
	out.WriteString("\n")
	if err := printSummaries(&out, []bench.Summary{
		{Name: "full float32", Peer: "PyTorch fp32", Unit: "tokens/s", Ours: 231.2, Theirs: 180.1, Ratios: []float64{1.27, 1.31}, Min: 1.27, Median: 1.29, Goal: 1.25,
			Memory: bench.Pair{Ours: 2.84e9, Theirs: 4.74e9}, FirstStep: bench.Pair{Ours: 4.61, Theirs: 11.7}, SetUp: bench.Pair{Ours: 0.21, Theirs: 3.4}},
		{Name: "generate Q8_0", Goal: 1.4, Failed: []string{"generate Q8_0: llama.cpp Q8_0: exit status 1: ModuleNotFoundError: No module named 'llama_cpp'"}},
		{Name: "log-likelihood", Peer: "transformers float32", Unit: "rows/s", Ours: 20, Theirs: 10, Ratios: []float64{2}, Min: 2, Median: 2, Goal: 1.5,
			Notes: []string{"log-likelihood: transformers float32: its losses are [2] and ours [1], which differ by 0.5; at most 0.001 counts as the same"}},
	}); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "bench.golden")
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("the tables are\n%s\nwanted\n%s", &out, want)
	}
	if s := quantity(math.Pi); s != "3.14" {
		t.Errorf("quantity: %s", s)
	}
}

// TestBenchPeers compares training and generation of the model inside the binary with a program that prints numbers, in turn.
func TestBenchPeers(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell to stand for Python")
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	dev, err := backend.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	m, err := core.OpenFS(dev, base.Files, base.Name)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"smol", "tiny"} {
		if err := m.Save(filepath.Join(dir, "work", "models", name), "F32"); err != nil {
			t.Fatal(err)
		}
	}
	for _, script := range []string{"train_step.py", "gen_hf.py"} {
		write("peers/"+script, "")
	}
	// The script's name comes after same.py and the rows, which it must be able to read.
	write("python", `#!/bin/sh
[ "$1" = -c ] && exit 0
[ "$PEERS_DIR" = "`+filepath.Join(dir, "work")+`" ] || exit 4
grep -q '"ids":\[\[[0-9]' "$2" || exit 5
case "$*" in
*gen_hf.py*fp32*) echo '{"decode_tok_s_best": 0.5, "import_s": 1, "load_s": 2, "cold_first_token_s": 9}';;
*gen_hf.py*) echo "no bf16 here" >&2; exit 1;;
*bf16amp*) echo '{"tok_s_best": 0.25, "loss": [99, 1], "cold_to_first_step_done_s": 1000, "load_s": 2}';;
*) echo '{"tok_s_best": 0.5, "cold_to_first_step_done_s": 1000, "import_torch_s": 1, "import_tf_s": 2, "load_s": 3}';;
esac
`)
	bench := func(python string, args ...string) (stdout, stderr string, err error) {
		self, e := os.Executable()
		if e != nil {
			t.Fatal(e)
		}
		cmd := exec.Command(self, append([]string{"bench", "--peers=" + filepath.Join(dir, "peers"), "--python", filepath.Join(dir, python), "--work", filepath.Join(dir, "work")}, args...)...)
		cmd.Env = append(os.Environ(), "TUNEBOOK_TEST_MAIN=1")
		var o, e2 strings.Builder
		cmd.Stdout, cmd.Stderr = &o, &e2
		err = cmd.Run()
		return o.String(), e2.String(), err
	}
	stdout, stderr, err := bench("python", "--only", "LoRA bf16,generate 32", "--rounds", "2", "--steps", "1")
	if err == nil {
		t.Error("a peer failed and a loss differs, and the exit code was 0")
	}
	for _, want := range []string{`(?m)^comparison +against +ours +theirs`,
		`(?m)^LoRA bf16 +PyTorch bf16 +[0-9]+ +0\.5 +tokens/s +[0-9]+\.[0-9]+ +[0-9]+\.[0-9]+ +1\.6 .*/ 1000 += 0\.0[0-9] +[0-9.]+ / 6$`,
		`(?m)^generate 32 +Hugging Face fp32 +[0-9]+ +0\.5 +tokens/s .*/ 9 `,
		`(?m)^generate 32: Hugging Face bf16: exit status 1: no bf16 here$`,
		`(?m)^LoRA bf16: PyTorch bf16amp: its losses are \[99 1\] and ours`} {
		if !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("no %s in\n%s", want, stdout)
		}
	}
	turns := regexp.MustCompile(`LoRA bf16, round \d of 2: .*`).FindAllString(stderr, -1)
	if got, want := strings.Join(turns, "\n"), `LoRA bf16, round 1 of 2: tunebook cpu-bf16
LoRA bf16, round 1 of 2: PyTorch bf16amp
LoRA bf16, round 1 of 2: PyTorch bf16
LoRA bf16, round 2 of 2: PyTorch bf16
LoRA bf16, round 2 of 2: PyTorch bf16amp
LoRA bf16, round 2 of 2: tunebook cpu-bf16`; got != want {
		t.Errorf("turns:\n%s\nwanted\n%s", got, want)
	}
	if _, stderr, err := bench("none", "--only", "LoRA"); err == nil || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "there is no Python") {
		t.Errorf("without Python: %v, %s", err, stderr)
	}
	write("bare", "#!/bin/sh\necho torch\n")
	if _, stderr, err := bench("bare", "--only", "LoRA"); err == nil || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "has no torch;") {
		t.Errorf("without torch: %v, %s", err, stderr)
	}
}
