// Package base holds the base model that is inside the binary: a Llama-type decoder of 2.8 million parameters with its
// own tokenizer, pretrained by notebooks/pretrain.go on plain text of our generator. README.md beside this file is its
// card: what it was trained on, what it can do and what it cannot.
package base

import "embed"

// Files is the model's folder, as model.OpenFS reads it.
//
//go:embed config.json model.safetensors tokenizer.json tokenizer_config.json README.md
var Files embed.FS

// Name is what scripts call the model.
const Name = "base"
