package hub

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

// server is a hub on this machine, with a second host for large files; bad makes its next answers misbehave.
type server struct {
	t          *testing.T
	hub, store *httptest.Server
	files      map[string][]byte // large files are those that begin with "large"
	mu         sync.Mutex
	asked      []string // method, path and range of every request
	tokens     map[string][]string
	bad        func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
}

func large(name string) bool { return strings.HasPrefix(name, "large") }

func etag(name string, data []byte) string {
	h := sha256.New()
	if !large(name) {
		return gitBlob(data)
	}
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

func gitBlob(data []byte) string {
	h := blob{etag: strings.Repeat("0", 40), size: int64(len(data))}.hash()
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

func newServer(t *testing.T) (*server, *Client) {
	t.Helper()
	s := &server{t: t, files: map[string][]byte{"config.json": []byte(`{"a": 1}`), "sub/note.txt": []byte("a note"),
		"large.bin": bytes.Repeat([]byte("0123456789abcdef"), 50000)}, tokens: map[string][]string{}}
	handle := func(host string, f http.HandlerFunc) *httptest.Server {
		x := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+host+r.URL.Path+" "+r.Header.Get("Range")))
			s.tokens[host] = append(s.tokens[host], r.Header.Get("Authorization"))
			bad := s.bad
			s.mu.Unlock()
			if bad != nil && bad(w, r) {
				return
			}
			f(w, r)
		}))
		t.Cleanup(x.Close)
		return x
	}
	s.store = handle("store", func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.files[name]))
	})
	s.hub = handle("hub", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/models/me/model/revision/main" {
			var list []map[string]string
			for n := range s.files {
				list = append(list, map[string]string{"rfilename": n})
			}
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(map[string]any{"id": "me/model", "sha": commit, "siblings": list})
			return
		}
		name, ok := strings.CutPrefix(strings.Replace(r.URL.Path, "/resolve/main/", "/resolve/"+commit+"/", 1), "/me/model/resolve/"+commit+"/")
		data, have := s.files[name]
		if !ok || !have {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("X-Repo-Commit", commit)
		if large(name) {
			w.Header().Set("X-Linked-Etag", `"`+etag(name, data)+`"`)
			w.Header().Set("X-Linked-Size", fmt.Sprint(len(data)))
			http.Redirect(w, r, s.store.URL+"/"+name+"?signature=secret", http.StatusFound)
			return
		}
		w.Header().Set("ETag", `"`+etag(name, data)+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	})
	c := &Client{Endpoint: s.hub.URL, Token: "hf_secret", Cache: t.TempDir(), wait: func(ctx context.Context, d time.Duration) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, "wait "+d.String())
		return ctx.Err()
	}}
	return s, c
}

func (s *server) misbehave(f func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad, s.asked = f, nil
}

// times makes f answer so many requests that it wants.
func times(n int, f func(w http.ResponseWriter, r *http.Request) bool) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if n == 0 || !f(w, r) {
			return false
		}
		n--
		return true
	}
}

func (s *server) count(prefix string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, a := range s.asked {
		if strings.HasPrefix(a, prefix) {
			n++
		}
	}
	return n
}

func (s *server) all() []string { return []string{"config.json", "large.bin", "sub/note.txt"} }

// get opens the model and gets all of its files.
func (s *server) get(c *Client) (*Snapshot, error) {
	x, err := c.Open(context.Background(), "me/model", "main")
	if err != nil {
		return nil, err
	}
	if err := x.Get(context.Background(), s.all()...); err != nil {
		return nil, err
	}
	return x, x.Keep()
}

func (s *server) check(x *Snapshot) {
	s.t.Helper()
	for _, n := range s.all() {
		got, err := os.ReadFile(filepath.Join(x.Dir, filepath.FromSlash(n)))
		if err != nil || !bytes.Equal(got, s.files[n]) {
			s.t.Errorf("%s: %d bytes, %v; wanted %d", n, len(got), err, len(s.files[n]))
		}
	}
}

// The cache has the layout that the hub's own tools have, nothing is asked for twice, the token stays with the hub's host, and
// without a hub the same files are there.
func TestLayout(t *testing.T) {
	s, c := newServer(t)
	var last [2]int64
	c.Progress = func(file string, done, size int64) {
		if file == "large.bin" {
			last = [2]int64{done, size}
		}
	}
	x, err := s.get(c)
	if err != nil {
		t.Fatal(err)
	}
	s.check(x)
	if last != [2]int64{800000, 800000} {
		t.Errorf("progress ends at %v", last)
	}
	root := filepath.Join(c.Cache, "models--me--model")
	for _, n := range s.all() {
		path := filepath.Join(root, "snapshots", commit, filepath.FromSlash(n))
		to, err := os.Readlink(path)
		if want := strings.Repeat("../", strings.Count(n, "/")+2) + "blobs/" + etag(n, s.files[n]); err != nil || filepath.ToSlash(to) != want {
			t.Errorf("%s links to %q, %v; wanted %q", n, to, err, want)
		}
	}
	if ref, _ := os.ReadFile(filepath.Join(root, "refs", "main")); string(ref) != commit {
		t.Errorf("refs/main holds %q", ref)
	}
	left, _ := os.ReadDir(filepath.Join(root, "blobs"))
	if len(left) != 3 {
		t.Errorf("%d files in blobs; wanted 3", len(left))
	}
	for _, token := range s.tokens["store"] {
		if token != "" {
			t.Errorf("the store was given %q", token)
		}
	}
	for _, token := range s.tokens["hub"] {
		if token != "Bearer hf_secret" {
			t.Errorf("the hub was given %q", token)
		}
	}
	s.misbehave(nil)
	if x, err = s.get(c); err != nil {
		t.Fatal(err)
	}
	if n := s.count(""); n != 1 {
		t.Errorf("asked %d times for what is here: %v; wanted the commit alone", n, s.asked)
	}
	s.misbehave(nil)
	c.Offline = true
	if x, err = s.get(c); err != nil {
		t.Fatal(err)
	}
	s.check(x)
	if s.count("") != 0 {
		t.Errorf("offline, the hub was asked: %v", s.asked)
	}
	if !slices.Equal(x.Names(".json"), []string{"config.json"}) || !x.Has("sub/note.txt") || x.Has("other") {
		t.Errorf("offline, the cache has %v", x.Names(""))
	}
}

// Offline, what is missing is told with what would be needed.
func TestOffline(t *testing.T) {
	s, c := newServer(t)
	c.Offline = true
	if _, err := s.get(c); err == nil || !strings.Contains(err.Error(), "HF_HUB_OFFLINE is set") || !strings.Contains(err.Error(), c.Cache) {
		t.Errorf("an empty cache: %v", err)
	}
	c.Offline = false
	x, err := c.Open(context.Background(), "me/model", "main")
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Get(context.Background(), "config.json"); err != nil {
		t.Fatal(err)
	}
	if err := x.Keep(); err != nil {
		t.Fatal(err)
	}
	c.Offline = true
	if _, err := s.get(c); err == nil || !strings.Contains(err.Error(), "lacks large.bin, sub/note.txt") {
		t.Errorf("a cache of one file: %v", err)
	}
	// The hub is gone: the commit of the cache is used, with a note.
	c.Offline = false
	s.hub.Close()
	x, err = c.Open(context.Background(), "me/model", "main")
	if err != nil || !strings.Contains(x.Note, "used commit 0123456789ab of the cache") || !x.Has("config.json") {
		t.Errorf("a hub that is gone: %+v, %v", x, err)
	}
	if err := x.Get(context.Background(), "large.bin"); err == nil || !strings.Contains(err.Error(), "the hub does not answer") {
		t.Errorf("a file of a hub that is gone: %v", err)
	}
}

// A transfer that is cut off goes on where it stopped, in the same call and in the next process.
func TestResume(t *testing.T) {
	s, c := newServer(t)
	cut := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/large.bin") || r.Host != strings.TrimPrefix(s.store.URL, "http://") {
			return false
		}
		from := 0
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
		data := s.files["large.bin"]
		w.Header().Set("Content-Length", fmt.Sprint(len(data)-from))
		if from > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
			w.WriteHeader(http.StatusPartialContent)
		}
		w.Write(data[from:min(len(data), from+100000)])
		return true
	}
	s.misbehave(cut)
	x, err := s.get(c)
	if err != nil {
		t.Fatal(err)
	}
	s.check(x)
	if n := s.count("GET store/large.bin"); n < 8 {
		t.Errorf("%d requests for a file that comes in eighths", n)
	}
	// Another process left a part.
	c.Cache = t.TempDir()
	part := filepath.Join(c.Cache, "models--me--model", "blobs", etag("large.bin", s.files["large.bin"])+".incomplete")
	os.MkdirAll(filepath.Dir(part), 0o755)
	os.WriteFile(part, s.files["large.bin"][:300000], 0o644)
	s.misbehave(nil)
	if x, err = s.get(c); err != nil {
		t.Fatal(err)
	}
	s.check(x)
	if s.count("GET store/large.bin bytes=300000-") != 1 || s.count("GET store/large.bin") != 1 {
		t.Errorf("the rest was asked for as %v", s.asked)
	}
	// What it left is damaged, or longer than the file: all is fetched again.
	for _, damage := range [][]byte{bytes.Repeat([]byte("x"), 300000), bytes.Repeat([]byte("x"), 900000), bytes.Repeat([]byte("x"), 800000)} {
		c.Cache = t.TempDir()
		part = filepath.Join(c.Cache, "models--me--model", "blobs", filepath.Base(part))
		os.MkdirAll(filepath.Dir(part), 0o755)
		os.WriteFile(part, damage, 0o644)
		if x, err = s.get(c); err != nil {
			t.Fatal(err)
		}
		s.check(x)
	}
	// A server that knows no ranges sends all.
	c.Cache = t.TempDir()
	part = filepath.Join(c.Cache, "models--me--model", "blobs", filepath.Base(part))
	os.MkdirAll(filepath.Dir(part), 0o755)
	os.WriteFile(part, s.files["large.bin"][:300000], 0o644)
	s.misbehave(func(w http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("Range")
		return false
	})
	if x, err = s.get(c); err != nil {
		t.Fatal(err)
	}
	s.check(x)
}

// A busy server is waited for as long as it asks, and not for ever.
func TestPatience(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway} {
		s, c := newServer(t)
		busy := func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			return true
		}
		s.misbehave(times(3, busy))
		x, err := s.get(c)
		if err != nil {
			t.Fatal(err)
		}
		s.check(x)
		if n := s.count("wait 7s"); n != 3 {
			t.Errorf("%d: waited %d times for 7 s: %v", status, n, s.asked)
		}
		c.Cache = t.TempDir()
		s.misbehave(busy)
		if _, err := s.get(c); err == nil || !strings.Contains(err.Error(), fmt.Sprint(status)) || !strings.Contains(err.Error(), "5 attempts") {
			t.Errorf("%d for ever: %v", status, err)
		}
		s.misbehave(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
			w.WriteHeader(status)
			return true
		})
		if _, err := s.get(c); err == nil || !strings.Contains(err.Error(), "come back in") || s.count("") > 1 {
			t.Errorf("%d for an hour: %v", status, err)
		}
	}
	// Without a word, the waits grow.
	s, c := newServer(t)
	s.misbehave(times(3, func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(500); return true }))
	if _, err := s.get(c); err != nil || s.count("wait 1s") != 1 || s.count("wait 2s") != 1 || s.count("wait 4s") != 1 {
		t.Errorf("%v after %v", err, s.asked)
	}
}

// What is not what the hub said is refused, with both, and nothing of it stays.
func TestRefuses(t *testing.T) {
	body := func(path string, data []byte) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, path) {
				return false
			}
			w.Write(data)
			return true
		}
	}
	header := func(path, key, value string) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, path) || r.Method != http.MethodHead {
				return false
			}
			w.Header().Set("ETag", `"`+commit+`"`)
			w.Header().Set("Content-Length", "8")
			w.Header().Set("X-Repo-Commit", commit)
			w.Header().Set(key, value)
			if value == "" {
				w.Header()[key] = nil
			}
			return true
		}
	}
	status := func(n int) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(n); return true }
	}
	wrong := bytes.Repeat([]byte("f"), 800000)
	for name, c := range map[string]struct {
		bad  func(w http.ResponseWriter, r *http.Request) bool
		want string
	}{
		"wrong bytes":             {body("/large.bin", nil), ""}, // replaced below: only the store's answer
		"a shorter file":          {body("/config.json", []byte("{}")), "the answer has 2 bytes"},
		"a longer file":           {body("/config.json", []byte("<html>please log in</html>")), "the answer has 26 bytes"},
		"wrong hash":              {body("/config.json", []byte("{'a': 1}")), "the hub said"},
		"HTML in place of JSON":   {body("/revision/main", []byte("<!DOCTYPE html><html>log in")), `begins "<!DOCTYPE html>`},
		"JSON without a commit":   {body("/revision/main", []byte(`{"siblings": []}`)), `calls the commit ""`},
		"a path out of the cache": {body("/revision/main", []byte(`{"sha": "`+commit+`", "siblings": [{"rfilename": "../../evil"}]}`)), `"../../evil"`},
		"no hash":                 {header("/config.json", "Etag", ""), `the hash ""`},
		"a hash of another kind":  {header("/config.json", "Etag", `"abc"`), "40 or 64"},
		"another commit":          {header("/config.json", "X-Repo-Commit", strings.Repeat("f", 40)), "answers for commit ffff"},
		"no access":               {status(401), "may not read it"},
		"no such repository":      {status(404), "none of that name"},
		"a redirect for ever": {func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
			return true
		}, "10 redirects"},
	} {
		s, client := newServer(t)
		if name == "wrong bytes" {
			c.want = "the hub said"
			c.bad = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/large.bin" {
					return false
				}
				w.Write(wrong)
				return true
			}
		}
		s.misbehave(c.bad)
		_, err := s.get(client)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; wanted %q", name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), "hf_secret") || strings.Contains(err.Error(), "signature")) {
			t.Errorf("%s: the message holds a secret: %v", name, err)
		}
		filepath.WalkDir(client.Cache, func(path string, d os.DirEntry, err error) error {
			if d != nil && !d.IsDir() && d.Name() == "main" {
				t.Errorf("%s: the revision was kept", name)
			}
			if d != nil && d.Type().IsRegular() && strings.Contains(path, "blobs") && !strings.HasSuffix(path, ".incomplete") {
				raw, _ := os.ReadFile(path)
				if n := filepath.Base(path); n != gitBlob(raw) && n != etag("large", raw) {
					t.Errorf("%s: a blob %s of another content", name, n)
				}
			}
			return nil
		})
	}
}

// Two that fetch the same files at once wait for each other.
func TestTogether(t *testing.T) {
	s, c := newServer(t)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			x, err := s.get(c)
			if err != nil {
				t.Error(err)
				return
			}
			s.check(x)
		})
	}
	wait.Wait()
	if n := s.count("GET store/large.bin"); n != 1 {
		t.Errorf("the large file was fetched %d times", n)
	}
}

// A fetch that is given up leaves the part that came.
func TestCancel(t *testing.T) {
	s, c := newServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	s.misbehave(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/large.bin" {
			return false
		}
		w.Header().Set("Content-Length", "800000")
		w.Write(s.files["large.bin"][:200000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	})
	c.Progress = func(file string, done, size int64) {
		if done >= 200000 {
			cancel()
		}
	}
	x, err := c.Open(ctx, "me/model", "main")
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Get(ctx, "large.bin"); err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Errorf("given up: %v", err)
	}
	part := filepath.Join(c.Cache, "models--me--model", "blobs", etag("large.bin", s.files["large.bin"])+".incomplete")
	if st, err := os.Stat(part); err != nil || st.Size() != 200000 {
		t.Errorf("the part: %v, %v", st, err)
	}
}

func TestParse(t *testing.T) {
	for name, want := range map[string]string{
		"me/model": "me/model main ", "me/model@v1.0": "me/model v1.0 ", "me/model@refs/pr/3": "me/model refs/pr/3 ", "me/my.model_2/q/x.gguf": "me/my.model_2 main q/x.gguf",
		"me/m/x.gguf@" + commit: "me/m " + commit + " x.gguf",
		"model":                 "", "/me/model": "", "./model": "", "../model": "", "me/": "", "me/model/x.bin": "", "me/../x.gguf": "", "me/model@": "", "me/model@../x": "", "me/a b": "",
	} {
		repo, revision, file, ok := Parse(name)
		if got := repo + " " + revision + " " + file; ok != (want != "") || ok && got != want {
			t.Errorf("%q is %q, %v; wanted %q", name, got, ok, want)
		}
	}
}

func TestFromEnv(t *testing.T) {
	home := t.TempDir()
	for _, k := range []string{"HF_ENDPOINT", "HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "XDG_CACHE_HOME"} {
		t.Setenv(k, "")
	}
	t.Setenv("HF_HOME", home)
	os.WriteFile(filepath.Join(home, "token"), []byte("from file\n"), 0o600)
	c, err := FromEnv()
	if err != nil || c.Endpoint != defaultEndpoint || c.Token != "from file" || c.Cache != filepath.Join(home, "hub") || c.Offline {
		t.Errorf("%+v, %v", c, err)
	}
	t.Setenv("HF_ENDPOINT", "http://127.0.0.1:9/mirror/")
	t.Setenv("HF_TOKEN", "given")
	t.Setenv("HF_HUB_CACHE", "/elsewhere")
	t.Setenv("HF_HUB_OFFLINE", "true")
	if c, err = FromEnv(); err != nil || c.Endpoint != "http://127.0.0.1:9/mirror" || c.Token != "given" || c.Cache != "/elsewhere" || !c.Offline {
		t.Errorf("%+v, %v", c, err)
	}
	t.Setenv("HF_HOME", "")
	t.Setenv("HF_HUB_CACHE", "")
	t.Setenv("XDG_CACHE_HOME", "/x")
	if c, err = FromEnv(); err != nil || c.Cache != filepath.Join("/x", "huggingface", "hub") {
		t.Errorf("%+v, %v", c, err)
	}
	t.Setenv("HF_ENDPOINT", "host.example")
	if _, err = FromEnv(); err == nil || !strings.Contains(err.Error(), "HF_ENDPOINT") {
		t.Errorf("an endpoint that is none: %v", err)
	}
}

// Where TUNEBOOK_PYTHON names a Python with huggingface_hub, it finds in our cache what we fetched, and we find what it fetched
// from the same hub.
func TestPythonSharesTheCache(t *testing.T) {
	python := os.Getenv("TUNEBOOK_PYTHON")
	if python == "" {
		t.Skip("TUNEBOOK_PYTHON names no Python with huggingface_hub")
	}
	run := func(cache, endpoint, offline string) string {
		t.Helper()
		cmd := exec.Command(python, "-c", `
import huggingface_hub, os
for f in ("large.bin", "sub/note.txt", "config.json"):
    path = huggingface_hub.hf_hub_download("me/model", f)
print(os.path.dirname(path))`)
		cmd.Env = append(os.Environ(), "HF_HUB_CACHE="+cache, "HF_ENDPOINT="+endpoint, "HF_HUB_OFFLINE="+offline, "HF_TOKEN=hf_secret", "HF_HUB_DISABLE_XET=1")
		var msg bytes.Buffer
		cmd.Stderr = &msg
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, msg.Bytes())
		}
		return strings.TrimSpace(string(out))
	}
	s, c := newServer(t)
	x, err := s.get(c)
	if err != nil {
		t.Fatal(err)
	}
	if dir := run(c.Cache, s.hub.URL, "1"); dir != x.Dir {
		t.Errorf("huggingface_hub finds %q; wanted %q", dir, x.Dir)
	}
	theirs := t.TempDir()
	dir := run(theirs, s.hub.URL, "0")
	c.Cache, c.Offline = theirs, true
	if x, err = s.get(c); err != nil {
		t.Fatal(err)
	}
	if x.Dir != dir {
		t.Errorf("we find %q; huggingface_hub wrote %q", x.Dir, dir)
	}
	s.check(x)
}
