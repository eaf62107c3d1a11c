package token

import "testing"

func BenchmarkJinjaRender(b *testing.B) {
	tp, err := TemplateFromJinja(turnsSource)
	if err != nil {
		b.Fatal(err)
	}
	msgs := []Message{{System, "s"}, user("What is the capital of France?"), answer("Paris.")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tp.Render(msgs, false); err != nil {
			b.Fatal(err)
		}
	}
}
