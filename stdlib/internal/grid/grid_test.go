package grid

import (
	"encoding/csv"
	"strings"
	"testing"
)

var hostile = &Table{
	Caption: "a <b>caption</b>",
	Columns: []Column{{Name: "text"}, {Name: "n", Right: true}},
	Rows: [][]string{
		{"</td><script>alert(1)</script>", "1"},
		{"\x1b[31mred\x1b[0m\r\nnext\t|", "20"},
		{"你好 世界", "300"},
		{"a, \"quoted\" cell", "4"},
	},
	Notes: []string{"<img src=x onerror=alert(1)>"},
}

func TestTextIsAlignedAndHarmless(t *testing.T) {
	got := hostile.Text()
	if strings.ContainsAny(got, "\x1b\r\t") {
		t.Errorf("control characters pass: %q", got)
	}
	lines := strings.Split(got, "\n")
	if want := "text                              n"; lines[1] != want {
		t.Errorf("%q; wanted %q", lines[1], want)
	}
	if want := "你好 世界                       300"; lines[5] != want {
		t.Errorf("%q; wanted %q", lines[5], want)
	}
}

func TestHTMLHoldsNoTagOfACell(t *testing.T) {
	got := hostile.HTML()
	for _, bad := range []string{"<script", "<img", "<b>", "\x1b"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q passes: %s", bad, got)
		}
	}
	if !strings.Contains(got, "&lt;script&gt;alert(1)") {
		t.Error("the text itself is gone")
	}
}

func TestMarkdownAndCSVReadBack(t *testing.T) {
	for _, line := range strings.Split(strings.TrimSpace(hostile.Markdown()), "\n")[2:8] {
		if n := strings.Count(line, "|") - strings.Count(line, `\|`); n != 3 {
			t.Errorf("%d bars in %q; wanted 3", n, line)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(CSV([]string{"text", "n"}, hostile.Rows))).ReadAll()
	if err != nil || len(rows) != 5 || rows[1][0] != hostile.Rows[0][0] || rows[4][0] != hostile.Rows[3][0] {
		t.Errorf("%q %v", rows, err)
	}
}
