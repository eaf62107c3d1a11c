package token

import "fmt"

// Control tokens of Plain. A tokenizer that is trained for it has them as special tokens.
const (
	PlainEnd       = "<|end|>"
	PlainSystem    = "<|system|>"
	PlainUser      = "<|user|>"
	PlainAssistant = "<|assistant|>"
)

// PlainSpecial returns the control tokens of Plain, the one that ends a text first.
func PlainSpecial() []string { return []string{PlainEnd, PlainSystem, PlainUser, PlainAssistant} }

// ChatML marks turns with <|im_start|> and <|im_end|>. It has no system message of its own.
var ChatML = chatML("chatml", "")

// SmolLM2Chat is ChatML with the system message of SmolLM2's instruct models where a conversation has none.
var SmolLM2Chat = chatML("smollm2", "You are a helpful AI assistant named SmolLM, trained by Hugging Face")

func chatML(name, system string) *Template {
	return &Template{
		Name:          name,
		Stop:          "<|im_end|>",
		DefaultSystem: system,
		Turns: map[string]Turn{
			System:    {"<|im_start|>system\n", "<|im_end|>\n"},
			User:      {"<|im_start|>user\n", "<|im_end|>\n"},
			Assistant: {"<|im_start|>assistant\n", "\n"},
		},
	}
}

// Plain spends one token on each turn's beginning and one on the end of an answer: <|user|>…<|assistant|>…<|end|>.
var Plain = &Template{
	Name: "plain",
	Stop: PlainEnd,
	BOS:  true,
	Turns: map[string]Turn{
		System:    {PlainSystem, ""},
		User:      {PlainUser, ""},
		Assistant: {PlainAssistant, ""},
	},
}

// Alpaca is the form of Stanford's Alpaca, which needs no tokens of its own: a sentence on the task, "### Instruction:"
// and "### Response:". Another system message takes the place of the sentence. An input belongs to the instruction.
var Alpaca = &Template{
	Name:          "alpaca",
	AutoBOS:       true,
	DefaultSystem: "Below is an instruction that describes a task. Write a response that appropriately completes the request.",
	Turns: map[string]Turn{
		System:    {"", "\n\n"},
		User:      {"### Instruction:\n", "\n\n"},
		Assistant: {"### Response:\n", ""},
	},
}

// Llama3Chat is the form of Llama 3's instruct models, without the dates that later ones put into the system message.
var Llama3Chat = &Template{
	Name: "llama-3",
	Stop: "<|eot_id|>",
	BOS:  true,
	Turns: map[string]Turn{
		System:    {"<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"},
		User:      {"<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"},
		Assistant: {"<|start_header_id|>assistant<|end_header_id|>\n\n", ""},
	},
}

// Mistral is the form of Mistral 7B's instruct models: [INST] … [/INST] around what the user says, the system message
// inside the first of them, with a blank line after it. An answer ends with EOS.
var Mistral = &Template{
	Name:         "mistral",
	BOS:          true,
	SystemInUser: true,
	Turns: map[string]Turn{
		System:    {"", "\n\n"},
		User:      {"[INST] ", " [/INST]"},
		Assistant: {"", ""},
	},
}

var templates = func() map[string]*Template {
	m := map[string]*Template{}
	for _, tp := range []*Template{Alpaca, ChatML, Llama3Chat, Mistral, Plain, SmolLM2Chat} {
		m[tp.Name] = tp
	}
	return m
}()

// TemplateFor returns the built-in template of that name: alpaca, chatml, llama-3, mistral, plain or smollm2. An unknown
// name is an error that lists them.
func TemplateFor(name string) (*Template, error) {
	if tp, ok := templates[name]; ok {
		return tp, nil
	}
	return nil, fmt.Errorf("token.TemplateFor: no template %q; there are %s", name, names(templates))
}

// TemplateNames returns the names of the built-in templates in order.
func TemplateNames() []string { return sorted(templates) }

// jinjaOf are the SHA-256 sums of chat_template texts that a built-in equals.
var jinjaOf = map[string]*Template{
	"872be49dbb638044ad01b60388f48d469ff2980e5f0dccdc22ec907db54d0788": SmolLM2Chat,
}
