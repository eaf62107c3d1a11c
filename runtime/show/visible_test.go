package show

import "testing"

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ttext\n":            "plain\ttext\n",
		"\x1b[1;31mred\x1b[0m":     "red",
		"10 %\r20 %\rdone\nnext\r": "done\nnext",
		"a\r\nb":                   "a\nb",
		"\x00\x07\x7f":             "␀␇␡",
		"\u202eabc\u2066":          `\u202eabc\u2066`,
		"bad \xff\xfe":             `bad \xff\xfe`,
		"\uFFFD é 你好 🙂":            "\uFFFD é 你好 🙂",
		"\x1b]0;title\x07":         "␛]0;title␇",
	} {
		if got := Visible(in); got != want {
			t.Errorf("%q becomes %q; want %q", in, got, want)
		}
	}
}
