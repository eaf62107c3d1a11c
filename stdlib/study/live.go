package study

import (
	"fmt"
	"slices"
	"time"

	"tunebook/stdlib/host"
)

// liveGap is the time between two pictures of a live table; tests shorten it.
var liveGap = 10 * time.Second

// live is a table that is shown again while rows come in.
type live struct {
	keys []string
	last time.Time
}

// Live shows the table of these keys on Stderr while rows come in: with the first row, then at most every ten seconds, and
// with the last of the rows that Expect was told of.
func (s *Study) Live(keys ...string) { s.live = &live{keys: keys} }

func (l *live) show(s *Study) {
	if l == nil || slices.ContainsFunc(l.keys, func(k string) bool { return !slices.Contains(s.keys, k) }) { // the first rows may lack a key
		return
	}
	if end := s.expected > 0 && len(s.rows) >= s.expected; !end && time.Since(l.last) < liveGap {
		return
	}
	l.last = time.Now()
	fmt.Fprint(host.Stderr(), s.Table(l.keys...).String())
}
