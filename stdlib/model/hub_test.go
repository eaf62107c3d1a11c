package model

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tunebook/stdlib/stop"
)

// A name that is no path is asked of the hub that the environment names; a path that is there is opened as it is; and the cell
// says what it took the name for.
func TestOpenAsksTheHub(t *testing.T) {
	asked := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path
		http.NotFound(w, r)
	}))
	defer s.Close()
	t.Setenv("HF_ENDPOINT", s.URL)
	t.Setenv("HF_HOME", t.TempDir())
	t.Setenv("HF_HUB_CACHE", "")
	t.Setenv("HF_TOKEN", "")
	open := func(name string) (msg string) {
		defer func() {
			if e, ok := recover().(*stop.Error); ok {
				msg = e.Error()
			}
		}()
		Open(name)
		return ""
	}
	t.Setenv("HF_HUB_OFFLINE", "")
	if msg := open("me/model"); asked != "/api/models/me/model/revision/main" || !strings.Contains(msg, "none of that name") {
		t.Errorf("asked for %q: %s", asked, msg)
	}
	asked = ""
	if msg := open("../model/model.go"); asked != "" || !strings.Contains(msg, "is neither a folder") {
		t.Errorf("a path that is there: asked for %q: %s", asked, msg)
	}
	t.Setenv("HF_HUB_OFFLINE", "1")
	if msg := open("me/model"); asked != "" || !strings.Contains(msg, "HF_HUB_OFFLINE is set") || !strings.Contains(msg, "fetch it from") {
		t.Errorf("offline: asked for %q: %s", asked, msg)
	}
}
