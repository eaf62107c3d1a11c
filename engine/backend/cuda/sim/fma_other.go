//go:build !amd64

package sim

var fmaLanes = fmaGeneric
