package runs

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strings"
)

// Git is the state of the repository that a notebook lies in, read from the repository's own files.
type Git struct {
	Commit   string `json:"commit"`   // of HEAD; empty before the first commit
	Branch   string `json:"branch"`   // empty where HEAD is on none
	Notebook string `json:"notebook"` // "as staged", "changed" or "not tracked": its content against the index
	Error    string `json:"error,omitempty"`
}

// GitOf returns the state of the repository that holds path, nil where there is none.
func GitOf(path string) *Git {
	if path == "" {
		return nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	for root := filepath.Dir(abs); ; root = filepath.Dir(root) {
		dir, ok := gitDir(root)
		if ok {
			g, err := readGit(dir, root, abs)
			if err != nil {
				g.Error = err.Error()
			}
			return &g
		}
		if root == filepath.Dir(root) {
			return nil
		}
	}
}

// gitDir returns the repository's folder of a work tree: .git, or the folder that the file .git names.
func gitDir(root string) (string, bool) {
	dot := filepath.Join(root, ".git")
	st, err := os.Stat(dot)
	if err != nil {
		return "", false
	}
	if !st.IsDir() {
		b, err := os.ReadFile(dot)
		to, ok := strings.CutPrefix(string(b), "gitdir:")
		if err != nil || !ok {
			return "", false
		}
		dot = strings.TrimSpace(to)
		if !filepath.IsAbs(dot) {
			dot = filepath.Join(root, dot)
		}
	}
	if _, err := os.Stat(filepath.Join(dot, "HEAD")); err != nil {
		return "", false
	}
	return dot, true
}

func readGit(dir, root, file string) (Git, error) {
	var g Git
	head, err := os.ReadFile(filepath.Join(dir, "HEAD"))
	if err != nil {
		return g, err
	}
	at := strings.TrimSpace(string(head))
	common := dir // refs of a linked work tree lie in the main repository
	if b, err := os.ReadFile(filepath.Join(dir, "commondir")); err == nil {
		common = strings.TrimSpace(string(b))
		if !filepath.IsAbs(common) {
			common = filepath.Join(dir, common)
		}
	}
	if ref, ok := strings.CutPrefix(at, "ref:"); ok {
		ref = strings.TrimSpace(ref)
		g.Branch = strings.TrimPrefix(ref, "refs/heads/")
		g.Commit = readRef(dir, common, ref)
	} else {
		g.Commit = at
	}
	rel, err := filepath.Rel(root, file)
	if err != nil {
		return g, err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return g, err
	}
	size := sha1.Size
	if conf, err := os.ReadFile(filepath.Join(common, "config")); err == nil && strings.Contains(strings.ToLower(string(conf)), "objectformat = sha256") {
		size = sha256.Size
	}
	index, err := os.ReadFile(filepath.Join(dir, "index"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return g, err
	}
	blob, err := indexed(index, filepath.ToSlash(rel), size)
	switch {
	case err != nil:
		return g, err
	case blob == "":
		g.Notebook = "not tracked"
	case blob == blobHash(content, size), blob == blobHash(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")), size):
		g.Notebook = "as staged"
	default:
		g.Notebook = "changed"
	}
	return g, nil
}

// readRef returns what a ref points to, empty where there is no such ref.
func readRef(dir, common, ref string) string {
	for _, d := range []string{dir, common} {
		if b, err := os.ReadFile(filepath.Join(d, filepath.FromSlash(ref))); err == nil {
			return strings.TrimSpace(string(b))
		}
	}
	b, err := os.ReadFile(filepath.Join(common, "packed-refs"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if sum, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name == ref {
			return sum
		}
	}
	return ""
}

// blobHash is the name that git gives to a file's content.
func blobHash(content []byte, size int) string {
	var h hash.Hash = sha1.New()
	if size == sha256.Size {
		h = sha256.New()
	}
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// indexed returns the blob that an index has for a path, empty where it has none.
//
// An index is "DIRC", a version (2, 3 or 4) and a number of entries, then the entries: 40 bytes of file state, the blob's
// hash, 16 bits of flags (version 3 and later: 16 more where the flags say so) and the path; versions 2 and 3 end a path
// with one to eight zeros that fill the entry to a multiple of 8, version 4 writes how many bytes of the path before are
// dropped, and what follows them. Source: git's own description, gitformat-index.
func indexed(b []byte, path string, size int) (string, error) {
	if len(b) == 0 {
		return "", nil
	}
	short := errors.New("git index: it ends in the middle of an entry")
	if len(b) < 12 || string(b[:4]) != "DIRC" {
		return "", errors.New("git index: it does not begin as one")
	}
	v, n := binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	if v < 2 || v > 4 {
		return "", fmt.Errorf("git index: it is of version %d; versions 2 to 4 are read", v)
	}
	at, before := 12, ""
	for range n {
		start := at
		at += 40 + size + 2
		if at > len(b) {
			return "", short
		}
		blob, flags := b[start+40:start+40+size], binary.BigEndian.Uint16(b[at-2:])
		if v >= 3 && flags&0x4000 != 0 {
			at += 2
		}
		drop := 0
		if v == 4 {
			for i := 0; ; i++ { // as in pack files: each byte after the first adds one before it is shifted in
				if at >= len(b) {
					return "", short
				}
				c := b[at]
				at++
				if i > 0 {
					drop++
				}
				drop = drop<<7 | int(c&0x7f)
				if c&0x80 == 0 {
					break
				}
			}
			if drop > len(before) {
				return "", errors.New("git index: an entry drops more of the path before than there is")
			}
		}
		if at > len(b) {
			return "", short
		}
		end := bytes.IndexByte(b[at:], 0)
		if end < 0 {
			return "", short
		}
		name := string(b[at : at+end])
		at += end + 1
		if v == 4 {
			name = before[:len(before)-drop] + name
			before = name
		} else {
			at = start + (at-start+7)/8*8
		}
		if name == path && flags&0x3000 == 0 { // not one side of a conflict
			return hex.EncodeToString(blob), nil
		}
	}
	return "", nil
}
