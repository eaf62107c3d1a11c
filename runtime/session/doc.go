// Package session runs cells one after the other and keeps what they declare.
//
// The way of one cell: a front end (package repl, package notebook) calls Eval, which has package cell check and lower
// it, an Evaluator (yaegi) run it statement by statement, and package show make what is seen of its last value.
//
//	s, err := session.New(session.Config{Packages: …, Stdout: os.Stdout, Stderr: os.Stderr})
//	r := s.Eval(ctx, "1", "x := 20\nx + 1")
//	r.Text // "21"
//
// Front ends do not call it themselves but through package child, which runs it in a process of its own.
//
// # What holds
//
// A cell is type-checked as a whole, as the compiler would, before any of it runs; all that is wrong is named at its
// place. A statement that fails defines nothing; what ran before it stays. Whatever is declared again is seen by all that
// refers to it; a value of a replaced type keeps that type, which messages call the old one; a function that no longer
// fits stays as it was, or is gone when it takes the old type, and a note says so. A panic, in a goroutine too, an error
// as the last value, an endless recursion and os.Exit end the cell and not the process. When the context ends, loops,
// channel operations, selects, sleeps and every compiled call that watches host.Context stop at once. A compiled call
// that does not stop costs the child process with the session's variables, and the error says so.
//
// # Who does what
//
// To the interpreter a declared type is what it is made of, a method is a function that takes the receiver first, and an
// interface is any. A value of a script's type that goes behind an interface becomes a Value, which has its type's
// description (cell.Type) and methods; the session answers type assertions, comparisons, calls, prints, errors.As and
// encodings with these, by the rules of the language (values.go, print.go, encode.go). Deferred calls and recover are the
// session's too (guard.go). What is left to yaegi is statements and expressions of plain Go types.
//
// TestPrograms and TestProgramsCompiled hold more than 300 programs to the output of the compiled ones.
//
// # What cannot be done
//
// Refused before the cell runs, in a sentence with the line and, where there is one, the way round:
//
//   - a dot import; unsafe, and packages that are not for scripts (networks, plug-ins, Go's own tools);
//   - a generic function of the standard library whose source is not among ours (package cell, prelude);
//   - another method for a generic type of a session that has been used: declare the type again, with its methods;
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
//   - an index out of range is reported without the two numbers where the index is not a simple one: behind && and ||, in
//     the header of a loop, beside calls of the script's functions;
//   - a panic in compiled code is told at the last line of the script that ran, which is in a function that the statement
//     called before, when it called one;
//   - recover finds the panic also when the deferred function calls another function that calls it;
//   - reflect.TypeOf knows a script's types, their names, fields and tags; a reflect.Value knows their shapes only, and
//     neither calls methods;
//   - text/template reads fields of script's structs but does not find their methods; encoding/xml refuses them, since
//     to it they have no name;
//   - a variadic function of the script cannot be handed to compiled code that wants a variadic function;
//   - runtime.Goexit panics; a flag set made with flag.ExitOnError fails the cell instead of ending the process;
//   - %T and the like say main.T of a type T from a package beside the notebook;
//   - calls may be some 200,000 deep;
//   - time, measured on one busy core: a step of a loop takes 0.1 to 0.2 µs, a call of a function 1 to 2 µs, of a method
//     through an interface or of compiled code with a callback 4 to 5 µs, a function that defers 5 µs: a hundred times and
//     more what compiled code needs. Heavy loops belong below the script API.
package session
