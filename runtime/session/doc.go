// Package session runs cells one after the other and keeps what they declare.
//
// The way of one cell: a front end (package repl, package notebook) calls Eval, which has package cell check and lower
// it, an Evaluator (yaegi) run it statement by statement, and package show make what is seen of its last value.
//
//	s, err := session.New(session.Config{Packages: …, Stdout: os.Stdout, Stderr: os.Stderr})
//	r := s.Eval(ctx, "1", "x := 20\nx + 1")
//	r.Text // "21"
//
// # What holds
//
// A cell is type-checked as a whole, as the compiler would, before any of it runs; all that is wrong is named at its
// place. A statement that fails defines nothing; what ran before it stays. Whatever is declared again is seen by all that
// refers to it; a value of a replaced type keeps that type, which messages call the old one; a function that no longer
// fits stays as it was, and a note says so. A panic, in a goroutine too, an error as the last value, an endless recursion
// and os.Exit end the cell and not the process. When the context ends, loops, channel operations, selects, sleeps and
// every compiled call that watches host.Context stop at once. A compiled call that does not stop within five seconds
// costs the session its interpreter and its variables, and the error says so.
//
// # What the interpreter cannot do
//
// Refused before the cell runs, in a sentence with the line and, where there is one, the way round:
//
//   - goto; a dot import; unsafe, and packages that are not for scripts (networks, plug-ins, Go's own tools);
//   - a type that holds itself other than through a struct (type M map[string]M), a generic type inside a function,
//     defer inside a range over a function;
//   - a variable of a type that no package for scripts names;
//   - of a package beside the notebook: a dot import, go:embed, go:linkname, cgo and assembly, a package main, an import
//     cycle, a package outside the notebook's module (or folder, without a go.mod); in a loose cell also a struct that
//     embeds one of its types.
//
// What package cell lets through and the interpreter then refuses fails with "the interpreter cannot run this" and the
// line, before anything of the cell has run.
//
// Different from a compiled program, and not refused:
//
//   - an index out of range is reported without the two numbers;
//   - unexported fields of a script's structs are called Xname by %+v, %#v and reflection; encoding/json leaves them
//     out as it should; encoding/xml refuses a script's structs, whose type has no name;
//   - runtime.Goexit panics; a flag set made with flag.ExitOnError fails the cell instead of ending the process;
//   - %T and the like say main.T of a type T from a package beside the notebook;
//   - calls may be some 200,000 deep;
//   - time: a step of a loop takes about 60 ns and a call of compiled code about 500 ns, a hundred times and more what
//     compiled code needs. Heavy loops belong below the script API.
package session
