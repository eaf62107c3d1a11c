// Package notebooks holds the notebooks: Go programs that tunebook runs cell by cell and go run compiles, each a file of
// its own (the build constraint keeps them from being one package).
package notebooks
