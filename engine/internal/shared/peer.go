package shared

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// PeerPython is the environment variable that names a Python with the packages that the scripts in testdata/peers ask for.
const PeerPython = "PEERS_PYTHON"

// Peer is a Python process that does what ours does, for comparison: it answers a line of JSON with a line of JSON.
type Peer struct {
	in  *json.Encoder
	out *bufio.Scanner
}

// StartPeer starts a script; the test is skipped where PEERS_PYTHON is not set. The process ends with the test.
func StartPeer(t *testing.T, script string) *Peer {
	t.Helper()
	python := os.Getenv(PeerPython)
	if python == "" {
		t.Skipf("shared: %s names no Python to compare with", PeerPython)
	}
	cmd := exec.Command(python, script)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &Peer{in: json.NewEncoder(in), out: bufio.NewScanner(out)}
}

// Ask sends a question and reads its answer.
func (p *Peer) Ask(t *testing.T, question, answer any) {
	t.Helper()
	if err := p.in.Encode(question); err != nil {
		t.Fatal(err)
	}
	if !p.out.Scan() {
		t.Fatalf("no answer from Python: %v", p.out.Err())
	}
	if err := json.Unmarshal(p.out.Bytes(), answer); err != nil {
		t.Fatal(err)
	}
}
