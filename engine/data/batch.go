package data

import "tunebook/engine/backend"

// Batch is several sequences packed one after the other without padding. Positions restart with each, and a segment
// keeps the attention of each to itself, so the loss of a batch is the sum of its sequences' losses.
//
// A batch is as long as its sequences are together: there is no row length to fill, so the share of padding is 0 whatever
// their lengths, and nothing is gained by choosing which sequences lie together (best-fit packing fills rows of a fixed
// length). Which sequences make an update is therefore left to the order of training alone.
type Batch struct {
	IDs        []int32           // (T)
	Positions  []int32           // (T), from 0 in every sequence
	Targets    []int32           // (T), backend.IgnoreIndex where nothing is trained
	SourceOf   []int             // (T), source index of each position
	Segments   []backend.Segment // one a sequence
	Supervised int               // targets that are trained
}

// Pack puts sequences into one batch, in their order.
func Pack(seqs []Sequence) Batch {
	var b Batch
	for _, s := range seqs {
		at := len(b.IDs)
		b.Segments = append(b.Segments, backend.Segment{QStart: at, QLen: len(s.IDs), KStart: at, KLen: len(s.IDs)})
		b.IDs = append(b.IDs, s.IDs...)
		b.Targets = append(b.Targets, s.Targets...)
		for i := range s.IDs {
			b.Positions = append(b.Positions, int32(i))
			b.SourceOf = append(b.SourceOf, s.Source)
		}
		b.Supervised += s.Supervised()
	}
	return b
}

// Supervised returns the trained targets of several batches.
func Supervised(batches []Batch) int {
	n := 0
	for _, b := range batches {
		n += b.Supervised
	}
	return n
}
