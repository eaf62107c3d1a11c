package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// unreachable is an error of the way to the hub, not of what it said.
type unreachable struct{ err error }

func (u *unreachable) Error() string { return u.err.Error() }
func (u *unreachable) Unwrap() error { return u.err }

const (
	attempts  = 5               // at a request that brings nothing new
	firstWait = time.Second     // before the second; twice as long before each other
	longest   = 2 * time.Minute // that a server may ask us to wait
)

// do sends a request to the hub, with the token, and follows redirects, without the token where they lead to another host. An
// answer that asks for patience (429, 5xx) is waited for and asked again; others are the caller's to judge. f sees the answer and
// may return a retry to be asked again; made true in it says that something new has come, so that patience begins anew.
func (c *Client) do(ctx context.Context, method, address string, header http.Header, follow bool, f func(r *http.Response) error) error {
	wait, tries := firstWait, 0
	for {
		err := c.once(ctx, method, address, header, follow, f)
		var again *retry
		if !errors.As(err, &again) {
			return err
		}
		if tries++; again.made {
			wait, tries = firstWait, 0
		}
		if tries >= attempts {
			return fmt.Errorf("%w; %d attempts", again.err, tries)
		}
		d := wait
		if again.after > 0 {
			d = again.after
		}
		if d > longest {
			return fmt.Errorf("%w; the server asks to come back in %v, longer than %v", again.err, d, longest)
		}
		if err := c.sleep(ctx, d); err != nil {
			return err
		}
		wait *= 2
	}
}

// retry is an error that may be gone the next time.
type retry struct {
	err   error
	after time.Duration // what the server asked for; 0 for nothing
	made  bool
}

func (r *retry) Error() string { return r.err.Error() }
func (r *retry) Unwrap() error { return r.err }

func (c *Client) sleep(ctx context.Context, d time.Duration) error {
	if c.wait != nil {
		return c.wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Client) once(ctx context.Context, method, address string, header http.Header, follow bool, f func(r *http.Response) error) error {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return err
	}
	req.Header = header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("User-Agent", "tunebook")
	req.Header.Set("Accept-Encoding", "identity")
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := http.Client{Transport: c.transport, CheckRedirect: func(to *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return errors.New("more than 10 redirects")
		}
		same := to.URL.Scheme == req.URL.Scheme && to.URL.Host == req.URL.Host
		if !same && !follow {
			return http.ErrUseLastResponse
		}
		if !same {
			if req.URL.Scheme == "https" && to.URL.Scheme != "https" {
				return fmt.Errorf("a redirect from https to %s://%s is not followed", to.URL.Scheme, to.URL.Host)
			}
			to.Header.Del("Authorization")
		} else if c.Token != "" { // an earlier hop may have taken it away
			to.Header.Set("Authorization", "Bearer "+c.Token)
		}
		return nil
	}}
	r, err := client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var u *url.Error
		if errors.As(err, &u) {
			u.URL = plain(u.URL) // a redirect's address may be signed
		}
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			return &unreachable{err}
		}
		return &retry{err: &unreachable{err}}
	}
	defer r.Body.Close()
	switch {
	case r.StatusCode == http.StatusTooManyRequests || r.StatusCode >= 500:
		return &retry{err: &unreachable{fmt.Errorf("%s: %s", plain(address), r.Status)}, after: after(r.Header.Get("Retry-After"))}
	case r.StatusCode == http.StatusUnauthorized || r.StatusCode == http.StatusForbidden:
		hint := "set HF_TOKEN to a token that may read it"
		if c.Token != "" {
			hint = "the token in use may not read it; a gated repository wants its terms accepted on its page first"
		}
		return fmt.Errorf("%s: %s; %s", plain(address), r.Status, hint)
	case r.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%s: %s; there is none of that name, or it is private and HF_TOKEN is not set to a token that may read it", plain(address), r.Status)
	}
	return f(r)
}

// plain is an address without what follows its path, which may be a signature.
func plain(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address
}

// after reads a Retry-After header: seconds or a date.
func after(s string) time.Duration {
	if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil && n >= 0 {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, time.Until(t))
	}
	return 0
}

// list asks the hub for the commit of the revision and its files.
func (s *Snapshot) list(ctx context.Context) error {
	address := s.c.Endpoint + "/api/models/" + s.Repo + "/revision/" + url.PathEscape(s.Revision)
	var answer struct {
		SHA      string `json:"sha"`
		Siblings []struct {
			Name string `json:"rfilename"`
		} `json:"siblings"`
	}
	err := s.c.do(ctx, http.MethodGet, address, nil, true, func(r *http.Response) error {
		if r.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", address, r.Status)
		}
		const most = 64 << 20
		raw, err := io.ReadAll(io.LimitReader(r.Body, most+1))
		if err != nil {
			return &retry{err: &unreachable{fmt.Errorf("%s: the answer breaks off after %d bytes: %w", address, len(raw), err)}}
		}
		if len(raw) > most {
			return fmt.Errorf("%s: the answer is longer than %d bytes", address, most)
		}
		if err := json.Unmarshal(raw, &answer); err != nil {
			kind := r.Header.Get("Content-Type")
			return fmt.Errorf("%s: wanted JSON, got %q that begins %q; is HF_ENDPOINT a hub, and is no login page or proxy in between", address, kind, raw[:min(40, len(raw))])
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("hub: %s: %w", s.Repo, err)
	}
	if !commitName.MatchString(answer.SHA) {
		return fmt.Errorf("hub: %s: the hub calls the commit %q; wanted 40 hexadecimal digits", s.Repo, answer.SHA)
	}
	s.Commit, s.names = answer.SHA, map[string]bool{}
	s.Dir = filepath.Join(s.folder(), "snapshots", s.Commit)
	for _, f := range answer.Siblings {
		if !fs.ValidPath(f.Name) || strings.ContainsAny(f.Name, "\\:") {
			return fmt.Errorf("hub: %s: the hub lists a file %q, which is no path inside a folder", s.Repo, f.Name)
		}
		s.names[f.Name] = true
	}
	return nil
}
