// Package runs is how a script looks at what was trained before: every train.Run is kept in a store.
//
//	for _, r := range runs.All() { fmt.Println(r) }
//	runs.Compare(runs.Find("3f2a"), runs.Find("91c0"))
//
// The store is the folder ".tunebook" beside the notebook, or in the working directory where there is none (a prompt, a
// compiled program). The environment variable TUNEBOOK_STORE names another folder, or "off" for none;
// TUNEBOOK_STORE_LIMIT the bytes that tuned weights may take in it ("4GB" when not set): those used least recently go
// first, and a run whose weights are gone is trained again when it is asked for.
package runs

import (
	"fmt"
	"os"

	core "tunebook/engine/runs"
	"tunebook/stdlib/internal/keep"
	"tunebook/stdlib/stop"
)

// Folder is the name of a store beside a notebook.
const Folder = keep.Folder

// Dir returns the folder of the store, empty where nothing is kept.
func Dir() string { return keep.Dir() }

func existing(op string) *core.Store {
	dir := Dir()
	if dir == "" {
		stop.Now(op, "no runs are kept here", "set TUNEBOOK_STORE to a folder")
	}
	if _, err := os.Stat(dir); err != nil {
		stop.Now(op, fmt.Sprintf("there is no store at %s", dir), "train.Run makes it")
	}
	s, err := keep.Store()
	stop.If(op, err)
	return s
}
