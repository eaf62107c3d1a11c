package data

import core "tunebook/engine/data"

// PretrainTexts returns documents from … from+n-1 of the generator's plain text: what the embedded base model was
// pretrained on. They hold no instructions.
func PretrainTexts(seed int64, from, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = core.PretrainText(seed, from+i)
	}
	return out
}
