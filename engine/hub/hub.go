// Package hub fetches files of repositories from a hub that speaks Hugging Face's protocol, into the cache that its own tools use:
//
//	<cache>/models--owner--name/blobs/<etag>               contents, by their hash
//	                            snapshots/<commit>/<file>  links to them
//	                            refs/<revision>            the commit that a name stood for last
//
// A transfer that was cut off goes on where it stopped. A file is taken only when its size and its hash are what the hub said: the
// SHA-256 of a large file, git's SHA-1 of a small one. The token goes to the hub's own host and to no other.
package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Client knows a hub and a cache. The zero value is of no use; FromEnv makes one.
type Client struct {
	Endpoint string // "https://…", without a slash at the end
	Token    string // empty for none
	Cache    string // the folder of all repositories
	Offline  bool   // nothing is asked of the hub

	// Progress is told how many bytes of a file are here, and how many it has; nil for nobody.
	Progress func(file string, done, size int64)

	transport http.RoundTripper // nil for the usual one
	wait      func(ctx context.Context, d time.Duration) error
}

// defaultEndpoint is where HF_ENDPOINT points when it is not set.
const defaultEndpoint = "https://huggingface.co"

// FromEnv returns the client that the usual environment variables describe: HF_ENDPOINT, HF_TOKEN (or the file that HF_TOKEN_PATH
// names, by default $HF_HOME/token), HF_HUB_CACHE (by default $HF_HOME/hub), HF_HOME (by default
// $XDG_CACHE_HOME/huggingface, ~/.cache/huggingface), HF_HUB_OFFLINE.
func FromEnv() (*Client, error) {
	c := &Client{Endpoint: strings.TrimRight(os.Getenv("HF_ENDPOINT"), "/")}
	if c.Endpoint == "" {
		c.Endpoint = defaultEndpoint
	}
	if u, err := url.Parse(c.Endpoint); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("hub: HF_ENDPOINT: is %q; wanted an address like https://host", c.Endpoint)
	}
	home := os.Getenv("HF_HOME")
	if home == "" {
		cache := os.Getenv("XDG_CACHE_HOME")
		if cache == "" {
			user, err := os.UserHomeDir()
			if err != nil {
				return nil, fmt.Errorf("hub: neither HF_HOME nor a home folder: %w", err)
			}
			cache = filepath.Join(user, ".cache")
		}
		home = filepath.Join(cache, "huggingface")
	}
	if c.Cache = os.Getenv("HF_HUB_CACHE"); c.Cache == "" {
		c.Cache = filepath.Join(home, "hub")
	}
	switch strings.ToUpper(os.Getenv("HF_HUB_OFFLINE")) {
	case "1", "ON", "YES", "TRUE":
		c.Offline = true
	}
	if c.Token = strings.TrimSpace(os.Getenv("HF_TOKEN")); c.Token == "" {
		path := os.Getenv("HF_TOKEN_PATH")
		if path == "" {
			path = filepath.Join(home, "token")
		}
		raw, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("hub: the token's file: %w", err)
		}
		c.Token = strings.TrimSpace(string(raw))
	}
	return c, nil
}

// repoName is an owner and a name, as the hub allows them.
var repoName = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*/[A-Za-z0-9_][\w.-]*$`)

// Parse cuts "owner/name", "owner/name@revision" and either with "/file.gguf" behind the name into its parts. ok is false for what
// is no such name.
func Parse(name string) (repo, revision, file string, ok bool) {
	name, revision, at := strings.Cut(name, "@")
	if at && !validRevision(revision) {
		return "", "", "", false
	}
	if revision == "" {
		revision = "main"
	}
	if parts := strings.SplitN(name, "/", 3); len(parts) == 3 {
		name, file = parts[0]+"/"+parts[1], parts[2]
		if !fs.ValidPath(file) || !strings.HasSuffix(file, ".gguf") {
			return "", "", "", false
		}
	}
	if !repoName.MatchString(name) || strings.Contains(name, "..") || strings.Contains(name, "--") {
		return "", "", "", false
	}
	return name, revision, file, true
}

// validRevision tells whether a revision may be part of an address and of a path in the cache.
func validRevision(r string) bool {
	return r != "" && fs.ValidPath(r) && !strings.ContainsAny(r, " \\?#%:") && r != "."
}

// Snapshot is one commit of a repository, as far as it is in the cache.
type Snapshot struct {
	Repo, Revision, Commit string
	Dir                    string // where the files lie that Get brought
	// Note says why an older commit is used than the hub may have; empty where the hub was asked.
	Note string

	c     *Client
	names map[string]bool // what the commit has; nil where only the cache knows
}

// Open finds out which commit a revision is and what files it has. Without a hub, because Offline is set or nobody answers, it
// is the commit that the cache has.
func (c *Client) Open(ctx context.Context, repo, revision string) (*Snapshot, error) {
	if !repoName.MatchString(repo) || !validRevision(revision) {
		return nil, fmt.Errorf("hub: %q at %q is no repository and revision; wanted owner/name and a branch, tag or commit", repo, revision)
	}
	s := &Snapshot{Repo: repo, Revision: revision, c: c}
	if c.Offline {
		return s, s.cached()
	}
	err := s.list(ctx)
	var gone *unreachable
	if errors.As(err, &gone) && s.cached() == nil {
		s.Note = fmt.Sprintf("%v; used commit %.12s of the cache", err, s.Commit)
		return s, nil
	}
	return s, err
}

// folder returns where the repository lies in the cache.
func (s *Snapshot) folder() string {
	return filepath.Join(s.c.Cache, "models--"+strings.ReplaceAll(s.Repo, "/", "--"))
}

// cached makes s the commit that the cache has under the revision's name.
func (s *Snapshot) cached() error {
	commit := s.Revision
	if raw, err := os.ReadFile(filepath.Join(s.folder(), "refs", filepath.FromSlash(s.Revision))); err == nil {
		commit = strings.TrimSpace(string(raw))
	}
	s.Commit, s.Dir = commit, filepath.Join(s.folder(), "snapshots", commit)
	if st, err := os.Stat(s.Dir); !commitName.MatchString(commit) || err != nil || !st.IsDir() {
		why := "the hub does not answer"
		if s.c.Offline {
			why = "HF_HUB_OFFLINE is set"
		}
		return fmt.Errorf("hub: %s: %s, and the cache %s has no commit for %q; fetch it from %s/%s once while online",
			s.Repo, why, s.c.Cache, s.Revision, s.c.Endpoint, s.Repo)
	}
	return nil
}

var commitName = regexp.MustCompile(`^[0-9a-f]{40}$`)

// Has tells whether the commit has a file; without a hub, whether the cache has it.
func (s *Snapshot) Has(name string) bool {
	if s.names != nil {
		return s.names[name]
	}
	return s.here(name)
}

// Names returns the files whose names end so, sorted; without a hub those of the cache.
func (s *Snapshot) Names(end string) []string {
	var out []string
	if s.names != nil {
		for n := range s.names {
			if strings.HasSuffix(n, end) {
				out = append(out, n)
			}
		}
	} else {
		fs.WalkDir(os.DirFS(s.Dir), ".", func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, end) {
				out = append(out, path)
			}
			return nil
		})
	}
	slices.Sort(out)
	return out
}

func (s *Snapshot) here(name string) bool {
	st, err := os.Stat(filepath.Join(s.Dir, filepath.FromSlash(name)))
	return err == nil && st.Mode().IsRegular()
}

// Get brings files into Dir. Without a hub, those that the cache lacks are an error that names them all.
func (s *Snapshot) Get(ctx context.Context, names ...string) error {
	var missing []string
	for _, n := range names {
		if !s.here(n) {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if s.names == nil {
		return fmt.Errorf("hub: %s at commit %.12s: the cache %s lacks %s, and nothing can be fetched: %s", s.Repo, s.Commit, s.Dir,
			strings.Join(missing, ", "), map[bool]string{true: "HF_HUB_OFFLINE is set", false: "the hub does not answer"}[s.c.Offline])
	}
	for _, n := range missing {
		if !s.names[n] {
			return fmt.Errorf("hub: %s at commit %.12s has no file %s", s.Repo, s.Commit, n)
		}
		if err := s.fetch(ctx, n); err != nil {
			return fmt.Errorf("hub: %s: %s: %w", s.Repo, n, err)
		}
	}
	return nil
}

// Keep says that everything that was wanted is here: the revision's name stands for this commit from now on.
func (s *Snapshot) Keep() error {
	if s.names == nil || s.Revision == s.Commit {
		return nil
	}
	path := filepath.Join(s.folder(), "refs", filepath.FromSlash(s.Revision))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	if err := replace(path, []byte(s.Commit)); err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	return nil
}

// replace makes a small file hold data, whole or not at all.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
