package data

import (
	"fmt"

	"tunebook/engine/tensor"
)

// Corrupt returns the set with a share of its answers, rounded to a whole number of rows, replaced by another row's
// answer of the same task that is none of the right ones; those rows are marked Wrong. Rows of tasks that have one
// answer only cannot be made wrong: when too few are left, it is an error with both numbers.
func (s *Set) Corrupt(seed int64, share float64) (*Set, error) {
	if !(share >= 0 && share <= 1) {
		return nil, fmt.Errorf("data.Corrupt: %s: the share is %g; wanted 0 to 1", s.Name, share)
	}
	want := int(share*float64(len(s.Rows)) + 0.5)
	rows := append([]Example(nil), s.Rows...)
	answers := map[string][]string{} // task → its answers, once for each row that has it
	for _, r := range s.Rows {
		answers[r.Task] = append(answers[r.Task], r.Answer)
	}
	r := tensor.NewRNG(seed, "corrupt/"+s.Name)
	done := 0
	for _, i := range r.Perm(len(rows)) {
		if done == want {
			break
		}
		right := map[string]bool{}
		for _, a := range s.Rows[i].Answers() {
			right[a] = true
		}
		pool := answers[rows[i].Task]
		start := r.Intn(len(pool))
		for k := range pool {
			if a := pool[(start+k)%len(pool)]; !right[a] {
				rows[i].Answer, rows[i].Refs, rows[i].Wrong = a, nil, true
				done++
				break
			}
		}
	}
	if done < want {
		return nil, fmt.Errorf("data.Corrupt: %s: %d rows have another answer to take; wanted %d", s.Name, done, want)
	}
	return &Set{Name: s.Name, Rows: rows, Available: s.Available, Notes: s.Notes, Repeats: s.Repeats,
		Steps: s.then("corrupt", len(rows), fmt.Sprintf("seed %d, %d answers made wrong, a share of %g", seed, want, share))}, nil
}
