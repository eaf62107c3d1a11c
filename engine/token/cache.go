package token

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// wordCache remembers the ids of pieces that were encoded before. Each piece has one place, which the last one to
// come there holds, so the memory is bounded and neither reading nor writing takes a lock. The seed of its hash
// differs from run to run; it decides over speed alone.
type wordCache struct {
	seed  maphash.Seed
	slots []atomic.Pointer[cachedWord]
}

type cachedWord struct {
	text string
	ids  []int32
}

const (
	cacheSlots  = 1 << 16
	cacheMaxLen = 64 // bytes; longer pieces seldom come back
)

func newWordCache() *wordCache {
	return &wordCache{seed: maphash.MakeSeed(), slots: make([]atomic.Pointer[cachedWord], cacheSlots)}
}

func (c *wordCache) slot(text string) *atomic.Pointer[cachedWord] {
	return &c.slots[maphash.String(c.seed, text)&(cacheSlots-1)]
}

// get returns the place of text and its ids when they are there.
func (c *wordCache) get(text string) (*atomic.Pointer[cachedWord], []int32) {
	s := c.slot(text)
	if w := s.Load(); w != nil && w.text == text {
		return s, w.ids
	}
	return s, nil
}

// put keeps a copy of both, so that the text the piece was cut from is not held in memory.
func (c *wordCache) put(s *atomic.Pointer[cachedWord], text string, ids []int32) {
	s.Store(&cachedWord{strings.Clone(text), append([]int32(nil), ids...)})
}
