package eval

import (
	"fmt"

	"tunebook/engine/data"
	"tunebook/engine/model"
	"tunebook/engine/train"
)

// Likelihood returns the summed negative log-likelihood, in nats, of the examples' answers and the number of their
// tokens. It does not depend on how the examples are batched.
func Likelihood(m *model.Model, examples []data.Example) (nll float64, n int, err error) {
	if m.Template == nil {
		return 0, 0, fmt.Errorf("eval.Likelihood: %s: the model has no template; wanted one to ask it with", m.Name)
	}
	e, err := data.Encode(m.Tokenizer, m.Template, examples, data.EncodeOptions{MaxLen: m.Config.MaxPositionEmbeddings})
	if err != nil {
		return 0, 0, err
	}
	return train.Loss(m, e.Sequences, 4096)
}

// TextLikelihood is Likelihood for plain documents, every token of them but the first.
func TextLikelihood(m *model.Model, texts []string) (nll float64, n int, err error) {
	seqs, _ := data.EncodeText(m.Tokenizer, texts, m.Config.MaxPositionEmbeddings)
	if nll, n, err = train.Loss(m, seqs, 4096); err == nil && n == 0 {
		err = &data.NoSupervision{Of: len(texts)}
	}
	return nll, n, err
}
