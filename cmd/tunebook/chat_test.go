//go:build linux

package main

import (
	"strings"
	"testing"
	"time"
)

// At a terminal the answer appears word by word, Ctrl-C stops it and not the talk, and Ctrl-D ends that with the terminal
// as it was.
func TestChatAtATerminal(t *testing.T) {
	x := openTerminal(t, "chat", "--max-new", "900")
	x.expect("Ctrl-C stops an answer")
	x.prompt("> ")
	for try := 1; ; try++ {
		x.typeIn("Where does Mira live?\r")
		x.expect("lives") // the embedded model speaks of people who live somewhere, and goes on for long
		x.typeIn("\x03")
		if strings.Contains(x.prompt("> "), " … stopped") {
			break
		}
		// A busy machine let the answer end first; the key then cleared the prompt.
		x.prompt("> ")
		if try == 5 {
			t.Fatal("Ctrl-C stopped none of 5 answers")
		}
	}
	x.typeIn("/say\r")
	said := x.prompt("> ")
	if !strings.Contains(said, "user: Where does Mira live?") || !strings.Contains(said, "lives") {
		t.Errorf("%q", said)
	}
	x.typeIn("\x03") // at the prompt it only clears the line
	x.prompt("> ")
	x.typeIn("\x04")
	select {
	case err := <-x.done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Ctrl-D did not end the talk")
	}
	if !x.cooked() {
		t.Error("the terminal stays raw")
	}
}
