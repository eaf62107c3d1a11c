// Package cpu is the fast backend for processors.
package cpu
