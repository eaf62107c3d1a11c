package token

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
)

// FuzzScan: the tables of a tokenizer.json are what encoding/json reads, and refused where it refuses them.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		`{}`, `[]`, `null`, `3`, `""`, `{"a":1}`, ` { "a" : 1 , "b":-2 }`, `{"a":1,"a":2}`, `{"\u0120t":7,"\"":8,"\\":9,"é\n":10,"":0}`, "{\"\xff\":1}",
		`{"a":1.5}`, `{"a":1e3}`, `{"a":null}`, `{"a":"b"}`, `{"a":123456789012345678}`, `{"a":1234567890123456789}`, `{"a":99999999999999999999}`, `{"a":-0}`,
		`["a b","c d"]`, `[["a","b"],["c","d"]]`, `["a b",["c","d"]]`, `[ [ "a" , "b" ] , "c" ]`, `[[]]`, `[["a"]]`, `[["a","b","c"]]`, `["a b",3]`, `[["a",3]]`,
		`["\u0041 b\\"]`, `[null]`, `[["a",null]]`, `{"a":1,"b":[2]}`, "[\"\xff a\"]",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		data := []byte(s)
		var vocab jsonVocab
		var want map[string]int64
		err, wantErr := json.Unmarshal(data, &vocab), json.Unmarshal(data, &want)
		if (err == nil) != (wantErr == nil) || err == nil && !maps.Equal(vocab, want) {
			t.Errorf("%s: %v, %v; encoding/json reads %v, %v", s, vocab, err, want, wantErr)
		}
		var merges jsonMerges
		err = json.Unmarshal(data, &merges)
		list, wantErr := slowMerges(data)
		if (err == nil) != (wantErr == nil) || err == nil && !slices.Equal(merges, list) {
			t.Errorf("%s: %q, %v; encoding/json reads %q, %v", s, merges, err, list, wantErr)
		}
	})
}

// slowMerges reads merges with encoding/json.
func slowMerges(data []byte) ([]string, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	list := make([]string, len(raw))
	for i, r := range raw {
		var pair []*string
		if r[0] != '[' {
			if err := json.Unmarshal(r, &list[i]); err != nil {
				return nil, err
			}
			continue
		}
		if err := json.Unmarshal(r, &pair); err != nil {
			return nil, err
		}
		for n, p := range pair {
			if p == nil { // which encoding/json would take for ""
				return nil, errors.New("null in a merge")
			}
			list[i] += [...]string{"", " "}[min(n, 1)] + *p
		}
	}
	return list, nil
}
