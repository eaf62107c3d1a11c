package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/weights"
)

// indexFile says which file of a sharded model holds which tensor.
const indexFile = "model.safetensors.index.json"

// shards is the tensors of one or several safetensors files of a folder.
type shards struct {
	in    map[string]*weights.Safetensors // by tensor name
	files []fs.File
}

// openShards opens model.safetensors, or all files that model.safetensors.index.json names: a tensor that the index
// places in a file which lacks it, or a file's tensor that the index lacks, is an error that names it.
func openShards(fsys fs.FS, what string) (*shards, error) {
	s := &shards{in: map[string]*weights.Safetensors{}}
	f, err := s.open(fsys, weightsFile, what)
	if err == nil {
		for _, n := range f.Names() {
			s.in[n] = f
		}
		return s, nil
	}
	raw, indexErr := fs.ReadFile(fsys, indexFile)
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(indexErr, fs.ErrNotExist) {
		s.close()
		return nil, fmt.Errorf("model.Open: %s: %w", what, err)
	}
	if err := s.openIndex(fsys, raw, indexErr, what); err != nil {
		s.close()
		return nil, fmt.Errorf("model.Open: %s: %s: %w", what, indexFile, err)
	}
	return s, nil
}

func (s *shards) openIndex(fsys fs.FS, raw []byte, err error, what string) error {
	if err != nil {
		return err
	}
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		return err
	}
	if len(index.WeightMap) == 0 {
		return errors.New("weight_map names no tensor")
	}
	open := map[string]*weights.Safetensors{}
	var names []string
	for n := range index.WeightMap {
		names = append(names, n)
	}
	sort.Strings(names)
	var missing, extra []string
	for _, n := range names {
		file := index.WeightMap[n]
		if path.Base(file) != file || !fs.ValidPath(file) {
			return fmt.Errorf("tensor %s lies in %q; wanted a file of the folder itself", n, file)
		}
		f, ok := open[file]
		if !ok {
			if f, err = s.open(fsys, file, what); err != nil {
				return err
			}
			open[file] = f
		}
		if !f.Has(n) {
			missing = append(missing, n+" in "+file)
		}
		s.in[n] = f
	}
	for file, f := range open {
		for _, n := range f.Names() {
			if index.WeightMap[n] != file {
				extra = append(extra, n+" in "+file)
			}
		}
	}
	if len(missing)+len(extra) > 0 {
		sort.Strings(extra)
		return fmt.Errorf("%d tensors are not where it says: %s; %d lie where it does not say: %s", len(missing), some(missing), len(extra), some(extra))
	}
	return nil
}

func (s *shards) open(fsys fs.FS, name, what string) (*weights.Safetensors, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	s.files = append(s.files, f)
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	at, ok := f.(io.ReaderAt)
	if !ok {
		return nil, fmt.Errorf("%s cannot be read at an offset in this file system", name)
	}
	return weights.ReadSafetensors(at, st.Size(), what+"/"+name)
}

func (s *shards) close() {
	for _, f := range s.files {
		f.Close()
	}
}

// Names returns the names of all tensors, sorted.
func (s *shards) Names() []string {
	var names []string
	for n := range s.in {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Tensor reads one tensor as float32.
func (s *shards) Tensor(name string) (weights.Tensor, error) {
	f, ok := s.in[name]
	if !ok {
		return weights.Tensor{}, fmt.Errorf("no tensor %q among %d", name, len(s.in))
	}
	return f.Tensor(name)
}

// Info returns what is known of a tensor without reading it.
func (s *shards) Info(name string) (weights.Info, bool) {
	f, ok := s.in[name]
	if !ok {
		return weights.Info{}, false
	}
	return f.Info(name)
}

// Packed reads one tensor in a form of quantisation.
func (s *shards) Packed(name string, q backend.Quant) (codes []int32, scales []float32, err error) {
	f, ok := s.in[name]
	if !ok {
		return nil, nil, fmt.Errorf("no tensor %q among %d", name, len(s.in))
	}
	return f.Packed(name, q)
}

// renamed is the tensors of a file under the names that the configuration gives them.
type renamed struct {
	tensors
	stored map[string]string // name → name in the file
}

func (r renamed) Names() []string {
	var names []string
	for n := range r.stored {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

func (r renamed) Tensor(name string) (weights.Tensor, error) {
	stored, ok := r.stored[name]
	if !ok {
		return weights.Tensor{}, fmt.Errorf("no tensor %q among %d", name, len(r.stored))
	}
	return r.tensors.Tensor(stored)
}

func (r renamed) Info(name string) (weights.Info, bool) { return r.tensors.Info(r.stored[name]) }

func (r renamed) Packed(name string, q backend.Quant) (codes []int32, scales []float32, err error) {
	stored, ok := r.stored[name]
	if !ok {
		return nil, nil, fmt.Errorf("no tensor %q among %d", name, len(r.stored))
	}
	return r.tensors.Packed(stored, q)
}

// familiar returns a file's tensors without what is no parameter of the family: masks and frequencies that old files hold,
// and a head that is the embedding once more, of a model that ties the two; a head of other numbers is an error. Names
// may lack the first part, as those of GPT-2's own files do ("wte.weight" for "transformer.wte.weight"), or be others that
// the family knows (family.stored).
func familiar(f tensors, c *Config, what string) (tensors, error) {
	fam, err := familyOf(c.ModelType)
	if err != nil {
		return nil, err
	}
	p := fam.plan(c)
	want := map[string]bool{}
	for _, s := range c.tensors() {
		want[s.name] = true
	}
	prefix, _, _ := strings.Cut(p.embed, ".")
	r, head := renamed{f, map[string]string{}}, ""
	for _, stored := range f.Names() {
		name := stored
		if fam.stored != nil && !want[name] {
			if name = fam.stored(stored); name == "" {
				continue
			}
		}
		if !want[name] && want[prefix+"."+name] {
			name = prefix + "." + name
		}
		if slices.ContainsFunc(fam.buffers, func(end string) bool { return strings.HasSuffix(name, end) }) && !want[name] {
			continue
		}
		if name == p.head+".weight" && c.TieWordEmbeddings {
			head = stored
			continue
		}
		if other, twice := r.stored[name]; twice {
			return nil, fmt.Errorf("model.Open: %s: tensors %s and %s are both %s", what, other, stored, name)
		}
		r.stored[name] = stored
	}
	if embed, ok := r.stored[p.embed+".weight"]; ok && head != "" {
		same, err := equalTensors(f, head, embed)
		if err != nil {
			return nil, err
		}
		if !same {
			return nil, fmt.Errorf("model.Open: %s: tie_word_embeddings is true, but %s and %s hold different numbers", what, head, embed)
		}
	}
	return r, nil
}

func equalTensors(f tensors, a, b string) (bool, error) {
	x, err := f.Tensor(a)
	if err != nil {
		return false, err
	}
	y, err := f.Tensor(b)
	if err != nil {
		return false, err
	}
	return slices.Equal(x.Shape, y.Shape) && slices.Equal(x.Data, y.Data), nil
}
