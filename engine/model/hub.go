package model

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/hub"
)

// OpenHub opens a model of a hub, by "owner/name", "owner/name@revision" or "owner/name/file.gguf", from the cache, having fetched what
// the cache lacks. The second result says why an older commit was used than the hub may have; it is mostly empty. q is as for
// Open.
func OpenHub(ctx context.Context, dev backend.Backend, name string, c *hub.Client, q ...backend.Quant) (*Model, string, error) {
	repo, revision, file, ok := hub.Parse(name)
	if !ok {
		return nil, "", fmt.Errorf("model.OpenHub: %q; wanted owner/name, owner/name@revision or owner/name/file.gguf", name)
	}
	s, err := c.Open(ctx, repo, revision)
	if err != nil {
		return nil, "", fmt.Errorf("model.OpenHub: %w", err)
	}
	path := s.Dir
	if file == "" && !s.Has(configFile) {
		if list := s.Names(".gguf"); len(list) == 1 {
			file = list[0]
		} else if len(list) > 1 {
			return nil, "", fmt.Errorf("model.OpenHub: %s has no %s, but GGUF files; name one of them: %s/%s", repo, configFile, repo, strings.Join(list, ", "+repo+"/"))
		}
	}
	if file != "" {
		path, err = filepath.Join(s.Dir, filepath.FromSlash(file)), s.Get(ctx, file)
	} else {
		err = fetchFolder(ctx, s)
	}
	if err != nil {
		return nil, "", fmt.Errorf("model.OpenHub: %w", err)
	}
	m, err := Open(dev, path, q...)
	if err != nil {
		return nil, "", err
	}
	if err := s.Keep(); err != nil {
		return nil, "", fmt.Errorf("model.OpenHub: %w", err)
	}
	m.Name = name
	return m, s.Note, nil
}

// fetchFolder gets what Open reads of a folder.
func fetchFolder(ctx context.Context, s *hub.Snapshot) error {
	names := []string{configFile, tokenizerFile}
	if !s.Has(tokenizerFile) && s.Has(tokenizerModel) {
		names[1] = tokenizerModel
	}
	for _, n := range []string{tokenizerConf, modulesFile, poolingFile} {
		if s.Has(n) {
			names = append(names, n)
		}
	}
	sharded := !s.Has(weightsFile) && s.Has(indexFile)
	switch {
	case sharded:
		names = append(names, indexFile)
	case !s.Has(weightsFile) && s.Has(configFile) && len(s.Names(".bin")) > 0:
		return fmt.Errorf("%s has its weights as %s; only safetensors and GGUF files are read", s.Repo, s.Names(".bin")[0])
	default:
		names = append(names, weightsFile)
	}
	if err := s.Get(ctx, names...); err != nil {
		return err
	}
	if !sharded {
		return nil
	}
	raw, err := os.ReadFile(filepath.Join(s.Dir, indexFile))
	if err != nil {
		return err
	}
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		return fmt.Errorf("%s: %s: %w", s.Repo, indexFile, err)
	}
	var shards []string
	for _, f := range index.WeightMap {
		if !slices.Contains(shards, f) {
			shards = append(shards, f)
		}
	}
	slices.Sort(shards)
	return s.Get(ctx, shards...)
}
