package bench

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// own are scripts for what the folder of peers has none for, and for running those that it has on our rows.
//
//go:embed peers/*.py
var own embed.FS

// RowsFile stands among a script's arguments for the path of the file of rows.
const RowsFile = "{rows}"

// place returns the path of a script: one of ours, which is written into dir, or one of the peers' folder.
func (r *Runner) place(dir, script string) (string, error) {
	if b, err := own.ReadFile("peers/" + script); err == nil {
		path := filepath.Join(dir, script)
		return path, os.WriteFile(path, b, 0o666)
	}
	path := filepath.Join(r.Scripts, script)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("bench: the folder of peers has no %s: %w", script, err)
	}
	return path, nil
}

func writeRows(dir string, rows Rows) (string, error) {
	b, err := json.Marshal(rows)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "rows.json")
	return path, os.WriteFile(path, b, 0o666)
}

// gguf is the file that the GGUF files of other forms are made from.
const gguf = "SmolLM2-135M-Instruct.Q4_1.gguf"

// Prepare makes what the comparisons read, where it is not there already: the models that make_models.py writes and, where
// source is not empty, the GGUF files that requant.py makes of that folder's.
func (r *Runner) Prepare(ctx context.Context, source string) error {
	if _, err := os.Stat(filepath.Join(r.Models, "models", "tiny", "model.safetensors")); err != nil {
		if err := os.MkdirAll(filepath.Join(r.Models, "models"), 0o777); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		r.Log("making the models in %s", r.Models)
		if err := r.make(ctx, "make_models.py"); err != nil {
			return err
		}
	}
	if source == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(r.Models, "smol.BF16.gguf")); err == nil {
		return nil
	}
	if err := copyFile(filepath.Join(r.Models, gguf), filepath.Join(source, gguf)); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	r.Log("making the GGUF files in %s", r.Models)
	return r.make(ctx, "requant.py")
}

// make runs a script that makes files.
func (r *Runner) make(ctx context.Context, script string) error {
	path, err := r.place("", script)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, r.Python, path)
	cmd.Env = r.peerEnv()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("bench: %s: %w: %s", script, err, lastLine(string(out)))
	}
	return nil
}

func copyFile(to, from string) (err error) {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}

// Settings are what all comparisons of a run share.
type Settings struct {
	Models  string // folder of the models
	Threads int
	Steps   int // measured steps a round
	Texts   Texts
}

// avx2 restricts both sides to AVX2.
var (
	avx2Ours  = []string{"TUNEBOOK_CPU=avx2"}
	avx2Peers = []string{"ATEN_CPU_CAPABILITY=avx2", "ONEDNN_MAX_CPU_ISA=AVX2", "MKL_ENABLE_INSTRUCTIONS=AVX2"}
)

// Comparisons returns all comparisons.
func Comparisons(s Settings) []Comparison {
	folder := func(name string) string { return filepath.Join(s.Models, "models", name) }
	threads := []string{"--threads", fmt.Sprint(s.Threads)}
	rows := map[string]Rows{
		"smol": RandomRows(4, 256, vocabulary(folder("smol"), "smol"), 1),
		"tiny": RandomRows(32, 128, vocabulary(folder("tiny"), "tiny"), 1),
	}
	var all []Comparison
	step := func(name, model, device, quant string, lora int, goal, bound float64, ours, peers []string, dtypes ...string) {
		c := Comparison{Name: name, Figure: "step", Goal: goal, LossBound: bound, Ours: Side{Name: "tunebook " + strings.TrimSpace(device+" "+quant), Env: ours,
			Work: &Work{Do: Steps, Model: folder(model), Device: device, Quant: quant, LoRA: lora, Rows: rows[model], Steps: s.Steps}}}
		mode := "full"
		if lora > 0 {
			mode = "lora" // of rank 16
		}
		r := rows[model]
		for _, dtype := range dtypes {
			dtype, compile, _ := strings.Cut(dtype, " ")
			args := append([]string{"--model", model, "--mode", mode, "--dtype", dtype, "--batch", fmt.Sprint(len(r.IDs)),
				"--seq", fmt.Sprint(len(r.IDs[0])), "--steps", fmt.Sprint(s.Steps)}, threads...)
			if compile != "" {
				args = append(args, compile)
			}
			c.Peers = append(c.Peers, Side{Name: strings.TrimSpace("PyTorch " + dtype + " " + strings.TrimPrefix(compile, "--")), Script: "train_step.py", Args: args, Same: true, Env: peers})
		}
		all = append(all, c)
	}
	const exact, rounded = 1e-3, 2e-2
	step("full float32", "smol", "cpu", "", 0, 1.25, exact, nil, nil, "fp32")
	step("full bf16", "smol", "cpu-bf16", "", 0, 1.4, rounded, nil, nil, "bf16amp")
	step("full bf16 compiled", "smol", "cpu-bf16", "", 0, 1.25, rounded, nil, nil, "bf16amp --compile")
	step("LoRA float32", "smol", "cpu", "", 16, 1.4, exact, nil, nil, "fp32")
	step("LoRA bf16", "smol", "cpu-bf16", "", 16, 1.6, rounded, nil, nil, "bf16amp", "bf16")
	step("LoRA int8 base", "smol", "cpu-bf16", "int8", 16, 2.2, rounded, nil, nil, "bf16amp", "bf16")
	step("small float32", "tiny", "cpu", "", 0, 1.4, exact, nil, nil, "fp32")
	step("small bf16", "tiny", "cpu-bf16", "", 0, 1.7, rounded, nil, nil, "bf16amp")
	step("full float32 AVX2", "smol", "cpu", "", 0, 1.15, exact, avx2Ours, avx2Peers, "fp32")
	step("LoRA float32 AVX2", "smol", "cpu", "", 16, 1.15, exact, avx2Ours, avx2Peers, "fp32")

	one := Work{Do: Steps, Model: folder("smol"), Device: "cpu", Rows: rows["smol"], Steps: s.Steps}
	all = append(all, Comparison{Name: "two threads", Figure: "step", Goal: 1.8, LossBound: 1e-12,
		Ours:  Side{Name: "tunebook, 2 threads", Work: &one, Env: []string{"GOMAXPROCS=2"}},
		Peers: []Side{{Name: "tunebook, 1 thread", Work: &one, Env: []string{"GOMAXPROCS=1"}}}})

	all = append(all, Comparison{Name: "Trainer defaults", Figure: "rows", Goal: 3,
		Ours:  Side{Name: "tunebook cpu", Work: &Work{Do: Run, Model: folder("smol"), Device: "cpu", Rows: s.Texts.Ragged}},
		Peers: []Side{{Name: "transformers Trainer", Script: "trainer.py", Args: append([]string{"--model", "smol", "--rows", RowsFile}, threads...)}}})
	all = append(all, Comparison{Name: "log-likelihood", Figure: "rows", Goal: 1.5, LossBound: exact,
		Ours: Side{Name: "tunebook cpu", Work: &Work{Do: Likelihood, Model: folder("smol"), Device: "cpu",
			Tokenizer: s.Texts.Tokenizer, Questions: s.Texts.Questions, Rows: s.Texts.Choices, Reps: 2}},
		Peers: []Side{{Name: "transformers float32", Script: "loglik.py", Args: append([]string{"--model", "smol", "--rows", RowsFile}, threads...)}}})

	generate := func(name, model, device, quant string, batch int, goal float64, peers ...Side) {
		r := RandomRows(batch, 64, vocabulary(folder("smol"), "smol"), 2)
		all = append(all, Comparison{Name: name, Figure: "decode", Goal: goal, Peers: peers, Ours: Side{Name: strings.TrimSpace("tunebook " + device + " " + quant),
			Work: &Work{Do: Generation, Model: model, Device: device, Quant: quant, Rows: r, New: 64, Reps: 3}}})
	}
	llama := func(form string, batch int) Side {
		return Side{Name: "llama.cpp " + form, Script: "gen_llama.py",
			Args: append([]string{"--gguf", filepath.Join(s.Models, "smol."+form+".gguf"), "--batch", fmt.Sprint(batch), "--reps", "3"}, threads...)}
	}
	hf := func(dtype string, batch int) Side {
		return Side{Name: "Hugging Face " + dtype, Script: "gen_hf.py", Same: true,
			Args: append([]string{"--dtype", dtype, "--batch", fmt.Sprint(batch), "--reps", "2"}, threads...)}
	}
	file := func(form string) string { return filepath.Join(s.Models, "smol."+form+".gguf") }
	generate("generate Q8_0", file("Q8_0"), "cpu", "int8", 1, 1.4, llama("Q8_0", 1))
	generate("generate Q4_0", file("Q4_0"), "cpu", "int4", 1, 1.4, llama("Q4_0", 1))
	generate("generate BF16", file("BF16"), "cpu", "bf16", 1, 1.15, llama("BF16", 1))
	generate("generate 32 Q8_0", file("Q8_0"), "cpu", "int8", 32, 2, llama("Q8_0", 32))
	generate("generate 32", folder("smol"), "cpu", "", 32, 3, hf("fp32", 32), hf("bf16", 32))
	generate("generate 32 int8", folder("smol"), "cpu", "int8", 32, 3, hf("fp32", 32), hf("bf16", 32))
	return all
}
