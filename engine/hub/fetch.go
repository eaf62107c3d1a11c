package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// blob is a content as the hub announces it.
type blob struct {
	etag string
	size int64
}

var etagForm = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)

// hash returns what the content's hash is to be computed with: SHA-256, or git's SHA-1 of a blob.
func (b blob) hash() hash.Hash {
	if len(b.etag) == 64 {
		return sha256.New()
	}
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", b.size)
	return h
}

// address is where a file of the commit lies.
func (s *Snapshot) address(name string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return s.c.Endpoint + "/" + s.Repo + "/resolve/" + s.Commit + "/" + strings.Join(parts, "/")
}

// head asks what a file's content is.
func (s *Snapshot) head(ctx context.Context, name string) (blob, error) {
	var b blob
	err := s.c.do(ctx, http.MethodHead, s.address(name), nil, false, func(r *http.Response) error {
		if r.StatusCode >= 400 || r.StatusCode < 200 {
			return fmt.Errorf("%s", r.Status)
		}
		if got := r.Header.Get("X-Repo-Commit"); got != "" && got != s.Commit {
			return fmt.Errorf("the hub answers for commit %s; wanted %s", got, s.Commit)
		}
		etag, size := r.Header.Get("X-Linked-Etag"), r.Header.Get("X-Linked-Size")
		if redirected := r.StatusCode >= 300; !redirected {
			if etag == "" {
				etag = r.Header.Get("ETag")
			}
			if size == "" {
				size = r.Header.Get("Content-Length")
			}
		}
		b.etag = strings.Trim(strings.TrimPrefix(etag, "W/"), `"`)
		if !etagForm.MatchString(b.etag) {
			return fmt.Errorf("the hub gives the hash %q; wanted 40 or 64 hexadecimal digits", etag)
		}
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("the hub gives the size %q; wanted a number of bytes", size)
		}
		b.size = n
		return nil
	})
	return b, err
}

// fetch brings one file: its content into blobs, and a link to it into the snapshot.
func (s *Snapshot) fetch(ctx context.Context, name string) error {
	b, err := s.head(ctx, name)
	if err != nil {
		return err
	}
	blobs := filepath.Join(s.folder(), "blobs")
	locks := filepath.Join(s.c.Cache, ".locks", filepath.Base(s.folder()))
	for _, dir := range []string{blobs, locks} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	unlock, err := lock(ctx, filepath.Join(locks, b.etag+".lock"))
	if err != nil {
		return err
	}
	defer unlock()
	path := filepath.Join(blobs, b.etag)
	if st, err := os.Stat(path); err != nil || st.Size() != b.size {
		if err := s.download(ctx, name, b, path); err != nil {
			return err
		}
	}
	return link(path, filepath.Join(s.Dir, filepath.FromSlash(name)))
}

// download brings a content to path. What an earlier attempt left in path.incomplete is kept and gone on from; where the whole
// then has another hash, it is thrown away and everything fetched once more.
func (s *Snapshot) download(ctx context.Context, name string, b blob, path string) error {
	part := path + ".incomplete"
	for again := false; ; again = true {
		fresh, err := s.transfer(ctx, name, b, part)
		if err != nil {
			return err
		}
		got, err := hashOf(part, b)
		if err != nil {
			return err
		}
		if got == b.etag {
			break
		}
		if err := os.Remove(part); err != nil {
			return err
		}
		if fresh || again {
			return fmt.Errorf("%d bytes have the hash %s; the hub said %s. What came was thrown away", b.size, got, b.etag)
		}
	}
	return os.Rename(part, path)
}

// transfer fills part up to the content's size. fresh tells that nothing of it is from an earlier call.
func (s *Snapshot) transfer(ctx context.Context, name string, b blob, part string) (fresh bool, err error) {
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return false, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return false, err
	}
	at := st.Size()
	if at > b.size {
		if err := f.Truncate(0); err != nil {
			return false, err
		}
		at = 0
	}
	fresh = at == 0
	tell := func() {
		if s.c.Progress != nil {
			s.c.Progress(name, at, b.size)
		}
	}
	tell()
	for at < b.size {
		header := http.Header{}
		if at > 0 {
			header.Set("Range", fmt.Sprintf("bytes=%d-", at))
		}
		err := s.c.do(ctx, http.MethodGet, s.address(name), header, true, func(r *http.Response) error {
			begin := at
			switch {
			case r.StatusCode == http.StatusOK:
				begin = 0
			case r.StatusCode == http.StatusPartialContent && at > 0:
				if want := fmt.Sprintf("bytes %d-%d/%d", at, b.size-1, b.size); r.Header.Get("Content-Range") != want {
					return fmt.Errorf("the answer holds %q; wanted %q", r.Header.Get("Content-Range"), want)
				}
			default:
				return fmt.Errorf("%s", r.Status)
			}
			if n := r.ContentLength; n >= 0 && n != b.size-begin {
				return fmt.Errorf("the answer has %d bytes (%s); wanted %d of %d", n, r.Header.Get("Content-Type"), b.size-begin, b.size)
			}
			if begin == 0 {
				if err := f.Truncate(0); err != nil {
					return err
				}
				at, fresh = 0, true
			}
			if _, err := f.Seek(at, io.SeekStart); err != nil {
				return err
			}
			was := at
			err := pour(f, r.Body, b.size, &at, tell)
			var last *final
			switch {
			case err == nil:
				return nil
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.As(err, &last):
				return err
			}
			header.Set("Range", fmt.Sprintf("bytes=%d-", at))
			if at == 0 {
				header.Del("Range")
			}
			return &retry{err: &unreachable{fmt.Errorf("the transfer breaks off at byte %d of %d: %w", at, b.size, err)}, made: at > was}
		})
		if err != nil {
			return fresh, err
		}
	}
	return fresh, f.Sync()
}

// final is an error that no retry helps against: of writing, or of an answer that cannot be.
type final struct{ err error }

func (d *final) Error() string { return d.err.Error() }
func (d *final) Unwrap() error { return d.err }

// pour copies until size bytes are there. An end before that, or bytes beyond, are errors.
func pour(w io.Writer, r io.Reader, size int64, at *int64, tell func()) error {
	buf := make([]byte, 1<<17)
	for {
		n, err := r.Read(buf)
		if over := *at + int64(n) - size; over > 0 {
			return &final{fmt.Errorf("the answer goes on beyond the %d bytes that the hub said", size)}
		}
		if _, e := w.Write(buf[:n]); e != nil {
			return &final{e}
		}
		*at += int64(n)
		if n > 0 {
			tell()
		}
		switch {
		case err == io.EOF && *at == size:
			return nil
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
}

// hashOf returns the hash of a file in the form of the content's etag.
func hashOf(path string, b blob) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := b.hash()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// link makes name a link to a blob, relative so that the cache may be moved; where links cannot be made, another name of the
// same file.
func link(blob, name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	to, err := filepath.Rel(filepath.Dir(name), blob)
	if err != nil {
		return err
	}
	os.Remove(name) // a link whose blob is gone
	if os.Symlink(to, name) == nil {
		return nil
	}
	return os.Link(blob, name)
}
