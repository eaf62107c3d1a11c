package study_test

import (
	"fmt"

	"tunebook/stdlib/eval"
	"tunebook/stdlib/study"
)

// Two points, two seeds each: means with intervals, and whether the difference is real.
func Example() {
	refs := []string{"a cat", "a dog", "a bird", "a fish", "a cow", "a hen"}
	answers := map[string][][]string{
		"alone": {{"a cat", "dog", "bird", "fish", "cow", "a hen"}, {"a cat", "dog", "bird", "a fish", "cow", "hen"}},
		"mixed": {{"a cat", "a dog", "bird", "a fish", "a cow", "a hen"}, {"a cat", "a dog", "a bird", "a fish", "cow", "a hen"}},
	}
	st := study.New("pets")
	for _, mix := range []string{"alone", "mixed"} {
		for seed, predictions := range answers[mix] {
			st.Add(study.Row{"mix": mix, "seed": seed, "exact match": eval.Texts("exact", predictions, refs)})
		}
	}
	fmt.Println(st.Table("mix").CSV())
	// Output:
	// mix,exact match,95 %,documents,seeds
	// alone,33.3,0.0 to 81.2,6,2
	// mixed,83.3,59.4 to 100.0,6,2
}
