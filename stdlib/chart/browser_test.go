package chart

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// browser returns the path of Chromium. Without one the test is skipped, or fails when the environment says
// CI_CHROMIUM=required.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI_CHROMIUM") == "required" {
		t.Fatal("no chromium; CI_CHROMIUM=required wants one")
	}
	t.Skip("no chromium")
	return ""
}

// chromium runs the browser without a screen and without a network, and returns what it printed.
func chromium(t *testing.T, page string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	all := append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--no-first-run", "--hide-scrollbars", "--user-data-dir=" + t.TempDir(), "--host-resolver-rules=MAP * ~NOTFOUND",
		"--virtual-time-budget=3000"}, args...)
	cmd := exec.CommandContext(ctx, browser(t), append(all, "file://"+page)...)
	cmd.WaitDelay = 5 * time.Second
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, errs.String())
	}
	return string(out)
}

// probe is added to a page under test, under a policy of its own: it opens each chart's tooltip and writes down what the
// browser saw, so that the printed document shows it.
const probe = `
var seen = {charts: 0, drawn: 0, tips: [], title: document.title, images: document.images.length, requests: performance.getEntriesByType('resource').length};
document.querySelectorAll('.tb-plot').forEach(function (p) {
  seen.charts++;
  var c = echarts.getInstanceByDom(p);
  seen.drawn += p.querySelectorAll('svg path, canvas').length > 0 ? 1 : 0;
  c.dispatchAction({type: 'showTip', seriesIndex: c.getOption().series.length - 1, dataIndex: 0});
  var tip = p.querySelector('.tb-tip');
  seen.tips.push(tip ? tip.textContent : 'none');
});
var out = document.createElement('output');
out.id = 'probe';
out.textContent = JSON.stringify(seen);
document.body.appendChild(out);`

// probed returns the page with the probe in it. The probe is a third script that the policy lets through, so the policy
// stays as strict as it is in a saved page.
func probed(t *testing.T, p *Page) string { return probedWith(t, p, probe) }

func probedWith(t *testing.T, p *Page, probe string) string {
	t.Helper()
	saved := p.HTML()
	old, with := policy(echartsJS(), pageJS), policy(echartsJS(), pageJS, probe)
	if strings.Count(saved, old) != 1 {
		t.Fatal("the page does not hold its policy once")
	}
	saved = strings.Replace(saved, old, with, 1)
	end := strings.LastIndex(saved, "</body>")
	saved = saved[:end] + "<script>" + probe + "</script>" + saved[end:]
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte(saved), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// kindsProbe looks at each chart: was it drawn, does its tooltip open, does its save tool make a picture, is it named for a
// screen reader.
const kindsProbe = `
var seen = [];
document.querySelectorAll('figure.tb-chart').forEach(function (f) {
  var p = f.querySelector('.tb-plot'), c = echarts.getInstanceByDom(p), o = c.getOption();
  var shown = 0;
  o.series.forEach(function (s, i) {
    if (s.type === 'custom') return;
    c.dispatchAction({type: 'showTip', seriesIndex: i, dataIndex: 0});
    var tip = p.querySelector('.tb-tip');
    if (tip && tip.textContent) shown++;
  });
  var tools = Object.keys(o.toolbox[0].feature || {}).filter(function (k) { return o.toolbox[0].feature[k].show !== false && ['saveAsImage', 'dataZoom', 'restore'].indexOf(k) >= 0; });
  var url = c.getDataURL({type: c.getZr().painter.getType() === 'canvas' ? 'png' : 'svg', pixelRatio: 1});
  seen.push([p.querySelectorAll('svg path, canvas').length > 0 ? 1 : 0, shown > 0 ? 1 : 0, tools.length, url.slice(0, 11), p.getAttribute('role')].join(' '));
});
var out = document.createElement('output');
out.id = 'probe';
out.textContent = JSON.stringify({seen: seen, title: document.title});
document.body.appendChild(out);`

func TestEveryKindInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	p := NewPage("Kinds")
	var want []string
	for i, c := range gallery() {
		if i == 9 { // 100,000 points take the browser a while; TestScreenshots draws them
			continue
		}
		p.Chart(c)
		var d struct {
			Option struct{ XAxis []struct{ Type string } }
		}
		if err := json.Unmarshal(c.payload, &d); err != nil {
			t.Fatal(err)
		}
		tools := 1 // saving; axes of numbers can be looked at more closely as well
		if x := d.Option.XAxis; len(x) > 0 && x[0].Type != "category" {
			tools = 3
		}
		want = append(want, fmt.Sprintf("1 1 %d data:image/ img", tools))
	}
	dom := chromium(t, probedWith(t, p, kindsProbe), "--dump-dom")
	m := regexp.MustCompile(`<output id="probe">(.*?)</output>`).FindStringSubmatch(dom)
	if m == nil {
		t.Fatal("the probe did not run")
	}
	var seen struct {
		Seen  []string
		Title string
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(m[1])), &seen); err != nil {
		t.Fatal(err)
	}
	if seen.Title != "Kinds" || len(seen.Seen) != len(want) {
		t.Fatalf("%d charts, title %q", len(seen.Seen), seen.Title)
	}
	for i := range want {
		if seen.Seen[i] != want[i] {
			t.Errorf("chart %d: drawn, tooltip, tools, picture, role: %s; wanted %s", i, seen.Seen[i], want[i])
		}
	}
}

func TestPageInABrowserWithoutNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	p := full()
	dom := chromium(t, probed(t, p), "--dump-dom")
	m := regexp.MustCompile(`<output id="probe">(.*?)</output>`).FindStringSubmatch(dom)
	if m == nil {
		t.Fatal("the probe did not run")
	}
	t.Log(m[1])
	if want := fmt.Sprintf(`"charts":%d,"drawn":%d,`, p.charts, p.charts); !strings.Contains(m[1], want) {
		t.Errorf("%s; wanted %s", m[1], want)
	}
	if !strings.Contains(m[1], `"images":0,"requests":0`) {
		t.Error("a text became a picture, or the page asked for something beyond itself")
	}
	if !strings.Contains(m[1], "specialist examples: 25specialist only: 25.") {
		t.Error("the first tooltip does not say what it stands on")
	}
	// hostileTitle is what the page's title says; code in a name would have written another.
	if !strings.Contains(dom, "<title>Report &lt;/title&gt;") || strings.Contains(dom, "owned\"") || strings.Contains(m[1], `"title":"owned"`) {
		t.Error("a text of the page ran as code")
	}
	if strings.Contains(m[1], `"none"`) {
		t.Error("a tooltip did not open")
	}
}

// TestScreenshots writes pictures of the page at three widths, light and dark, into the folder TUNEBOOK_SHOTS, for a
// person to look at.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("TUNEBOOK_SHOTS")
	if dir == "" {
		t.Skip("TUNEBOOK_SHOTS names no folder")
	}
	pages := map[string]*Page{"page": full()}
	for i, c := range gallery() {
		name := fmt.Sprintf("kinds%d", i/6)
		if pages[name] == nil {
			pages[name] = NewPage("Kinds of charts")
		}
		pages[name].Chart(c)
	}
	for name, page := range pages {
		path := page.Save(filepath.Join(dir, name+".html"))
		for _, width := range []int{500, 820, 1400} {
			for scheme, setting := range map[string]string{"light": "1", "dark": "0"} {
				chromium(t, path, fmt.Sprintf("--window-size=%d,%d", width, 450+600*page.charts), "--blink-settings=preferredColorScheme="+setting,
					"--screenshot="+filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)))
			}
		}
	}
}
