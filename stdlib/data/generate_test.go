package data_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tunebook/stdlib/data"
	"tunebook/stdlib/stop"
)

func ExampleGenerate() {
	train := data.Generate(data.Gen{Name: "sums", Skills: []string{"arithmetic"}, Seed: 1, Size: 400})
	test := data.Generate(data.Gen{Name: "sums/test", Skills: []string{"arithmetic"}, Seed: 1, Size: 100, Split: "test"})
	fmt.Println(train.Len(), test.Len(), train.Row(0).Skill)
	fmt.Println(len(data.Overlap(train, test, 8).Exact), "test prompts are training prompts")
	// Output:
	// 400 100 arithmetic
	// 0 test prompts are training prompts
}

func TestGenerateStopsWithASentence(t *testing.T) {
	defer func() {
		var e *stop.Error
		if err, ok := recover().(error); !ok || !errors.As(err, &e) || !strings.HasPrefix(e.Error(), `data.Generate: no skill "chess"; there are arithmetic`) {
			t.Errorf("%v", err)
		}
	}()
	data.Generate(data.Gen{Skills: []string{"chess"}, Size: 10})
}

func TestSkillsShow(t *testing.T) {
	text, html := data.Skills().Show()
	for _, name := range data.Skills().Names() {
		if !strings.Contains(text, name) || !strings.Contains(html, name) {
			t.Errorf("%s is not shown", name)
		}
	}
	if !strings.Contains(text, "21 skills") {
		t.Error(text)
	}
}
