package main

import (
	"errors"
	"fmt"
	"strings"
)

type Q struct {
	parts []string
	err   error
}

func New() *Q { return &Q{} }
func (q *Q) Where(s string) *Q {
	if s == "" {
		q.err = errors.New("empty where")
	}
	q.parts = append(q.parts, "WHERE "+s)
	return q
}
func (q *Q) Limit(n int) *Q { q.parts = append(q.parts, fmt.Sprintf("LIMIT %d", n)); return q }
func (q *Q) Build() (string, error) {
	if q.err != nil {
		return "", q.err
	}
	return strings.Join(q.parts, " "), nil
}
func main() {
	fmt.Println(New().Where("a=1").Limit(3).Build())
	s, err := New().Where("").Build()
	fmt.Printf("%q %v\n", s, err)

}

// Output:
// WHERE a=1 LIMIT 3 <nil>
// "" empty where
