package session

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

func TestDbg(t *testing.T) {
	f := os.Getenv("DBG")
	if f == "" {
		t.Skip()
	}
	b, _ := os.ReadFile(f)
	s, err := New(Config{Packages: testPackages(), Stdout: os.Stdout, Stderr: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.scope.Check("cell", string(b))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(u.Define)
	s, _ = New(Config{Packages: testPackages(), Stdout: os.Stdout, Stderr: os.Stderr})
	ctx, c := context.WithTimeout(context.Background(), 5*time.Second)
	defer c()
	r := s.Eval(ctx, "cell", string(b))
	fmt.Println("SHOWN", r.Text, "ERR", r.Err)
}
