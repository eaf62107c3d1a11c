package token

import (
	"golang.org/x/text/unicode/norm"
)

// normalizer changes text before a model sees it. A nil normalizer leaves it as it is.
type normalizer struct {
	name string // as tokenizer.json calls it
	f    func(string) string
}

func (n *normalizer) apply(s string) string {
	if n == nil {
		return s
	}
	return n.f(s)
}

// String returns the normalizer's name, "" for nil.
func (n *normalizer) String() string {
	if n == nil {
		return ""
	}
	return n.name
}

// nfc composes characters; bytes that are not UTF-8 stay as they are.
var nfc = &normalizer{name: "NFC", f: norm.NFC.String}
