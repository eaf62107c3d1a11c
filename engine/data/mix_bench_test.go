package data

import (
	"fmt"
	"testing"

	"tunebook/engine/tensor"
)

func benchSet(name string, n int) *Set {
	r := tensor.NewRNG(1, name)
	s := &Set{Name: name}
	for i := range n {
		s.Rows = append(s.Rows, Example{Prompt: text(r, 40), Answer: text(r, 10), Source: name, Row: i})
	}
	return s
}

// Rows mixed a second.
func BenchmarkBlend(b *testing.B) {
	x, y := benchSet("x", 20000), benchSet("y", 80000)
	for b.Loop() {
		if _, err := (Recipe{Seed: 1, Block: 100, Parts: []Part{{Set: x, Share: 0.2}, {Set: y, Share: 0.8}}}).Blend(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(1e5*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// Rows of an epoch ordered a second.
func BenchmarkSampler(b *testing.B) {
	places := make([]Place, 100000)
	r := tensor.NewRNG(1, "keys")
	for i := range places {
		places[i] = Place{Key: r.Uint64(), Block: i/100 + 1}
	}
	s := NewSampler(1, places)
	for b.Loop() {
		s.Epoch(1)
	}
	b.ReportMetric(1e5*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// Rows of fifty words looked at a second, for equal and for near duplicates, and for overlap with a test of a thousand.
func BenchmarkClean(b *testing.B) {
	x, test := benchSet("x", 10000), benchSet("test", 1000)
	for _, near := range []float64{0, 0.8} {
		b.Run(fmt.Sprint("dedup/", near), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := Dedup(DedupOptions{Near: near}, x); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(1e4*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	b.Run("overlap", func(b *testing.B) {
		for b.Loop() {
			Overlap(x, test, 13)
		}
		b.ReportMetric(1e4*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
